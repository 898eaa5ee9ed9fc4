/**
 * The elements of tensors in JavaScript's arrays.
 *
 * @module
 */
import type { MLOperandDataType } from "@webnn/deno";
import type { Dimension, TensorData, TensorOutput } from "@webnn/deno/onnx";

/** The array of each data type. Integers of four bits lie two in a byte. */
const ARRAYS = {
  float32: Float32Array,
  float16: Float16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int4: Uint8Array,
  uint4: Uint8Array,
} as const satisfies Record<MLOperandDataType, unknown>;

/** Bytes as an array of their data type; they are copied if they lie at odd places. */
export function arrayOf(dataType: MLOperandDataType, bytes: Uint8Array): TensorData {
  const { buffer, byteOffset, byteLength } = byteOffsetFits(bytes) ? bytes : bytes.slice();
  const { BYTES_PER_ELEMENT } = ARRAYS[dataType];
  return new ARRAYS[dataType](buffer as ArrayBuffer, byteOffset, byteLength / BYTES_PER_ELEMENT);
}

function byteOffsetFits(bytes: Uint8Array): boolean {
  return bytes.byteOffset % 8 === 0;
}

/** How many elements a shape has. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The bytes of a tensor. */
export function bytesNeeded(dataType: MLOperandDataType, shape: readonly number[]): number {
  const size = sizeOf(shape);
  return dataType === "int4" || dataType === "uint4" ? Math.ceil(size / 2) : size * ARRAYS[dataType].BYTES_PER_ELEMENT;
}

/** Elements made one after the other; of integers of 64 bits they are BigInts. */
export function makeElements(
  dataType: MLOperandDataType,
  count: number,
  element: (index: number) => number | bigint,
): TensorData {
  const array = new ARRAYS[dataType](dataType === "int4" || dataType === "uint4" ? Math.ceil(count / 2) : count);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    for (let i = 0; i < count; i++) array[i] = BigInt(element(i));
  } else if (dataType === "int4" || dataType === "uint4") {
    for (let i = 0; i < count; i++) array[i >> 1]! |= (Number(element(i)) & 15) << 4 * (i % 2);
  } else {
    for (let i = 0; i < count; i++) array[i] = Number(element(i));
  }
  return array;
}

/** The elements of an output, one number each: those of four bits are taken apart. */
export function elementsOf({ data, shape, dataType }: TensorOutput): TensorData {
  if (dataType !== "int4" && dataType !== "uint4") return data;
  const at = (i: number) => Number(data[i >> 1]) >> 4 * (i % 2) & 15;
  if (dataType === "uint4") return Uint8Array.from({ length: sizeOf(shape) }, (_, i) => at(i));
  return Int8Array.from({ length: sizeOf(shape) }, (_, i) => at(i) << 28 >> 28);
}

/** A shape for people; dimensions may be free. */
export function formatShape(shape: readonly Dimension[] | undefined): string {
  return shape === undefined ? "of any rank" : `[${shape.map((size) => size ?? "?").join(", ")}]`;
}
