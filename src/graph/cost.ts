/**
 * The cost of running operations, computed from their shapes. It is the same for every engine.
 *
 * @module
 */

import { byteLength, elementCount } from "../shape.ts";
import type { Cost, Graph, Node, NodeOperands, Value } from "./graph.ts";

/** Computes the cost of a node, by the table that has its operator. */
export type CostOfNode = (node: Node) => Cost;

/** The total cost of a graph. */
export function costOf({ nodes }: Graph<unknown>, costOfNode: CostOfNode): Cost {
  let [multiplyAdds, bytes] = [0, 0];
  for (const node of nodes) {
    const cost = costOfNode(node);
    multiplyAdds += cost.multiplyAdds;
    bytes += cost.bytes;
  }
  return { multiplyAdds, bytes };
}

/** The node with the most arithmetic; if none has any, the one with the most memory traffic. */
export function heaviest(nodes: readonly Node[], costOfNode: CostOfNode): Node | undefined {
  const costs = new Map(nodes.map((node) => [node, costOfNode(node)]));
  const compare = (a: Cost, b: Cost) => b.multiplyAdds - a.multiplyAdds || b.bytes - a.bytes;
  return nodes.toSorted((a, b) => compare(costs.get(a)!, costs.get(b)!))[0];
}

/** The size of all operands and outputs, in bytes. An operand that is passed twice counts once. */
export function traffic(operands: NodeOperands, outputs: readonly Value[]): number {
  const values = new Set<Value>(outputs);
  for (const name in operands) {
    const operand = operands[name];
    if (operand === undefined) continue;
    if ("shape" in operand) values.add(operand);
    else for (const value of operand) values.add(value);
  }
  return bytesOf(values);
}

/** The total size of values, in bytes. */
export function bytesOf(values: Iterable<Value>): number {
  let total = 0;
  for (const value of values) total += byteLength(value);
  return total;
}

/** The total number of elements of values. */
export function elementsOf(values: Iterable<Value>): number {
  let total = 0;
  for (const { shape } of values) total += elementCount(shape);
  return total;
}
