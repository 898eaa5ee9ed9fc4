/**
 * How rows count the cost of an operation.
 *
 * @module
 */

import { bytesOf, elementsOf, traffic } from "../graph/cost.ts";
import type { Cost, NodeOperands, Value } from "../graph/graph.ts";

/** The parts of a node from which its cost follows. */
export interface CostedNode<Operands = NodeOperands, Attributes = object> {
  readonly operands: Operands;
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** So many multiply-adds, and all operands and outputs moved once. */
export function computing({ operands, outputs }: CostedNode, multiplyAdds: number): Cost {
  return { multiplyAdds, bytes: traffic(operands, outputs) };
}

/** Elements move, nothing is computed. */
export function moving(node: CostedNode): Cost {
  return computing(node, 0);
}

/** Elements of the first operand that are picked by position: those that are left out are not read. */
export function picking({ operands, outputs }: CostedNode): Cost {
  const [, ...positions] = Object.values(operands) as Value[];
  return { multiplyAdds: 0, bytes: bytesOf(positions) + 2 * bytesOf(outputs) };
}

/** So many operations for each element of the output; a function such as the exponential counts as one. */
export function perOutput(operations: number): (node: CostedNode) => Cost {
  return (node) => computing(node, operations / 2 * elementsOf(node.outputs));
}

/** So many operations for each element of the first operand. */
export function perInput(operations: number): (node: CostedNode) => Cost {
  return (node) => computing(node, operations / 2 * elementsOf([Object.values(node.operands)[0] as Value]));
}
