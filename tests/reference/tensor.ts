/**
 * Tensors of the reference implementation: plain JavaScript arrays, read by index, written element by element.
 *
 * @module
 */

import { isFloat, roundTo } from "./round.ts";

/** The data types of WebNN, and the two 4-bit ones of WPT's cases outside the standard. */
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

/** One element: a bigint for `int64` and `uint64`, a number for every other type. */
export type Element = number | bigint;

/**
 * A tensor in row-major order.
 *
 * Results of accumulating operators carry an error bound. An engine that computes in any order of summation with unit
 * roundoff ε stays, to first order in ε, within `terms * ε * magnitudes[i]` of `data[i]`, before its own last rounding.
 */
export interface RefTensor {
  /** The type of every element. */
  readonly dataType: RefDataType;
  /** The dimensions, outermost first. */
  readonly shape: readonly number[];
  /** The elements, each exactly representable in `dataType`. */
  readonly data: readonly Element[];
  /** For each element the sum of the magnitudes of what was added up (Σ|aᵢ·bᵢ| for a dot product). */
  readonly magnitudes?: readonly number[];
  /** How many roundings a sum goes through: the number of terms and of the steps around them. */
  readonly terms?: number;
}

/** A position in a tensor, outermost first. */
export type Index = readonly number[];

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

let roundsFloats = true;

/** What `compute` makes of floats in float64 throughout: results are not rounded to their type, but those of `cast` are. */
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

/** A tensor of the given elements, each rounded to the type. */
export function tensor(dataType: RefDataType, shape: readonly number[], data: readonly Element[]): RefTensor {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(`shape [${shape}] needs ${sizeOf(shape)} elements, not ${data.length}`);
  }
  return { dataType, shape: [...shape], data: data.map((element) => keep(dataType, element)) };
}

/** A tensor whose element at each index is computed by `element`, in float64 or exactly, and rounded once. */
export function generate(
  dataType: RefDataType,
  shape: readonly number[],
  element: (index: Index) => Element,
): RefTensor {
  return tensor(dataType, shape, [...indices(shape)].map(element));
}

/** An accumulated value and the sum of the magnitudes of its terms. */
export interface Accumulated {
  readonly value: number;
  readonly magnitude: number;
}

/** The sum of terms in the order given. */
export function sumOf(terms: Iterable<number>): Accumulated {
  let value = 0;
  let magnitude = 0;
  for (const term of terms) {
    value += term;
    magnitude += Math.abs(term);
  }
  return { value, magnitude };
}

/** The sum of values, divided by their number. */
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

/** Every index of a shape in row-major order; the one empty index for a scalar. */
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

/** The row-major offset of an index, which must lie inside the shape. */
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

/** The element at an index as a float64, for operators of floating-point tensors. */
export function floatAt(source: RefTensor, index: Index): number {
  return Number(at(source, index));
}

/** The index that a tensor of `shape` is read at when it is broadcast to the shape that `index` runs over. */
export function broadcastIndex(shape: readonly number[], index: Index): number[] {
  const aligned = index.slice(index.length - shape.length);
  return shape.map((dimension, axis) => dimension === 1 ? 0 : aligned[axis]!);
}

/** The common shape of tensors under NumPy's broadcasting rule. */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const dimensions = shapes.map((shape) => shape[shape.length - rank + axis] ?? 1);
    return dimensions.find((dimension) => dimension !== 1) ?? 1;
  });
}

/** `index` with the entry of one axis replaced. */
export function withAxis(index: Index, axis: number, value: number): number[] {
  return index.map((entry, i) => i === axis ? value : entry);
}

/** The tensor with its axes rearranged: axis `i` of the result is axis `permutation[i]` of the source. */
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
