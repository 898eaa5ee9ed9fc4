/**
 * Computations of several steps lose precision in each step. In float16 they would lose too much, so they run in
 * float32.
 *
 * @module
 */

import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/** Applies a function to float32 operands, and casts its results back to the type of the operands. */
export function inFloat32(
  operands: readonly (MilValue | undefined)[],
  compute: (...operands: MilValue[]) => MilValue,
  mil: MilWriter,
): MilValue {
  const [first] = operands as [MilValue, ...MilValue[]];
  const wide = operands.map((operand) => operand && mil.cast(operand, "fp32"));
  return mil.cast(compute(...wide as MilValue[]), first.dataType);
}
