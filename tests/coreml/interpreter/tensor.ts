/**
 * Values of a running program: typed arrays in row-major order, and offsets into them.
 *
 * Values are computed in float64 and rounded once, when they are stored: a Float32Array rounds to fp32, a Float16Array
 * to fp16; an Int32Array wraps.
 *
 * @module
 */

import type { MilConstant, MilTensorType, MilType } from "../../../src/backends/coreml/mil.ts";
import { elementCount, formatShape, type Shape } from "../../../src/shape.ts";

/** Numeric types. A `bool` is 0 or 1; a 4-bit integer takes a byte here. */
export type NumericType = Exclude<MilType, "string">;

/** The elements of a tensor. */
export type Elements = Float32Array | Float16Array | Int32Array | Int8Array | Uint8Array;

/** A tensor. The elements of a constant are views of the program's bytes and must not be changed. */
export interface Tensor {
  readonly dataType: NumericType;
  readonly shape: Shape;
  readonly data: Elements;
}

const ARRAYS = {
  fp32: Float32Array,
  fp16: Float16Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int4: Int8Array,
  uint4: Uint8Array,
  bool: Uint8Array,
};

/** Whether elements are floating-point numbers. */
export function isFloat(dataType: MilType): boolean {
  return dataType === "fp32" || dataType === "fp16";
}

/** A tensor of zeros, to be filled. */
export function zeros(dataType: NumericType, shape: Shape): Tensor {
  return { dataType, shape, data: new ARRAYS[dataType](elementCount(shape)) };
}

/** A tensor of the given numbers, each rounded to the type. */
export function tensorOf(dataType: NumericType, shape: Shape, values: ArrayLike<number>): Tensor {
  if (values.length !== elementCount(shape)) {
    throw new TypeError(`${values.length} elements do not fill ${formatShape(shape)}`);
  }
  const tensor = zeros(dataType, shape);
  tensor.data.set(values);
  return tensor;
}

/** The same elements with another shape. */
export function withShape(tensor: Tensor, shape: Shape): Tensor {
  if (elementCount(shape) !== tensor.data.length) {
    throw new TypeError(`${formatShape(tensor.shape)} cannot become ${formatShape(shape)}`);
  }
  return { ...tensor, shape };
}

/** A type as text: `fp32 [2, 3]`. */
export function formatType({ dataType, shape }: MilTensorType): string {
  return `${dataType} ${formatShape(shape)}`;
}

/** The elements of a constant that is not a string. */
export function tensorOfConstant({ name, dataType, shape, data }: MilConstant): Tensor {
  if (dataType === "string" || typeof data === "string") throw new TypeError(`constant ${name} is not a tensor`);
  return tensorOfBytes(name, { dataType, shape }, data);
}

/** The elements in bytes, row-major and little-endian; two 4-bit integers per byte, the first in the low half. */
export function tensorOfBytes(name: string, type: MilTensorType, bytes: Uint8Array): Tensor {
  const { shape } = type;
  const dataType = type.dataType as NumericType;
  const count = elementCount(shape);
  const packed = dataType === "int4" || dataType === "uint4";
  const elementBytes = ARRAYS[dataType].BYTES_PER_ELEMENT;
  const expected = packed ? Math.ceil(count / 2) : count * elementBytes;
  if (bytes.byteLength !== expected) {
    throw new TypeError(`${name}: ${formatType(type)} has ${expected} bytes, not ${bytes.byteLength}`);
  }
  if (packed) return tensorOf(dataType, shape, unpackNibbles(bytes, count, dataType === "int4"));
  // The bytes of a file may be at any offset, but a typed array needs alignment.
  const aligned = bytes.byteOffset % elementBytes === 0 ? bytes : bytes.slice();
  return { dataType, shape, data: new ARRAYS[dataType](aligned.buffer as ArrayBuffer, aligned.byteOffset, count) };
}

function unpackNibbles(bytes: Uint8Array, count: number, signed: boolean): number[] {
  return Array.from({ length: count }, (_, i) => {
    const nibble = bytes[i >> 1]! >> (i % 2 * 4) & 0xf;
    return signed && nibble > 7 ? nibble - 16 : nibble;
  });
}

/** The elements as fp32, which represents every fp16 exactly. Reading a Float16Array in an inner loop is slow. */
export function float32(tensor: Tensor): Float32Array {
  return tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data);
}

/** The stride of each axis. */
export function stridesOf(shape: Shape): number[] {
  const strides: number[] = new Array(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** `[start, start + step, start + 2 * step, ...]`. */
export function progression(length: number, step: number, start = 0): number[] {
  return Array.from({ length }, (_, i) => start + i * step);
}

/**
 * The offsets of all positions, in row-major order. `tables[axis][i]` is the contribution of index `i` of that axis.
 * An operation that only moves elements is defined by its tables.
 */
export function offsets(tables: readonly (readonly number[])[]): Int32Array {
  let sums = new Int32Array(1);
  for (const table of tables) {
    const next = new Int32Array(sums.length * table.length);
    for (let i = 0, at = 0; i < sums.length; i++) {
      for (let j = 0; j < table.length; j++) next[at++] = sums[i]! + table[j]!;
    }
    sums = next;
  }
  return sums;
}

/** The tensor of `shape` with the elements at offsets `places` of the source. */
export function pick(source: Tensor, shape: Shape, places: Int32Array): Tensor {
  const result = zeros(source.dataType, shape);
  for (let i = 0; i < places.length; i++) result.data[i] = source.data[places[i]!]!;
  return result;
}

/** The offsets for reading a tensor of `shape` that is broadcast to `to`. */
export function broadcastOffsets(shape: Shape, to: Shape): Int32Array {
  const missing = to.length - shape.length;
  const strides = stridesOf(shape);
  return offsets(to.map((dimension, axis) => {
    const own = shape[axis - missing] ?? 1;
    if (missing < 0 || (own !== dimension && own !== 1)) {
      throw new TypeError(`${formatShape(shape)} does not broadcast to ${formatShape(to)}`);
    }
    return progression(dimension, own === 1 ? 0 : strides[axis - missing]!);
  }));
}

/** The positions of a tensor, split into those of the chosen axes and of the others. */
export interface Lanes {
  /** The dimensions of the other axes, in order. */
  readonly outerShape: Shape;
  /** The dimensions of the chosen axes, in order. */
  readonly innerShape: Shape;
  /** An element is at `outer[i] + inner[j]`. */
  readonly outer: Int32Array;
  readonly inner: Int32Array;
}

/** Splits the positions of `shape` into lanes along `axes`, in the order of the shape. */
export function lanes(shape: Shape, axes: readonly number[]): Lanes {
  const strides = stridesOf(shape);
  const all = shape.map((_, axis) => axis);
  const along = all.filter((axis) => axes.includes(axis));
  const across = all.filter((axis) => !axes.includes(axis));
  const places = (chosen: number[]) => offsets(chosen.map((axis) => progression(shape[axis]!, strides[axis]!)));
  const shapeOf = (chosen: number[]) => chosen.map((axis) => shape[axis]!);
  return { outerShape: shapeOf(across), innerShape: shapeOf(along), outer: places(across), inner: places(along) };
}

/** An axis counted from the front. */
export function normalizeAxis(axis: number, rank: number): number {
  if (!(axis >= -rank && axis < rank)) throw new TypeError(`axis ${axis} does not exist in rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front, each once. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  const normalized = axes.map((axis) => normalizeAxis(axis, rank));
  if (new Set(normalized).size !== normalized.length) throw new TypeError(`axes [${axes}] contain an axis twice`);
  return normalized;
}
