/**
 * Makes the bytes of constants: from numbers, transposed, or converted.
 *
 * @module
 */

import { elementCount, type Shape } from "../../shape.ts";
import type { MilConstant, MilType } from "./mil.ts";

/** The bytes of a tensor, little-endian. A single value fills the whole shape. */
export function constantBytes(dataType: MilType, shape: Shape, values: readonly number[]): Uint8Array {
  const array = elementArray(dataType, elementCount(shape));
  if (values.length === 1) array.fill(values[0]!);
  else array.set(values);
  return new Uint8Array(array.buffer);
}

function elementArray(dataType: MilType, count: number) {
  switch (dataType) {
    case "fp32":
      return new Float32Array(count);
    case "fp16":
      return new Float16Array(count);
    case "int32":
      return new Int32Array(count);
    case "int8":
      return new Int8Array(count);
    case "uint8":
    case "bool":
      return new Uint8Array(count);
    default:
      throw new TypeError(`A lowering must not make constants of ${dataType}`);
  }
}

/** A view of the elements of a constant. */
export function elementsOf({ name, dataType, data }: MilConstant): ArrayLike<number> {
  if (typeof data === "string") throw new TypeError(`The constant ${name} is a string`);
  switch (dataType) {
    case "fp32":
      return viewOf(Float32Array, data);
    case "fp16":
      return viewOf(Float16Array, data);
    case "int32":
      return viewOf(Int32Array, data);
    case "int8":
      return viewOf(Int8Array, data);
    default:
      return data;
  }
}

interface View<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** A view of bytes that start at the beginning of their buffer, so that they are aligned. */
function viewOf<T>(View: View<T>, bytes: Uint8Array): T {
  return new View(bytes.buffer, bytes.byteOffset, bytes.byteLength / View.BYTES_PER_ELEMENT);
}

/** Converts float32 to float16: rounds to nearest, overflow gives infinity. */
export function halfPrecision(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(new Float16Array(viewOf(Float32Array, bytes)).buffer);
}

/** Transposes the elements. */
export function transposeBytes(bytes: Uint8Array, shape: Shape, permutation: readonly number[]): Uint8Array {
  const output = new Uint8Array(bytes.byteLength);
  const width = bytes.byteLength / elementCount(shape);
  const Units = width === 4 ? Uint32Array : width === 2 ? Uint16Array : Uint8Array;
  transposeElements(viewOf<Uint8Array | Uint16Array | Uint32Array>(Units, bytes), new Units(output.buffer), {
    sizes: permutation.map((axis) => shape[axis]!),
    strides: permutation.map((axis) => elementCount(shape.slice(axis + 1))),
  });
  return output;
}

type Elements = Uint8Array | Uint16Array | Uint32Array;

/** Walks the output in order, and the source by its strides. */
function transposeElements(
  source: Elements,
  target: Elements,
  { sizes, strides }: { readonly sizes: readonly number[]; readonly strides: readonly number[] },
): void {
  const last = sizes.length - 1;
  const [rowSize, rowStride] = [sizes[last]!, strides[last]!];
  const position = sizes.map(() => 0);
  let start = 0;
  for (let written = 0; written < target.length; written += rowSize) {
    for (let i = 0, from = start; i < rowSize; i++, from += rowStride) target[written + i] = source[from]!;
    for (let axis = last - 1; axis >= 0; axis--) {
      start += strides[axis]!;
      if (++position[axis]! < sizes[axis]!) break;
      start -= strides[axis]! * sizes[axis]!;
      position[axis] = 0;
    }
  }
}
