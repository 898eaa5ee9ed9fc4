/**
 * Core ML's arrays hold float32, float16 and int32. Narrower integers are widened to int32 for inputs and outputs.
 *
 * @module
 */

import type { MLOperandDataType } from "../../data_type.ts";

/** The data types that are int32 in a program. */
export type NarrowDataType = "int8" | "uint8" | "int4" | "uint4";

/** Whether the elements of a tensor must be widened for Core ML. */
export function isNarrow(dataType: MLOperandDataType): dataType is NarrowDataType {
  return dataType === "int8" || dataType === "uint8" || dataType === "int4" || dataType === "uint4";
}

/** Converts the elements of a tensor to int32. */
export function widen(dataType: NarrowDataType, bytes: Uint8Array, target: Int32Array): void {
  const isSigned = dataType === "int8" || dataType === "int4";
  if (dataType === "int4" || dataType === "uint4") {
    for (let i = 0; i < target.length; i++) {
      const nibble = bytes[i >> 1]! >> 4 * (i % 2) & 15;
      target[i] = isSigned ? nibble << 28 >> 28 : nibble;
    }
    return;
  }
  for (let i = 0; i < target.length; i++) target[i] = isSigned ? bytes[i]! << 24 >> 24 : bytes[i]!;
}

/** Converts int32 elements, all in the range of the type, to those of a tensor. */
export function narrow(dataType: NarrowDataType, source: Int32Array, target: Uint8Array): void {
  if (dataType === "int4" || dataType === "uint4") {
    for (let i = 0; i < target.length; i++) {
      target[i] = source[2 * i]! & 15 | (source[2 * i + 1] ?? 0) << 4;
    }
    return;
  }
  for (let i = 0; i < target.length; i++) target[i] = source[i]!;
}
