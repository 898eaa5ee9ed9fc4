import type { TensorOutput } from "@webnn/deno/onnx";
import { join } from "node:path";
import { command, onlyArgument, positiveInteger, type Result } from "../command.ts";
import { elementsOf, formatShape } from "../elements.ts";
import { Failure, fileError, UsageError } from "../errors.ts";
import { explainRandom, INPUT_OPTIONS, type InputOptions, type Inputs, readInputs } from "../inputs/read.ts";
import { writeNpy } from "../inputs/numpy.ts";
import { DEVICE_OPTIONS, openContext } from "../model/device.ts";
import { openModel } from "../model/load.ts";
import { MODEL_HELP } from "../model/module.ts";
import { writeFiles } from "../output.ts";
import { summarize, type Summary } from "../statistics.ts";
import { figure, table } from "../table.ts";
import type { Terminal } from "../terminal.ts";

/** One of the largest elements of a row. */
interface Ranked {
  readonly index: number;
  readonly value: number | bigint;
  readonly label?: string;
}

/** The description of an output. */
interface OutputInfo extends Summary {
  readonly name: string;
  readonly dataType: string;
  readonly shape: readonly number[];
  readonly first: readonly (number | bigint)[];
  /** The largest elements of each row. Rows lie along the last dimension. */
  readonly top?: readonly (readonly Ranked[])[];
}

const FIRST = 5;
const TOP = 5;

/** `webnn run`. */
export const runCommand = command({
  name: "run",
  summary: "Runs a model on files or on random numbers",
  usage: "MODEL",
  help: `${MODEL_HELP}
Prints the shape, the minimum, maximum and mean, and the first elements of each output.`,
  options: {
    ...INPUT_OPTIONS,
    output: {
      kind: "text",
      short: "o",
      value: "DIR",
      help: "writes each output to DIR/NAME.npy; in NAME, characters other than\nletters, digits, ., - and _ become _",
    },
    "top-k": { kind: "text", value: "K", help: `prints the K largest elements of each row (${TOP} with --labels)` },
    labels: { kind: "text", value: "FILE", help: "the name of each index, one per line" },
    ...DEVICE_OPTIONS,
  },
  async run(invocation): Promise<Result> {
    const { terminal, options } = invocation;
    const path = onlyArgument(invocation, "MODEL");
    const top = options["top-k"] === undefined ? undefined : positiveInteger(options["top-k"], "--top-k");
    const labels = options.labels === undefined ? undefined : await readLabels(options.labels);
    const { inputs, outputs } = await runModel(terminal, path, options);
    if (options.output !== undefined) await writeOutputs(terminal, options.output, outputs);
    const count = top ?? (labels && TOP);
    const infos = Object.entries(outputs).map(([name, output]) => describe(name, output, count, labels));
    const given = Object.entries(inputs).map(([name, { shape }]) => ({ name, shape }));
    return { data: { model: path, inputs: given, outputs: infos }, text: report(terminal, infos) };
  },
});

async function runModel(
  terminal: Terminal,
  path: string,
  options: InputOptions & { readonly device: string | undefined; readonly threads: string | undefined },
): Promise<{ inputs: Inputs; outputs: Record<string, TensorOutput> }> {
  const context = await openContext(options);
  try {
    terminal.progress(`loading ${path} ...`);
    const opened = await openModel(path, context);
    const inputs = await readInputs(opened.inputs, options);
    using model = await opened.load(new Map(Object.entries(inputs).map(([name, { shape }]) => [name, shape])));
    terminal.progress(`running ${path} ...`);
    return {
      inputs,
      outputs: await model.run(inputs).catch((error) => {
        throw fileError(path, explainRandom(error, opened.inputs, options));
      }),
    };
  } finally {
    context.destroy();
  }
}

async function readLabels(path: string): Promise<readonly string[]> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw fileError(path, error);
  });
  return text.replace(/\r?\n$/, "").split(/\r?\n/);
}

async function writeOutputs(
  terminal: Terminal,
  folder: string,
  outputs: Readonly<Record<string, TensorOutput>>,
): Promise<void> {
  const files = new Map<string, Uint8Array>();
  for (const [name, output] of Object.entries(outputs)) {
    const file = join(folder, `${name.replace(/[^\w.-]/g, "_")}.npy`);
    if (files.has(file)) throw new Failure(`${file}: two outputs of the model would be written to this file`);
    files.set(file, writeNpy(output));
  }
  await writeFiles(terminal, files);
}

function describe(
  name: string,
  output: TensorOutput,
  top: number | undefined,
  labels: readonly string[] | undefined,
): OutputInfo {
  const { dataType, shape } = output;
  const elements = [...elementsOf(output).subarray(0, FIRST)] as (number | bigint)[];
  const ranked = top === undefined ? {} : { top: rank(name, output, top, labels) };
  return { name, dataType, shape, ...summarize(output), first: elements, ...ranked };
}

function rank(name: string, output: TensorOutput, top: number, labels: readonly string[] | undefined): Ranked[][] {
  const { shape } = output;
  const length = shape.at(-1) ?? 1;
  const elements = elementsOf(output);
  if (labels && labels.length < length) {
    throw new UsageError(
      `--labels has ${labels.length} names, but the output ${JSON.stringify(name)} has ${length} elements in a row`,
    );
  }
  return Array.from({ length: length === 0 ? 0 : elements.length / length }, (_, row) => {
    const values = [...elements.subarray(row * length, (row + 1) * length)] as (number | bigint)[];
    const sorted = values.map((value, index) => ({ value, index })).sort((a, b) =>
      a.value < b.value ? 1 : a.value > b.value ? -1 : a.index - b.index
    );
    return sorted.slice(0, top).map(({ value, index }) =>
      labels ? { index, value, label: labels[index]! } : { index, value }
    );
  });
}

function report(terminal: Terminal, infos: readonly OutputInfo[]): string {
  const rows = infos.map(({ name, dataType, shape, min, max, mean, first }) => {
    const more = shape.reduce((product, size) => product * size, 1) > first.length ? ", ..." : "";
    return [
      name,
      dataType,
      formatShape(shape),
      number(min),
      number(max),
      figure(mean),
      first.map(number).join(", ") + more,
    ];
  });
  const right = (title: string) => ({ title, align: "right" }) as const;
  const summary = table(
    terminal,
    ["output", "type", "shape", right("min"), right("max"), right("mean"), "first elements"],
    rows,
  );
  return [summary, ...infos.flatMap((info) => rankings(terminal, info))].join("\n\n");
}

function rankings(terminal: Terminal, { name, top = [] }: OutputInfo): string[] {
  return top.map((ranked, row) => {
    const title = top.length === 1 ? name : `${name}, row ${row}`;
    const rows = ranked.map(({ index, value, label = "" }) => [String(index), number(value), label]);
    return table(terminal, [title, { title: "value", align: "right" }, "label"], rows);
  });
}

function number(value: number | bigint): string {
  return typeof value === "bigint" ? String(value) : figure(value);
}
