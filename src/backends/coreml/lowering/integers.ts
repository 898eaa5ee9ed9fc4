/**
 * Integer arithmetic that MIL lacks.
 *
 * @module
 */

import { bitsOf, isFloat, isUnsigned, type MLOperandDataType } from "../../../data_type.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

/** What an integer of a narrow type, computed as int32, is when its bits beyond the type's are lost. */
export function wrapped(x: MilValue, dataType: MLOperandDataType, mil: MilWriter): MilValue {
  if (isFloat(dataType) || bitsOf(dataType) === 32) return x;
  const range = 2 ** bitsOf(dataType);
  const int = (value: number) => mil.scalar("int32", value);
  const low = mil.binary("mod", x, int(range)); // Not negative: the result of mod has the sign of the divisor.
  if (isUnsigned(dataType)) return low;
  const shifted = mil.binary("mod", mil.binary("add", low, int(range / 2)), int(range));
  return mil.binary("sub", shifted, int(range / 2));
}

/** The least power of two of which every greater exponent can do without. */
const EXPONENT_BITS = 6;

/**
 * The power of int32, by squaring and multiplying, which wraps as products do. To a negative exponent it is truncated: 0
 * for all bases but 1 and -1.
 *
 * An exponent of 64 or more is reduced to 64 to 127 with the same low bits. That changes nothing for the bases 0, 1 and -1
 * and even ones, whose power wraps to 0; only for other odd ones, far beyond what the type can hold.
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
