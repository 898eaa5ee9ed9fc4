/**
 * The work of a graph, counted from its operators: the same whoever does it, and however.
 *
 * @module
 */
import { type Graph, type Node, operandsOf, type Value } from "../../src/graph/graph.ts";
import type { NodeOf } from "../../src/ops/operators.ts";
import { byteLength, elementCount } from "../../src/shape.ts";

/** What one run of a graph has to do. */
export interface Work {
  readonly operators: number;
  /** Floating-point operations; a multiply-add is two. */
  readonly flop: number;
  /** Bytes that the operators read and write, each operand and result once. An engine that fuses them moves fewer. */
  readonly bytes: number;
  /** Bytes of the constants. */
  readonly weightBytes: number;
}

/** Counts the work of a graph. Throws for an operator that has no rule here. */
export function workOf({ nodes, constants }: Graph<unknown>): Work {
  return {
    operators: nodes.length,
    flop: sum(nodes, flopOf),
    bytes: sum(nodes, (node) => sum(new Set([...operandsOf(node), ...node.outputs]), byteLength)),
    weightBytes: sum(constants, ({ value }) => byteLength(value)),
  };
}

/** The work of a run in words: `3.0 MFLOP, 30.1 MB`. */
export function describeRun({ flop, bytes }: Work): string {
  return `${(flop / 1e6).toFixed(1)} MFLOP, ${(bytes / 1e6).toFixed(1)} MB`;
}

function flopOf(node: Node): number {
  const output = elements(node.outputs[0]!);
  switch (node.operator) {
    case "cast":
    case "concat":
    case "reshape":
    case "transpose":
      return 0;
    case "abs":
    case "add":
    case "div":
    case "max":
    case "mul":
    case "relu":
    case "sqrt":
    case "sub":
      return output;
    case "sigmoid":
      return 4 * output; // Negate, exponentiate, add, divide.
    case "reduceMax":
    case "reduceSum":
      return sum(operandsOf(node), elements);
    case "instanceNormalization":
    case "layerNormalization":
      return 8 * output; // Add up, subtract, square and add, divide and take the root, scale and shift.
    case "clamp":
      return 2 * output;
    case "softmax":
      return 5 * output; // Find the greatest, subtract it, exponentiate, add up, divide.
    case "averagePool2d":
    case "maxPool2d":
      return poolFlop(node as NodeOf<"averagePool2d" | "maxPool2d">, output);
    case "conv2d":
      return convolutionFlop(node as NodeOf<"conv2d">, output);
    case "gemm":
      return gemmFlop(node as NodeOf<"gemm">, output);
    case "gru":
    case "lstm":
      return recurrentFlop(node as NodeOf<"gru" | "lstm">);
    case "matmul":
      return 2 * output * (node as NodeOf<"matmul">).operands.a.shape.at(-1)!;
    default:
      throw new Error(`workOf: no rule for ${node.operator}`);
  }
}

function poolFlop({ attributes }: NodeOf<"averagePool2d" | "maxPool2d">, output: number): number {
  return output * elementCount(attributes.windowDimensions); // As many less one additions, and a division.
}

/** The two products of each step; beside them, the gates are next to nothing. */
function recurrentFlop({ operands: { input, weight, recurrentWeight } }: NodeOf<"gru" | "lstm">): number {
  const [steps, batch] = input.shape as [number, number, number];
  return 2 * steps * batch * (elements(weight) + elements(recurrentWeight));
}

function convolutionFlop({ operands: { filter, bias }, attributes }: NodeOf<"conv2d">, output: number): number {
  const outputChannels = filter.shape[attributes.filterLayout.indexOf("o")]!;
  return 2 * output * elements(filter) / outputChannels + (bias ? output : 0);
}

function gemmFlop({ operands: { a, c }, attributes }: NodeOf<"gemm">, output: number): number {
  const inner = a.shape[attributes.aTranspose ? 0 : 1]!;
  return 2 * output * inner + (c ? output : 0);
}

function elements(value: Value): number {
  return elementCount(value.shape);
}

function sum<T>(items: Iterable<T>, measure: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += measure(item);
  return total;
}
