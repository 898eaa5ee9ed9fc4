import { createContext } from "@webnn/deno";
import { type Inspection, inspectOnnx, type ModelPort } from "@webnn/deno/onnx";
import { command, onlyArgument, type Result } from "../command.ts";
import { fileError } from "../errors.ts";
import { formatShape } from "../elements.ts";
import { buildModule, isModule, portsOf } from "../model/module.ts";
import { bytes, count, facts, table } from "../table.ts";
import { styled, type Terminal } from "../terminal.ts";

/** What is known of a model. What only files of ONNX have is missing of a module. */
type ModelInfo = Pick<Inspection, "inputs" | "outputs"> & Partial<Inspection> & { readonly model: string };

/** `webnn info`. */
export const infoCommand = command({
  name: "info",
  summary: "What a model takes and gives, what it is made of, and what of it is not supported",
  usage: "MODEL",
  help: `MODEL is an .onnx file, or a TypeScript module that exports (builder, context) => outputs by default. Nothing
is run. A model with nodes that are not supported makes no error: they are part of the answer.`,
  options: {},
  async run(invocation): Promise<Result> {
    const { terminal } = invocation;
    const model = onlyArgument(invocation, "MODEL");
    terminal.progress(`reading ${model} ...`);
    const info = { model, ...isModule(model) ? await describeModule(model) : await describeFile(model) };
    return { data: info, text: describe(terminal, info) };
  },
});

async function describeModule(path: string): Promise<Pick<Inspection, "inputs" | "outputs">> {
  const context = await createContext();
  try {
    const { inputs, outputs } = await buildModule(path, context);
    return { inputs, outputs: portsOf(outputs) };
  } finally {
    context.destroy();
  }
}

async function describeFile(path: string): Promise<Inspection> {
  return await inspectOnnx(path).catch((error) => {
    throw fileError(path, error);
  });
}

function describe(terminal: Terminal, info: ModelInfo): string {
  const { inputs, outputs, opsets, operators, weights, weightBytes, refusals, missing } = info;
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
  if (refusals?.length === 0) lines.push(["not supported", "nothing found"]);
  if (missing && missing.length > 0) lines.push(["not fully checked", `for want of ${missing.join(", ")}`]);
  const sections = [
    facts(terminal, lines),
    portTable(terminal, "input", inputs),
    portTable(terminal, "output", outputs),
  ];
  if (operators) sections.push(operatorTable(terminal, operators));
  if (refusals && refusals.length > 0) sections.push(refusalTable(terminal, refusals));
  return sections.join("\n\n");
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

function refusalTable(terminal: Terminal, refusals: Inspection["refusals"]): string {
  const rows = refusals.map(({ operator, name, reason }) => [styled(terminal, "red", operator), name, reason]);
  return table(terminal, ["not supported", "node", "reason"], rows);
}
