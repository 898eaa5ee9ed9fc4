/**
 * The element types of ONNX: their numbers in files, their typed arrays, and the types that WebNN uses for them.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 * @module
 */

import type { MLOpSupportLimits } from "../api/support_limits.ts";
import type { MLOperandDataType } from "../data_type.ts";
import { elementCount } from "../shape.ts";
import { unsupported } from "./errors.ts";
import type { ElementType } from "./model.ts";

/** The typed array of each element type that has one. */
export const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** An element type that has a typed array. */
export type PlainType = keyof typeof ARRAYS;

/** Whether an element type has a typed array. */
export function isPlain(type: ElementType): type is PlainType {
  return type in ARRAYS;
}

/** The size of an element in bits; 0 if the importer does not read elements of the type. */
export function elementBits(type: ElementType): number {
  if (isPlain(type)) return 8 * ARRAYS[type].BYTES_PER_ELEMENT;
  return { bfloat16: 16, int4: 4, uint4: 4, string: 0, other: 0 }[type];
}

/** The size in bytes of a tensor of a type and shape. */
export function bytesNeeded(type: ElementType, shape: readonly number[]): number {
  return Math.ceil(elementCount(shape) * elementBits(type) / 8);
}

/** The names in TensorProto.DataType, by number. */
const NAMES: readonly string[] = [
  ...["undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16"],
  ...["float64", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz"],
  ...["float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2"],
];

/** The name of the type with a number in TensorProto.DataType. */
export function typeName(code: number): string {
  return NAMES[code] ?? `type ${code}`;
}

/** The element type with a number in TensorProto.DataType; `undefined` if no type has the number. */
export function elementType(code: number): ElementType | undefined {
  const name = NAMES[code];
  if (code === 0 || name === undefined) return undefined;
  const isRead = name in ARRAYS || ["bfloat16", "int4", "uint4", "string"].includes(name);
  return isRead ? name as ElementType : "other";
}

/** The WebNN data types that replace the element types that WebNN does not have. */
const REPLACEMENTS = {
  bool: "uint8",
  float64: "float32",
  bfloat16: "float32",
  int16: "int32",
  uint16: "int32",
} as const;

/** Per data type, what replaces it in a context that does not support it, in order of preference. */
const SUBSTITUTES: Readonly<Partial<Record<MLOperandDataType, readonly MLOperandDataType[]>>> = {
  int64: ["int32"],
  uint64: ["int64", "uint32", "int32"],
  uint32: ["int64", "int32"],
  int4: ["int8", "int32"],
  uint4: ["uint8", "int32"],
};

/**
 * The data type that WebNN uses for an element type; a bool becomes 0 or 1. If the context does not support the type,
 * this is the first of its `SUBSTITUTES` that the context supports, or the type itself if there is none.
 */
export function operandType(type: ElementType, limits: MLOpSupportLimits): MLOperandDataType {
  if (type === "string" || type === "other") return unsupported("WebNN does not support the element type");
  const wanted: MLOperandDataType = type in REPLACEMENTS ? REPLACEMENTS[type as "bool"] : type as MLOperandDataType;
  const { dataTypes } = limits.constant;
  if (dataTypes.includes(wanted)) return wanted;
  return SUBSTITUTES[wanted]?.find((substitute) => dataTypes.includes(substitute)) ?? wanted;
}
