/**
 * The memory for a graph's intermediate values and outputs.
 *
 * @module
 */

import { byteLength } from "../shape.ts";
import { type Graph, operandsOf, type Value } from "./graph.ts";

/**
 * The peak memory of computed values. Each is freed after its last use, except outputs, and except values computed from
 * constants alone, which the engine computes when it creates the session, and keeps.
 */
export function peakBytes({ constants, nodes, outputs }: Graph<unknown>): number {
  const lastUse = new Map<Value, number>();
  nodes.forEach((node, i) => {
    for (const operand of operandsOf(node)) lastUse.set(operand, i);
  });
  for (const { value } of outputs) lastUse.set(value, nodes.length);
  const fixed = new Set(constants.map(({ value }) => value));
  const freed = new Map<number, Value[]>();
  let alive = 0;
  let peak = 0;
  nodes.forEach((node, i) => {
    const isFixed = operandsOf(node).every((operand) => fixed.has(operand));
    for (const output of node.outputs) {
      alive += byteLength(output);
      if (isFixed) fixed.add(output);
      else freed.getOrInsertComputed(lastUse.get(output) ?? i, () => []).push(output);
    }
    peak = Math.max(peak, alive);
    for (const value of freed.get(i) ?? []) alive -= byteLength(value);
  });
  return peak;
}
