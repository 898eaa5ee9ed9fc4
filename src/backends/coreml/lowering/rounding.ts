/**
 * Rounding to the nearest integer, ties to even.
 *
 * @module
 */

import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/**
 * MIL's round breaks ties differently on the GPU and the Neural Engine. So: round down, and add 1 if the rest is more
 * than ½, or if it is ½ and the number is odd. Infinity and NaN have no rest and stay as they are.
 */
export function roundEven(x: MilValue, mil: MilWriter): MilValue {
  const scalar = (value: number) => mil.scalar(x.dataType, value);
  const down = mil.unary("floor", x);
  const rest = mil.binary("sub", x, down);
  const half = mil.binary("mul", down, scalar(0.5));
  const isOdd = mil.predicate("greater", half, mil.unary("floor", half));
  const isTie = mil.predicate("equal", rest, scalar(0.5));
  const isUp = mil.predicate(
    "logical_or",
    mil.predicate("greater", rest, scalar(0.5)),
    mil.predicate("logical_and", isTie, isOdd),
  );
  return mil.select(isUp, mil.binary("add", down, scalar(1)), down);
}
