/**
 * The single rounding at the end: from float64 or an exact integer to an element of a data type.
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

/** The width of an integer type, in bits. */
function integerBits(dataType: RefDataType): number {
  if (isFloat(dataType)) throw new TypeError(`${dataType} is not an integer type`);
  return INTEGER_BITS[dataType];
}

/** The minimum and maximum of an integer type. */
export function integerLimits(dataType: RefDataType): { readonly min: bigint; readonly max: bigint } {
  const bits = BigInt(integerBits(dataType));
  return dataType.startsWith("uint")
    ? { min: 0n, max: (1n << bits) - 1n }
    : { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n };
}

/** Wraps an integer to the range of the type, as in integer overflow. */
function wrap(dataType: RefDataType, value: bigint): Element {
  const bits = integerBits(dataType);
  const wrapped = dataType.startsWith("uint") ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  return bits === 64 ? wrapped : Number(wrapped);
}

/** Rounds to the nearest float16 or float32, ties to even. Wraps integers to the range of the type. */
export function roundTo(dataType: RefDataType, value: Element): Element {
  if (!isFloat(dataType)) return wrap(dataType, BigInt(value));
  const float = typeof value === "bigint" ? toOddFloat64(value) : value;
  return dataType === "float32" ? Math.fround(float) : Math.f16round(float);
}

/**
 * Converts a float to an integer type: truncates and saturates; NaN gives 0. WPT converts `MLNumber` parameters this
 * way.
 */
export function saturate(dataType: RefDataType, value: Element): Element {
  const { min, max } = integerLimits(dataType);
  if (Number.isNaN(value)) return roundTo(dataType, 0);
  if (value <= min) return roundTo(dataType, min);
  if (value >= max) return roundTo(dataType, max);
  return roundTo(dataType, typeof value === "bigint" ? value : Math.trunc(value));
}

/** Rounds to the nearest integer, ties to even. Keeps infinities, NaN and the sign of zero. */
export function roundEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  const up = fraction > 0.5 || (fraction === 0.5 && floor % 2 !== 0);
  const rounded = Number.isFinite(value) ? (up ? floor + 1 : floor) : value;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

/**
 * Rounds an integer to float64 with round-to-odd, so that rounding again to float32 gives the correctly rounded result.
 */
function toOddFloat64(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const excess = Math.max(0, magnitude.toString(2).length - 53);
  const kept = magnitude >> BigInt(excess);
  const sticky = kept << BigInt(excess) === magnitude ? 0n : 1n;
  return (value < 0n ? -1 : 1) * Number(kept | sticky) * 2 ** excess;
}
