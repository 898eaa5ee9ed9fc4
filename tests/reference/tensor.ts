/**
 * Tensors of the reference: plain JavaScript arrays, read and written by index.
 *
 * @module
 */

import { isFloat, roundTo } from "./round.ts";

/** WebNN's data types, and the two 4-bit types of WPT's non-standard cases. */
export type RefDataType =
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

/** An element: a bigint for `int64` and `uint64`, else a number. */
export type Element = number | bigint;

/**
 * A tensor in row-major order.
 *
 * Sums have an error bound. An engine that sums in any order with unit roundoff ε stays within
 * `terms * ε * magnitudes[i]` of `data[i]`, to first order in ε, before its own final rounding.
 */
export interface RefTensor {
  /** The data type of the elements. */
  readonly dataType: RefDataType;
  /** The dimensions, outermost first. */
  readonly shape: readonly number[];
  /** The elements, each exactly representable in `dataType`. */
  readonly data: readonly Element[];
  /** For each element, the sum of the magnitudes of its terms (Σ|aᵢ·bᵢ| for a dot product). */
  readonly magnitudes?: readonly number[];
  /** The number of roundings in a sum: its terms and the steps around them. */
  readonly terms?: number;
}

/** An index of a tensor, outermost dimension first. */
export type Index = readonly number[];

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

let roundsFloats = true;

/** Runs `compute` with floats in float64 throughout: results are not rounded to their type, except those of `cast`. */
export function unrounded<T>(compute: () => T): T {
  roundsFloats = false;
  try {
    return compute();
  } finally {
    roundsFloats = true;
  }
}

function keep(dataType: RefDataType, element: Element): Element {
  return roundsFloats || !isFloat(dataType) ? roundTo(dataType, element) : Number(element);
}

/** A tensor with the given elements, each rounded to the type. */
export function tensor(dataType: RefDataType, shape: readonly number[], data: readonly Element[]): RefTensor {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(`shape [${shape}] needs ${sizeOf(shape)} elements, not ${data.length}`);
  }
  return { dataType, shape: [...shape], data: data.map((element) => keep(dataType, element)) };
}

/** A tensor whose elements `element` computes from their indices, in float64 or exactly; each is rounded once. */
export function generate(
  dataType: RefDataType,
  shape: readonly number[],
  element: (index: Index) => Element,
): RefTensor {
  return tensor(dataType, shape, [...indices(shape)].map(element));
}

/** A sum, and the sum of the magnitudes of its terms. */
export interface Accumulated {
  readonly value: number;
  readonly magnitude: number;
}

/** The sum of terms, in the given order. */
export function sumOf(terms: Iterable<number>): Accumulated {
  let value = 0;
  let magnitude = 0;
  for (const term of terms) {
    value += term;
    magnitude += Math.abs(term);
  }
  return { value, magnitude };
}

/** The mean of values. */
export function meanOf(values: readonly number[]): Accumulated {
  const { value, magnitude } = sumOf(values);
  return { value: value / values.length, magnitude: magnitude / values.length };
}

/** Like {@linkcode generate}, with the error bound that {@linkcode RefTensor} describes. */
export function accumulate(
  dataType: RefDataType,
  shape: readonly number[],
  terms: number,
  element: (index: Index) => Accumulated,
): RefTensor {
  const sums = [...indices(shape)].map(element);
  const values = tensor(dataType, shape, sums.map((sum) => sum.value));
  return { ...values, magnitudes: sums.map((sum) => sum.magnitude), terms };
}

/** All indices of a shape, in row-major order; one empty index for a scalar. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const size = sizeOf(shape);
  for (let offset = 0; offset < size; offset++) yield indexOf(shape, offset);
}

/** The index of the element at a row-major offset. */
export function indexOf(shape: readonly number[], offset: number): number[] {
  const index = shape.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const dimension = shape[axis]!;
    index[axis] = offset % dimension;
    offset = Math.floor(offset / dimension);
  }
  return index;
}

/** The row-major offset of an index, which must be inside the shape. */
export function offsetOf(shape: readonly number[], index: Index): number {
  if (index.length !== shape.length) throw new RangeError(`index [${index}] does not fit shape [${shape}]`);
  return shape.reduce((offset, dimension, axis) => {
    const i = index[axis]!;
    if (!(i >= 0 && i < dimension)) throw new RangeError(`index [${index}] lies outside shape [${shape}]`);
    return offset * dimension + i;
  }, 0);
}

/** The element at an index. */
export function at(source: RefTensor, index: Index): Element {
  return source.data[offsetOf(source.shape, index)]!;
}

/** The element at an index as a float64, for floating-point tensors. */
export function floatAt(source: RefTensor, index: Index): number {
  return Number(at(source, index));
}

/** The index in a tensor of `shape` that is broadcast to the shape of `index`. */
export function broadcastIndex(shape: readonly number[], index: Index): number[] {
  const aligned = index.slice(index.length - shape.length);
  return shape.map((dimension, axis) => dimension === 1 ? 0 : aligned[axis]!);
}

/** The broadcast shape, by NumPy's rules. */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const dimensions = shapes.map((shape) => shape[shape.length - rank + axis] ?? 1);
    return dimensions.find((dimension) => dimension !== 1) ?? 1;
  });
}

/** `index` with the coordinate of one axis replaced. */
export function withAxis(index: Index, axis: number, value: number): number[] {
  return index.map((entry, i) => i === axis ? value : entry);
}

/** Permutes the axes of a tensor: axis `i` of the result is axis `permutation[i]` of the source. */
export function permute(source: RefTensor, permutation: readonly number[]): RefTensor {
  const result = generate(
    source.dataType,
    permutation.map((axis) => source.shape[axis]!),
    (index) => at(source, source.shape.map((_, axis) => index[permutation.indexOf(axis)]!)),
  );
  if (source.magnitudes === undefined || source.terms === undefined) return result;
  const magnitudes = permute({ dataType: "float32", shape: source.shape, data: source.magnitudes }, permutation);
  return { ...result, magnitudes: magnitudes.data.map(Number), terms: source.terms };
}
