/**
 * What takes several steps loses a little in each of them, which float16 cannot afford: the steps are done in float32.
 *
 * @module
 */

import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/** Applies a function to operands in float32; its results are of the operands' type again. */
export function inFloat32(
  operands: readonly (MilValue | undefined)[],
  compute: (...operands: MilValue[]) => MilValue,
  mil: MilWriter,
): MilValue {
  const [first] = operands as [MilValue, ...MilValue[]];
  const wide = operands.map((operand) => operand && mil.cast(operand, "fp32"));
  return mil.cast(compute(...wide as MilValue[]), first.dataType);
}
