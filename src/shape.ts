/**
 * Shapes, descriptors and the algorithms on them that operators share.
 *
 * @module
 */

import { bitsOf, type MLOperandDataType } from "./data_type.ts";

/** The dimensions of an operand, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/** Data type and shape of an operand: all that is known of it before a graph runs. */
export interface Descriptor {
  /** The type of one element. */
  readonly dataType: MLOperandDataType;
  /** The dimensions, outermost first. */
  readonly shape: Shape;
}

/** The largest dimension and element count that WebNN allows: 2³¹ − 1. */
export const MAX_DIMENSION: number = 2 ** 31 - 1;

/** The number of elements: the product of the dimensions, 1 for a scalar. Not exact above 2⁵³. */
export function elementCount(shape: Shape): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** The size in bytes, rounded up to a whole byte for types narrower than one. */
export function byteLength(descriptor: Descriptor): number {
  return Math.ceil(elementCount(descriptor.shape) * bitsOf(descriptor.dataType) / 8);
}

/** Whether two shapes have the same rank and dimensions. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * [Bidirectionally broadcast](https://www.w3.org/TR/webnn/#bidirectionally-broadcasting-the-shapes): aligned at the
 * innermost dimension, two dimensions fit if they are equal or one of them is 1.
 * @returns the common shape, or `undefined` if there is none
 */
export function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const output: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    output.push(x === 1 ? y : x);
  }
  return output;
}

/**
 * Whether `from` can be
 * [unidirectionally broadcast](https://www.w3.org/TR/webnn/#unidirectionally-broadcasting-the-shapes) to `to`.
 */
export function broadcastsTo(from: Shape, to: Shape): boolean {
  return from.length <= to.length &&
    from.every((dimension, i) => dimension === 1 || dimension === to[to.length - from.length + i]);
}

/** `[0, 1, ..., rank - 1]`. */
export function allAxes(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** The shape `1x3x224x224`, for messages; `scalar` for rank 0. */
export function formatShape(shape: Shape): string {
  return shape.length === 0 ? "scalar" : `[${shape.join(", ")}]`;
}
