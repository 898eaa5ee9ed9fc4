/**
 * The data types of operands, and their properties.
 *
 * @module
 */

/**
 * The data type of the elements of an operand or tensor.
 *
 * int4 and uint4 are an extension. The standard's enumeration does not have them, but its tests use them if
 * `opSupportLimits()` lists them. Two elements share a byte, the first in the low half. If their number is odd, the
 * last byte holds one element.
 * @see https://www.w3.org/TR/webnn/#enumdef-mloperanddatatype
 */
export type MLOperandDataType =
  | "float32"
  | "float16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "int8"
  | "uint8"
  | "int4"
  | "uint4";

/** Every data type of the standard, in the order of its enumeration. */
export const DATA_TYPES: readonly MLOperandDataType[] = [
  "float32",
  "float16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "int8",
  "uint8",
];

/** The data types that extend the standard. */
export const FOUR_BIT_DATA_TYPES: readonly ("int4" | "uint4")[] = ["int4", "uint4"];

const BITS: Readonly<Record<MLOperandDataType, number>> = {
  float32: 32,
  float16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  int8: 8,
  uint8: 8,
  int4: 4,
  uint4: 4,
};

/** The typed arrays that hold elements of a data type. float16 may also be a Uint16Array of the bits. */
export const VIEW_NAMES: Readonly<Record<MLOperandDataType, readonly string[]>> = {
  float32: ["Float32Array"],
  float16: ["Float16Array", "Uint16Array"],
  int32: ["Int32Array"],
  uint32: ["Uint32Array"],
  int64: ["BigInt64Array"],
  uint64: ["BigUint64Array"],
  int8: ["Int8Array"],
  uint8: ["Uint8Array"],
  int4: ["Uint8Array"],
  uint4: ["Uint8Array"],
};

/** The width of one element in bits. */
export function bitsOf(dataType: MLOperandDataType): number {
  return BITS[dataType];
}

/** Whether elements are floating-point numbers. */
export function isFloat(dataType: MLOperandDataType): boolean {
  return dataType === "float32" || dataType === "float16";
}

/** Whether elements are unsigned integers. */
export function isUnsigned(dataType: MLOperandDataType): boolean {
  return dataType.startsWith("uint");
}

/** Whether elements are 64-bit integers, which JavaScript holds as BigInt. */
export function is64Bit(dataType: MLOperandDataType): boolean {
  return dataType === "int64" || dataType === "uint64";
}

/**
 * The smallest and the largest integer of an integer data type.
 * @throws {TypeError} for a floating-point type
 */
export function integerRange(dataType: MLOperandDataType): { readonly min: bigint; readonly max: bigint } {
  if (isFloat(dataType)) throw new TypeError(`${dataType} is not an integer type`);
  const bits = BigInt(bitsOf(dataType));
  return isUnsigned(dataType)
    ? { min: 0n, max: (1n << bits) - 1n }
    : { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n };
}
