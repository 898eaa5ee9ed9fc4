/**
 * A built graph as plain data.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { type Graph, isList, type Node, type Value } from "../graph/graph.ts";
import { peakBytes } from "../graph/peak_memory.ts";
import { costByRow } from "../ops/operators.ts";
import type { MLGraph } from "./ml_graph.ts";
import { graphSlot, type GraphState } from "./state.ts";

/** The data type and shape of a value in a graph. */
export interface DescribedTensor {
  /** The data type of the elements. */
  readonly dataType: MLOperandDataType;
  /** The dimensions, outermost first; `[]` for a scalar. */
  readonly shape: readonly number[];
}

/** An operation: one call of a builder method. */
export interface DescribedOperator {
  /** Distinguishes it from the other kinds of node. */
  readonly kind: "operator";
  /** The name of the builder's method: `"conv2d"`. */
  readonly operator: string;
  /** The label from the options; empty by default. */
  readonly label: string;
  /** Its parameters and options, with defaults filled in. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The data types and shapes of its outputs. */
  readonly outputs: readonly DescribedTensor[];
  /** The number of multiply-adds; a single addition, multiplication or comparison counts as 0.5. */
  readonly multiplyAdds: number;
  /** The kind of device that runs it: `"cpu"`, `"gpu"` or `"npu"`; absent if the engine does not say. */
  readonly device?: string;
}

/** A node of a graph: an input, a constant, an operation, or an output. */
export type DescribedNode =
  | DescribedTensor & { readonly kind: "input" | "output"; readonly name: string }
  | DescribedTensor & { readonly kind: "constant" }
  | DescribedOperator;

/** A value that one node produces and another one uses. */
export interface DescribedEdge extends DescribedTensor {
  /** The index of the node that produces it. */
  readonly from: number;
  /** The index among the outputs of that node. */
  readonly output: number;
  /** The index of the node that uses it. */
  readonly to: number;
  /** The name of the operand: `"filter"`, or `"inputs[1]"` in a list; empty for an output of the graph. */
  readonly operand: string;
}

/** A graph as nodes and edges: returned by {@linkcode describeGraph}. */
export interface GraphDescription {
  /** Inputs, then constants, then operations in topological order, then outputs. */
  readonly nodes: readonly DescribedNode[];
  /** Ordered by the nodes that use them. */
  readonly edges: readonly DescribedEdge[];
  /** The peak memory of intermediate values and outputs in bytes, without other memory of the engine. */
  readonly peakBytes: number;
}

/**
 * Describes a graph as its builder made it: inputs, constants, operations and outputs, and the edges between them. An
 * extension of the standard. The description does not include the bytes of constants.
 *
 * @throws {TypeError} if `graph` is not an MLGraph
 *
 * @example
 * ```ts
 * import { describeGraph, ml, MLGraphBuilder } from "@webnn/deno";
 * import { assertEquals } from "@std/assert";
 *
 * const builder = new MLGraphBuilder(await ml.createContext());
 * const x = builder.input("x", { dataType: "float32", shape: [2, 3] });
 * const graph = await builder.build({ y: builder.relu(x) });
 * const { nodes, edges } = describeGraph(graph);
 * assertEquals(nodes.map((node) => node.kind), ["input", "operator", "output"]);
 * assertEquals(edges.map(({ from, to, shape }) => [from, to, shape]), [[0, 1, [2, 3]], [1, 2, [2, 3]]]);
 * ```
 */
export function describeGraph(graph: MLGraph): GraphDescription {
  return describe(graphSlot.convert(graph, "describeGraph: graph"));
}

/** The index of each operation among the described nodes. */
export function operatorPositions({ inputs, constants, nodes }: Graph<unknown>): ReadonlyMap<Node, number> {
  const before = inputs.length + constants.length;
  return new Map(nodes.map((node, i) => [node, before + i]));
}

function describe(state: GraphState): GraphDescription {
  const { source } = state;
  const sources = sourcesOf(source);
  const first = source.inputs.length + source.constants.length;
  const nodes: DescribedNode[] = [
    ...source.inputs.map(({ name, value }) => ({ kind: "input" as const, name, ...tensorOf(value) })),
    ...source.constants.map(({ value }) => ({ kind: "constant" as const, ...tensorOf(value) })),
    ...source.nodes.map((node) => describeNode(node, deviceOf(node, state))),
    ...source.outputs.map(({ name, value }) => ({ kind: "output" as const, name, ...tensorOf(value) })),
  ];
  const edge = (value: Value, to: number, operand: string): DescribedEdge => ({
    ...sources.get(value)!,
    to,
    operand,
    ...tensorOf(value),
  });
  const edges = [
    ...source.nodes.flatMap((node, i) => namedOperands(node).map(([name, value]) => edge(value, first + i, name))),
    ...source.outputs.map(({ value }, i) => edge(value, first + source.nodes.length + i, "")),
  ];
  return { nodes, edges, peakBytes: peakBytes(source) };
}

function describeNode(
  node: Node,
  device: string | undefined,
): DescribedOperator {
  const { operator, label, attributes, outputs } = node;
  return {
    kind: "operator",
    operator,
    label,
    attributes: structuredClone(attributes) as Readonly<Record<string, unknown>>,
    outputs: outputs.map(tensorOf),
    multiplyAdds: costByRow(node).multiplyAdds,
    ...device === undefined ? {} : { device },
  };
}

/**
 * The kind of device that runs a node. If the engine lists the nodes that run on the CPU, all others run on the
 * context's device. If it does not, the device is known only if the whole graph runs on one.
 */
function deviceOf(node: Node, { context, graph: { executable } }: GraphState): string | undefined {
  const { devices, nodesElsewhere } = executable;
  if (devices.length === 1) return devices[0];
  if (nodesElsewhere === undefined || nodesElsewhere.size === 0) return undefined;
  return nodesElsewhere.has(node) ? "cpu" : context.timeline.device.info.device;
}

/** The node that produces each value, and the index among its outputs. */
function sourcesOf(source: Graph<unknown>): Map<Value, { readonly from: number; readonly output: number }> {
  const { inputs, constants } = source;
  const sources = new Map([...inputs, ...constants].map(({ value }, from) => [value, { from, output: 0 }]));
  for (const [node, from] of operatorPositions(source)) {
    node.outputs.forEach((value, output) => sources.set(value, { from, output }));
  }
  return sources;
}

function namedOperands({ operands }: Node): [string, Value][] {
  return Object.entries(operands).flatMap(([name, operand]): [string, Value][] => {
    if (operand === undefined) return [];
    return isList(operand) ? operand.map((value, i) => [`${name}[${i}]`, value]) : [[name, operand]];
  });
}

function tensorOf({ dataType, shape }: DescribedTensor): DescribedTensor {
  return { dataType, shape: [...shape] };
}
