/**
 * MLNumber: a number or BigInt argument, which is cast to the data type of an operand.
 *
 * @module
 */

import { integerRange, is64Bit, type MLOperandDataType } from "../data_type.ts";

/** A number; for 64-bit integers also a BigInt, which represents them exactly. */
export type Scalar = number | bigint;

/**
 * Why a value cannot be cast to a data type; `undefined` if it can. As in WPT, a BigInt can only become a 64-bit
 * integer.
 */
export function castProblem(value: Scalar, dataType: MLOperandDataType): string | undefined {
  return typeof value === "bigint" && !is64Bit(dataType) ? `must be a number for ${dataType}, not a BigInt` : undefined;
}

/**
 * Casts a number to a data type. To float: rounds to nearest, ties to even; overflow gives infinity. To integer:
 * truncates and clamps to the range of the type; NaN becomes 0. WPT truncates fractions; the standard rounds them.
 * @see https://www.w3.org/TR/webnn/#algorithms-casting
 */
export function castNumber(value: Scalar, dataType: MLOperandDataType): Scalar {
  if (dataType === "float32") return Math.fround(Number(value));
  if (dataType === "float16") return Math.f16round(Number(value));
  const { min, max } = integerRange(dataType);
  const integer = typeof value === "bigint" ? value : truncate(value, min, max);
  const clamped = integer < min ? min : integer > max ? max : integer;
  return is64Bit(dataType) ? clamped : Number(clamped);
}

function truncate(value: number, min: bigint, max: bigint): bigint {
  if (Number.isNaN(value)) return 0n;
  if (value === Infinity) return max;
  if (value === -Infinity) return min;
  return BigInt(Math.trunc(value));
}

/** The little-endian bytes of a result of {@linkcode castNumber}. */
export function scalarBytes(value: Scalar, dataType: MLOperandDataType): Uint8Array {
  return new Uint8Array(scalarArray(value, dataType).buffer);
}

function scalarArray(value: Scalar, dataType: MLOperandDataType) {
  if (is64Bit(dataType)) return BigInt64Array.of(BigInt.asIntN(64, BigInt(value)));
  const number = Number(value);
  switch (dataType) {
    case "float32":
      return Float32Array.of(number);
    case "float16":
      return Float16Array.of(number);
    case "int32":
    case "uint32":
      return Int32Array.of(number);
    default:
      return Int8Array.of(number);
  }
}
