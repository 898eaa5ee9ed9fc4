import { createContext, type MLContext } from "@webnn/deno";
import { type Inspection, inspectOnnx, type ModelPort } from "@webnn/deno/onnx";
import { command, onlyArgument, type Result } from "../command.ts";
import { fileError, messageOf } from "../errors.ts";
import { INPUT_OPTIONS } from "../inputs/read.ts";
import { formatShape } from "../elements.ts";
import { buildModule, isModule, MODEL_HELP, portsOf } from "../model/module.ts";
import { checkShape, dimensionsOf, parseShapes, portNamed, type Shapes } from "../shapes.ts";
import { type Work, workOf } from "../model/work.ts";
import { bytes, count, facts, large, table } from "../table.ts";
import { styled, type Terminal } from "../terminal.ts";

type Ports = Pick<Inspection, "inputs" | "outputs">;

/** The description of a model. A module has no members that only ONNX files have. */
interface ModelInfo extends Ports, Partial<Omit<Inspection, keyof Ports>> {
  readonly model: string;
  /** The work and memory of a run, or why they are not known. */
  readonly run: Work | { readonly unknown: string };
}

/** `webnn info`. */
export const infoCommand = command({
  name: "info",
  summary: "Shows a model's inputs, outputs, operators and weights, and what is not supported",
  usage: "MODEL",
  help: `${MODEL_HELP}
The model does not run. Nodes that are not supported are listed; they are not an error. Multiply-adds and memory are
counted from the graph of WebNN operators, which is built for the shapes of the inputs (--shape, --input).`,
  options: INPUT_OPTIONS,
  async run(invocation): Promise<Result> {
    const { terminal, options } = invocation;
    const model = onlyArgument(invocation, "MODEL");
    const shapes = parseShapes(options.shape);
    const context = await createContext();
    try {
      terminal.progress(`reading ${model} ...`);
      const ports = isModule(model) ? await describeModule(model, context) : await describeFile(model, context, shapes);
      for (const [name, shape] of shapes) {
        checkShape(portNamed(ports.inputs, name, "--shape"), shape, `--shape ${name}`);
      }
      terminal.progress(`counting ${model} ...`);
      const work = await workOf(model, context, options, false).catch((error) => ({ unknown: messageOf(error) }));
      const info = { model, ...ports, run: work };
      return { data: info, text: describe(terminal, info) };
    } finally {
      context.destroy();
    }
  },
});

async function describeModule(path: string, context: MLContext): Promise<Ports> {
  const { inputs, outputs } = await buildModule(path, context);
  return { inputs, outputs: portsOf(outputs) };
}

/** Inspects a file twice: with the sizes of free dimensions, more unsupported nodes can be found. */
async function describeFile(path: string, context: MLContext, shapes: Shapes): Promise<Inspection> {
  try {
    const inspection = await inspectOnnx(path, { context });
    const dimensions = dimensionsOf(inspection.inputs, shapes);
    if (Object.keys(dimensions).length === 0) return inspection;
    const { unsupported, missing } = await inspectOnnx(path, { context, dimensions });
    return { ...inspection, unsupported, missing };
  } catch (error) {
    throw fileError(path, error);
  }
}

function describe(terminal: Terminal, info: ModelInfo): string {
  const { inputs, outputs, opsets, operators, weights, weightBytes, unsupported, missing } = info;
  const lines: [string, string][] = [["model", info.model]];
  if (opsets) lines.push(["opsets", Object.entries(opsets).map(([name, v]) => `${name || "ai.onnx"} ${v}`).join(", ")]);
  if (weights) {
    const parts = Object.entries(weights).map(([type, { tensors, bytes: size }]) =>
      `${bytes(size)} of ${type} in ${count(tensors)}`
    );
    lines.push(["weights", [bytes(weightBytes!), ...parts].join("; ")]);
  }
  const nodes = Object.values(operators ?? {}).reduce((sum, n) => sum + n, 0);
  if (operators) lines.push(["nodes", count(nodes)]);
  if (unsupported?.length === 0) lines.push(["not supported", "nothing found"]);
  if (missing && missing.length > 0 && "unknown" in info.run) {
    lines.push(["not fully checked", `unknown: ${missing.join(", ")}`]);
  }
  lines.push(...workLines(info.run));
  const sections = [
    facts(terminal, lines),
    portTable(terminal, "input", inputs),
    portTable(terminal, "output", outputs),
  ];
  if (operators) sections.push(operatorTable(terminal, operators));
  else if ("shapes" in info.run) sections.push(operatorTable(terminal, info.run.webnnOperators));
  if (unsupported && unsupported.length > 0) sections.push(unsupportedTable(terminal, unsupported));
  return sections.join("\n\n");
}

function workLines(work: ModelInfo["run"]): [string, string][] {
  if ("unknown" in work) return [["multiply-adds", `not counted: ${work.unknown}`]];
  const shapes = Object.entries(work.shapes).map(([name, shape]) => `${name} ${formatShape(shape)}`).join(", ");
  return [
    ["multiply-adds", `${large(work.multiplyAdds)} in a run of ${shapes}`],
    ["memory", `${bytes(work.constantBytes)} of constants, at most ${bytes(work.peakBytes)} of computed values`],
  ];
}

function portTable(terminal: Terminal, kind: string, ports: readonly ModelPort[]): string {
  const rows = ports.map(({ name, dataType, shape }) => [name, dataType, formatShape(shape)]);
  return table(terminal, [kind, "type", "shape"], rows);
}

function operatorTable(terminal: Terminal, operators: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(operators).sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
  return table(
    terminal,
    ["operator", { title: "nodes", align: "right" }],
    sorted.map(([name, nodes]) => [name, count(nodes)]),
  );
}

function unsupportedTable(terminal: Terminal, unsupported: Inspection["unsupported"]): string {
  const rows = unsupported.map(({ operator, name, reason }) => [styled(terminal, "red", operator), name, reason]);
  return table(terminal, ["not supported", "node", "reason"], rows);
}
