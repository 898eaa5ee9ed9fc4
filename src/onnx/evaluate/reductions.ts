/**
 * Reductions of known values.
 *
 * @module
 */

import type { KnownTensor } from "../model.ts";
import { elementsOf, knownTensor } from "../value.ts";
import { positionsBy, stridesOf } from "./movement.ts";

interface Options {
  readonly axes?: readonly number[];
  readonly keepDimensions?: boolean;
}

/** Elements of 64-bit integers are bigints, in spite of the type: JavaScript's operators work on both. */
const reduction = (combine: (a: number, b: number) => number) => (value: KnownTensor, options: Options = {}) => {
  const { shape, type } = value;
  if (type !== "int64" && type !== "int32" && type !== "float32" && type !== "float64") return undefined;
  const { axes = shape.map((_, axis) => axis), keepDimensions = false } = options;
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const strides = stridesOf(shape);
  const offsets = (which: readonly number[]) =>
    positionsBy(which.map((axis) => shape[axis]!), which.map((axis) => strides[axis]!));
  const elements = elementsOf(value) as ArrayLike<number>;
  const within = offsets(axes);
  if (within.length === 0) return undefined;
  const results = Array.from(
    offsets(kept),
    (start) => Array.from(within, (offset) => elements[start + offset]!).reduce(combine),
  );
  const sizes = shape.flatMap((size, axis) => axes.includes(axis) ? keepDimensions ? [1] : [] : [size]);
  return knownTensor(type, sizes, results);
};

export const REDUCTIONS = {
  reduceMax: reduction((a, b) => b > a ? b : a),
  reduceMin: reduction((a, b) => b < a ? b : a),
  reduceProduct: reduction((a, b) => a * b),
  reduceSum: reduction((a, b) => a + b),
};
