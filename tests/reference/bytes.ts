/**
 * Conversions between elements and the bytes of tensors and constants.
 *
 * @module
 */

import { integerLimits } from "./round.ts";
import type { Element, RefDataType } from "./tensor.ts";

const NUMBER_ARRAYS = {
  float32: Float32Array,
  float16: Float16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int8: Int8Array,
  uint8: Uint8Array,
};

const BIGINT_ARRAYS = { int64: BigInt64Array, uint64: BigUint64Array };

/** The typed array that WebNN takes for a data type. Two 4-bit elements share a byte, the first in the low half. */
export function encode(dataType: RefDataType, data: readonly Element[]): ArrayBufferView<ArrayBuffer> {
  if (dataType === "int64" || dataType === "uint64") return BIGINT_ARRAYS[dataType].from(data.map(BigInt));
  if (dataType === "int4" || dataType === "uint4") return packNibbles(data);
  return NUMBER_ARRAYS[dataType].from(data.map(Number));
}

/** Decodes the first `count` elements from bytes. */
export function decode(dataType: RefDataType, count: number, bytes: ArrayBuffer): Element[] {
  if (dataType === "int64" || dataType === "uint64") return [...new BIGINT_ARRAYS[dataType](bytes, 0, count)];
  if (dataType === "int4" || dataType === "uint4") return unpackNibbles(dataType, count, new Uint8Array(bytes));
  return [...new NUMBER_ARRAYS[dataType](bytes, 0, count)];
}

function packNibbles(data: readonly Element[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(data.length / 2));
  data.forEach((element, i) => {
    bytes[i >> 1]! |= (Number(element) & 0xf) << (i % 2 * 4);
  });
  return bytes;
}

function unpackNibbles(dataType: RefDataType, count: number, bytes: Uint8Array): number[] {
  const largest = Number(integerLimits(dataType).max);
  return Array.from({ length: count }, (_, i) => {
    const nibble = bytes[i >> 1]! >> (i % 2 * 4) & 0xf;
    return nibble > largest ? nibble - 16 : nibble;
  });
}
