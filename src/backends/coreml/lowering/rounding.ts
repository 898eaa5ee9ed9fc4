/**
 * Rounding to the nearest whole number, ties to even.
 *
 * @module
 */

import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/**
 * Not by MIL's round, which decides ties otherwise on a GPU and the Neural Engine: down, and one up if more than a half is
 * left, or if a half is left of an odd number. What is infinite or not a number leaves nothing, and stays.
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
