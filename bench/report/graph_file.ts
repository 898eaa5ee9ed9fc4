/**
 * A WebNN graph in two files: `graph.json`, a {@linkcode GraphFile}, and `weights.bin` with the bytes of its constants.
 * Contestants without ONNX Runtime build from it.
 *
 * @module
 */
import { join } from "node:path";
import type { Graph, Node, Value } from "../../src/graph/graph.ts";
import type { AnyOperator } from "../../src/ops/operator.ts";
import { operators } from "../../src/ops/operators.ts";

/** The JSON. Values are identified by numbers; nodes are in topological order. */
export interface GraphFile {
  readonly inputs: readonly NamedTensor[];
  readonly constants: readonly (Tensor & { readonly offset: number; readonly byteLength: number })[];
  readonly nodes: readonly Call[];
  readonly outputs: readonly NamedTensor[];
}

/** A value: its number, data type and shape. */
export interface Tensor {
  readonly id: number;
  readonly dataType: MLOperandDataType;
  readonly shape: readonly number[];
}

/** An input or output. */
export interface NamedTensor extends Tensor {
  readonly name: string;
}

/** A call of a builder method: `operator(...operands, ...parameters, { ...options, ...optional })`. */
export interface Call {
  readonly operator: string;
  readonly operands: readonly (number | readonly number[])[];
  readonly parameters: readonly unknown[];
  /** All options, with defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The operands among the options. */
  readonly optional: Readonly<Record<string, number>>;
  readonly outputs: readonly number[];
}

/** Writes both files to a folder. */
export async function writeGraph(
  graph: Graph<{ readonly bytes: Uint8Array; readonly byteLength: number }>,
  folder: string,
): Promise<void> {
  using weights = await Deno.open(join(folder, "weights.bin"), { write: true, create: true, truncate: true });
  let offset = 0;
  const constants = graph.constants.map(({ value, block: { bytes, byteLength } }) => {
    for (let written = 0; written < byteLength;) written += weights.writeSync(bytes.subarray(written));
    const constant = { ...tensorOf(value), offset, byteLength };
    offset += byteLength;
    return constant;
  });
  const named = ({ name, value }: Graph<unknown>["inputs"][number]) => ({ name, ...tensorOf(value) });
  const file: GraphFile = {
    inputs: graph.inputs.map(named),
    constants,
    nodes: graph.nodes.map(callOf),
    outputs: graph.outputs.map(named),
  };
  await Deno.writeTextFile(join(folder, "graph.json"), JSON.stringify(file));
}

function tensorOf({ id, dataType, shape }: Value): Tensor {
  return { id, dataType, shape };
}

function callOf({ operator, operands, attributes, outputs }: Node): Call {
  const row: AnyOperator = operators[operator as keyof typeof operators];
  const required = Object.keys(row.operands).filter((name) => row.operands[name]!.kind !== "optional");
  const present = Object.entries(operands).filter(([, operand]) => operand !== undefined);
  const values = attributes as Record<string, unknown>;
  return {
    operator,
    operands: required.map((name) => idsOf(operands[name] as Value | readonly Value[])),
    parameters: Object.keys(row.parameters).map((name) => values[name]),
    options: {
      ...Object.fromEntries(Object.entries(values).filter(([name]) => !(name in row.parameters))),
      ...(operator === "resample2d" && { sizes: sizesOf(values.axes as number[], outputs[0]!) }),
    },
    optional: Object.fromEntries(
      present.filter(([name]) => !required.includes(name)).map(([name, operand]) => [name, (operand as Value).id]),
    ),
    outputs: outputs.map(({ id }) => id),
  };
}

/** The option `sizes` of resample2d. Its node does not store them, because its output has the same sizes. */
function sizesOf(axes: readonly number[], { shape }: Value): number[] {
  return axes.map((axis) => shape[axis]!);
}

function idsOf(operand: Value | readonly Value[]): number | number[] {
  return "id" in operand ? operand.id : operand.map(({ id }) => id);
}
