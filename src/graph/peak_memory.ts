/**
 * Computes the memory that a graph's intermediate values and outputs need.
 *
 * @module
 */

import { byteLength } from "../shape.ts";
import { type Graph, operandsOf, type Value } from "./graph.ts";

/**
 * The peak memory of computed values. Each value is freed after its last use, with two exceptions: outputs, and
 * values that depend only on constants. The engine computes those once, when it creates the session, and keeps them.
 */
export function peakBytes({ constants, nodes, outputs }: Graph<unknown>): number {
  const lastUse = new Map<Value, number>();
  const operands = nodes.map(operandsOf);
  operands.forEach((values, i) => {
    for (const value of values) lastUse.set(value, i);
  });
  for (const { value } of outputs) lastUse.set(value, nodes.length);
  const fixed = new Set(constants.map(({ value }) => value));
  const freed = new Map<number, Value[]>();
  let alive = 0;
  let peak = 0;
  nodes.forEach((node, i) => {
    const isFixed = operands[i]!.every((operand) => fixed.has(operand));
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
