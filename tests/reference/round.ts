/**
 * The one rounding at the end: from float64 or an exact integer to an element of a data type.
 *
 * @module
 */

import type { Element, RefDataType } from "./tensor.ts";

const INTEGER_BITS: Readonly<Record<Exclude<RefDataType, "float32" | "float16">, number>> = {
  int4: 4,
  uint4: 4,
  int8: 8,
  uint8: 8,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
};

/** Whether the elements are floating-point numbers. */
export function isFloat(dataType: RefDataType): dataType is "float32" | "float16" {
  return dataType === "float32" || dataType === "float16";
}

/** The width of an integer type. */
function integerBits(dataType: RefDataType): number {
  if (isFloat(dataType)) throw new TypeError(`${dataType} is not an integer type`);
  return INTEGER_BITS[dataType];
}

/** The smallest and the largest value of an integer type. */
export function integerLimits(dataType: RefDataType): { readonly min: bigint; readonly max: bigint } {
  const bits = BigInt(integerBits(dataType));
  return dataType.startsWith("uint")
    ? { min: 0n, max: (1n << bits) - 1n }
    : { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n };
}

/** The low bits of an integer, read as two's complement or unsigned: how integer arithmetic overflows. */
function wrap(dataType: RefDataType, value: bigint): Element {
  const bits = integerBits(dataType);
  const wrapped = dataType.startsWith("uint") ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  return bits === 64 ? wrapped : Number(wrapped);
}

/** Round to the nearest float16 or float32, ties to even; wrap integers to the type. */
export function roundTo(dataType: RefDataType, value: Element): Element {
  if (!isFloat(dataType)) return wrap(dataType, BigInt(value));
  const float = typeof value === "bigint" ? toOddFloat64(value) : value;
  return dataType === "float32" ? Math.fround(float) : Math.f16round(float);
}

/** A float as the integer type's value: truncated, saturated, NaN to 0. Also how WPT converts `MLNumber` parameters. */
export function saturate(dataType: RefDataType, value: Element): Element {
  const { min, max } = integerLimits(dataType);
  if (Number.isNaN(value)) return roundTo(dataType, 0);
  if (value <= min) return roundTo(dataType, min);
  if (value >= max) return roundTo(dataType, max);
  return roundTo(dataType, typeof value === "bigint" ? value : Math.trunc(value));
}

/** Round to the nearest integer, ties to even, keeping infinities, NaN and the sign of zero. */
export function roundEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  const up = fraction > 0.5 || (fraction === 0.5 && floor % 2 !== 0);
  const rounded = Number.isFinite(value) ? (up ? floor + 1 : floor) : value;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

/** An integer as a float64 rounded to odd, so that a second rounding to float32 gives the correctly rounded result. */
function toOddFloat64(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const excess = Math.max(0, magnitude.toString(2).length - 53);
  const kept = magnitude >> BigInt(excess);
  const sticky = kept << BigInt(excess) === magnitude ? 0n : 1n;
  return (value < 0n ? -1 : 1) * Number(kept | sticky) * 2 ** excess;
}
