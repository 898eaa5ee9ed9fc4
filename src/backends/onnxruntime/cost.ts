/**
 * An estimate of how long a graph runs, from its operators: enough to tell a graph that may run at once on the calling
 * thread from one that would block the event loop.
 *
 * @module
 */

import { type Graph, type Node, operandsOf, type Value } from "../../graph/graph.ts";
import { elementCount } from "../../shape.ts";

/** Elements that one core reads or writes in a microsecond, and multiply-adds that it does: cautious figures. */
const ELEMENTS_PER_MICROSECOND = 1000;
const MULTIPLY_ADDS_PER_MICROSECOND = 5000;
/** What the engine spends on a node that has nothing to do. */
const MICROSECONDS_PER_NODE = 0.5;

/** The estimated run time in microseconds. */
export function estimateMicroseconds(graph: Graph<unknown>): number {
  return graph.nodes.reduce((total, node) => total + estimateNode(node), 0);
}

function estimateNode(node: Node): number {
  const elements = sum(operandsOf(node)) + sum(node.outputs);
  return MICROSECONDS_PER_NODE + elements / ELEMENTS_PER_MICROSECOND +
    multiplyAdds(node) / MULTIPLY_ADDS_PER_MICROSECOND;
}

function sum(values: readonly Value[]): number {
  return values.reduce((total, { shape }) => total + elementCount(shape), 0);
}

/** Multiply-adds of the operators that do more than a few of them for each element. */
function multiplyAdds({ operator, operands, outputs }: Node): number {
  const output = elementCount(outputs[0]!.shape);
  const elements = (name: string) => elementCount((operands[name] as Value).shape);
  switch (operator) {
    case "matmul":
      return output * (operands["a"] as Value).shape.at(-1)!;
    case "gemm":
      return Math.sqrt(output * elements("a") * elements("b")); // √(MN · MK · KN) = MNK
    case "conv2d":
    case "convTranspose2d":
      // Every element of the filter meets every position, but those of one group only.
      return Math.max(output, elements("input")) * elements("filter") /
        Math.min(...(operands["filter"] as Value).shape);
    case "gru":
    case "gruCell":
    case "lstm":
    case "lstmCell":
      return (elements("weight") + elements("recurrentWeight")) * elements("input");
    case "averagePool2d":
    case "l2Pool2d":
    case "maxPool2d":
      return elements("input") * 9;
    default:
      return 0;
  }
}
