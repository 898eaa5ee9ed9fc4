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

/** `multiplyAdds` as given; every operand and output is read or written once. */
export function computing({ operands, outputs }: CostedNode, multiplyAdds: number): Cost {
  return { multiplyAdds, bytes: traffic(operands, outputs) };
}

/** Elements are moved, nothing is computed. */
export function moving(node: CostedNode): Cost {
  return computing(node, 0);
}

/** Elements of the first operand are picked by index: only the picked ones are read. */
export function picking({ operands, outputs }: CostedNode): Cost {
  const [, ...indices] = Object.values(operands) as Value[];
  return { multiplyAdds: 0, bytes: bytesOf(indices) + 2 * bytesOf(outputs) };
}

/** `operations` for each element of the output; a function such as the exponential counts as one. */
export function perOutput(operations: number): (node: CostedNode) => Cost {
  return (node) => computing(node, operations / 2 * elementsOf(node.outputs));
}

/** `operations` for each element of the first operand. */
export function perInput(operations: number): (node: CostedNode) => Cost {
  return (node) => computing(node, operations / 2 * elementsOf([Object.values(node.operands)[0] as Value]));
}
