/**
 * Integer arithmetic that MIL lacks.
 *
 * @module
 */

import { bitsOf, isFloat, isUnsigned, type MLOperandDataType } from "../../../data_type.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/** Wraps an int32 value to the range of a narrower type: keeps its low bits. */
export function wrapped(x: MilValue, dataType: MLOperandDataType, mil: MilWriter): MilValue {
  if (isFloat(dataType) || bitsOf(dataType) === 32) return x;
  const range = 2 ** bitsOf(dataType);
  const int = (value: number) => mil.scalar("int32", value);
  const low = mil.binary("mod", x, int(range)); // `mod` has the sign of the divisor, so this is not negative.
  if (isUnsigned(dataType)) return low;
  const shifted = mil.binary("mod", mil.binary("add", low, int(range / 2)), int(range));
  return mil.binary("sub", shifted, int(range / 2));
}

/** The number of exponent bits that matter: see below. */
const EXPONENT_BITS = 6;

/**
 * The power of int32, by squaring and multiplying; it wraps like products do. A negative exponent gives 0, except for
 * the bases 1 and −1.
 *
 * An exponent of 64 or more is reduced to 64 to 127 with the same low bits. That does not change the result for the
 * bases 0, 1 and −1, nor for even bases, whose power wraps to 0. It does for other odd bases, whose power is far beyond
 * the range of the type.
 */
export function integerPower(base: MilValue, exponent: MilValue, mil: MilWriter): MilValue {
  const int = (value: number) => mil.scalar("int32", value);
  const limit = 2 ** EXPONENT_BITS;
  const low = mil.binary("mod", exponent, int(limit));
  let bits = mil.binary("minimum", exponent, mil.binary("add", low, int(limit)));
  const isWhole = mil.predicate(
    "logical_or",
    mil.predicate("greater_equal", exponent, int(0)),
    mil.predicate("equal", mil.unary("abs", base), int(1)),
  );
  let power: MilValue | undefined;
  let square = base;
  for (let bit = 0; bit <= EXPONENT_BITS; bit++) {
    const isSet = mil.cast(mil.binary("mod", bits, int(2)), "bool");
    const factor = mil.select(isSet, square, int(1));
    power = power === undefined ? factor : mil.binary("mul", power, factor);
    if (bit === EXPONENT_BITS) break;
    square = mil.binary("mul", square, square);
    bits = mil.binary("floor_div", bits, int(2));
  }
  return mil.select(isWhole, power!, int(0));
}
