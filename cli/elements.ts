/**
 * The elements of tensors as JavaScript arrays.
 *
 * @module
 */
import type { MLOperandDataType } from "@webnn/deno";
import type { Dimension, TensorData, TensorOutput } from "@webnn/deno/onnx";

/** The array type of each data type. A byte holds two 4-bit integers. */
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

/** Views bytes as an array of their data type. Copies them if they are not aligned. */
export function arrayOf(dataType: MLOperandDataType, bytes: Uint8Array): TensorData {
  const { buffer, byteOffset, byteLength } = isAligned(bytes) ? bytes : bytes.slice();
  const { BYTES_PER_ELEMENT } = ARRAYS[dataType];
  return new ARRAYS[dataType](buffer as ArrayBuffer, byteOffset, byteLength / BYTES_PER_ELEMENT);
}

function isAligned(bytes: Uint8Array): boolean {
  return bytes.byteOffset % 8 === 0;
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The size of a tensor in bytes. */
export function bytesNeeded(dataType: MLOperandDataType, shape: readonly number[]): number {
  const size = sizeOf(shape);
  return dataType === "int4" || dataType === "uint4" ? Math.ceil(size / 2) : size * ARRAYS[dataType].BYTES_PER_ELEMENT;
}

/** Makes an array of elements; 64-bit integers are BigInts. */
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

/** The elements of an output, one number each; 4-bit integers are unpacked. */
export function elementsOf({ data, shape, dataType }: TensorOutput): TensorData {
  if (dataType !== "int4" && dataType !== "uint4") return data;
  const at = (i: number) => Number(data[i >> 1]) >> 4 * (i % 2) & 15;
  if (dataType === "uint4") return Uint8Array.from({ length: sizeOf(shape) }, (_, i) => at(i));
  return Int8Array.from({ length: sizeOf(shape) }, (_, i) => at(i) << 28 >> 28);
}

/** Formats a shape; free dimensions are `?` or a name. */
export function formatShape(shape: readonly Dimension[] | undefined): string {
  return shape === undefined ? "of any rank" : `[${shape.map((size) => size ?? "?").join(", ")}]`;
}
