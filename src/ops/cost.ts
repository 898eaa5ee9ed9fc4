/**
 * Common ways to count the cost of an operation.
 *
 * @module
 */

import { bytesOf, elementsOf, traffic } from "../graph/cost.ts";
import type { Cost, NodeOperands, Value } from "../graph/graph.ts";

/** The parts of a node that determine its cost. */
export interface CostedNode<Operands = NodeOperands, Attributes = object> {
  readonly operands: Operands;
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** The given multiply-adds; reads every operand and writes every output once. */
export function computing({ operands, outputs }: CostedNode, multiplyAdds: number): Cost {
  return { multiplyAdds, bytes: traffic(operands, outputs) };
}

/** For operators that move data: no multiply-adds. */
export function moving(node: CostedNode): Cost {
  return computing(node, 0);
}

/** For operators that pick elements, such as gather and slice: of the first operand, reads only the picked elements. */
export function picking({ operands, outputs }: CostedNode): Cost {
  const [, ...indices] = Object.values(operands) as Value[];
  return { multiplyAdds: 0, bytes: bytesOf(indices) + 2 * bytesOf(outputs) };
}

/**
 * `operations` per element of the output; two count as one multiply-add. A function such as the exponential counts as
 * one operation.
 */
export function perOutput(operations: number): (node: CostedNode) => Cost {
  return (node) => computing(node, operations / 2 * elementsOf(node.outputs));
}

/** `operations` per element of the first operand, counted as in {@linkcode perOutput}. */
export function perInput(operations: number): (node: CostedNode) => Cost {
  return (node) => computing(node, operations / 2 * elementsOf([Object.values(node.operands)[0] as Value]));
}
