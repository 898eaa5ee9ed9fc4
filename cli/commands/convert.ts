import { exportMlpackage, exportOnnx } from "@webnn/deno";
import { join } from "node:path";
import { command, onlyArgument, type Result } from "../command.ts";
import { fileError, UsageError } from "../errors.ts";
import { INPUT_OPTIONS } from "../inputs/read.ts";
import { openContext } from "../model/device.ts";
import { graphOfModel } from "../model/graph.ts";
import { MODEL_HELP } from "../model/module.ts";
import { writeFiles } from "../output.ts";
import { bytes } from "../table.ts";

type Outputs = Parameters<typeof exportOnnx>[0];

/** The export of each format, by file extension. Returns the content of each file by path. */
const FORMATS: Readonly<Record<string, (outputs: Outputs, path: string) => Promise<Map<string, Uint8Array>>>> = {
  ".onnx": async (outputs, path) => new Map([[path, await exportOnnx(outputs)]]),
  ".mlpackage": async (outputs, path) =>
    new Map([...await exportMlpackage(outputs)].map(([name, content]) => [join(path, name), content])),
};

/** `webnn convert`. */
export const convertCommand = command({
  name: "convert",
  summary: "Converts a model to an ONNX file of standard operators, or to a Core ML package",
  usage: "MODEL -o FILE",
  help: `${MODEL_HELP}
The result keeps the names of inputs and outputs; its shapes are fixed. Give an input that determines shapes, such as a
sampling rate, with --input: its value becomes part of the result.`,
  options: {
    output: { kind: "text", short: "o", value: "FILE", help: "the file to write: .onnx or .mlpackage" },
    ...INPUT_OPTIONS,
  },
  async run(invocation): Promise<Result> {
    const { terminal, options } = invocation;
    const { output } = options;
    const model = onlyArgument(invocation, "MODEL");
    if (output === undefined) throw new UsageError("--output is missing: -o FILE.onnx or -o FILE.mlpackage");
    const format = Object.entries(FORMATS).find(([ending]) => output.toLowerCase().endsWith(ending))?.[1];
    if (format === undefined) {
      throw new UsageError(`--output must end in ${Object.keys(FORMATS).join(" or ")}, not ${JSON.stringify(output)}`);
    }
    const context = await openContext({ device: "cpu" });
    try {
      terminal.progress(`reading ${model} ...`);
      const { outputs } = await graphOfModel(model, context, options, false);
      terminal.progress(`writing ${output} ...`);
      const files = await format(outputs, output).catch((error) => {
        throw fileError(model, error);
      });
      await writeFiles(terminal, files);
      const size = [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
      const names = Object.keys(outputs);
      const text = `${output}: ${bytes(size)}; outputs: ${names.join(", ")}`;
      return { data: { model, output, bytes: size, outputs: names }, text };
    } finally {
      context.destroy();
    }
  },
});
