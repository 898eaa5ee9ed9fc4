/**
 * The cost of running operations, computed from their shapes. It is the same for every engine.
 *
 * @module
 */

import { byteLength, elementCount } from "../shape.ts";
import type { Cost, Graph, Node, NodeOperands, Value } from "./graph.ts";

/** The total cost of a graph. */
export function costOf({ nodes }: Graph<unknown>): Cost {
  let [multiplyAdds, bytes] = [0, 0];
  for (const { cost } of nodes) {
    multiplyAdds += cost.multiplyAdds;
    bytes += cost.bytes;
  }
  return { multiplyAdds, bytes };
}

/** The node with the most arithmetic; if none has any, the one with the most memory traffic. */
export function heaviest(nodes: readonly Node[]): Node | undefined {
  const compare = (a: Cost, b: Cost) => b.multiplyAdds - a.multiplyAdds || b.bytes - a.bytes;
  return nodes.toSorted((a, b) => compare(a.cost, b.cost))[0];
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
