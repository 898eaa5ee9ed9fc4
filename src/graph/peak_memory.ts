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
  for (let i = 0; i < nodes.length; i++) for (const value of operands[i]!) lastUse.set(value, i);
  for (const { value } of outputs) lastUse.set(value, nodes.length);
  const fixed = new Set(constants.map(({ value }) => value));
  const isFixed = (value: Value) => fixed.has(value);
  /** The bytes that are freed after each node. */
  const freed = new Array<number>(nodes.length + 1).fill(0);
  let alive = 0;
  let peak = 0;
  for (let i = 0; i < nodes.length; i++) {
    const areFixed = operands[i]!.every(isFixed);
    for (const output of nodes[i]!.outputs) {
      const bytes = byteLength(output);
      alive += bytes;
      if (areFixed) fixed.add(output);
      else freed[lastUse.get(output) ?? i]! += bytes;
    }
    peak = Math.max(peak, alive);
    alive -= freed[i]!;
  }
  return peak;
}
