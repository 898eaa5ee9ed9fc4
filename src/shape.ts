/**
 * Shapes and descriptors, and algorithms on them.
 *
 * @module
 */

import { bitsOf, type MLOperandDataType } from "./data_type.ts";

/** The dimensions of an operand, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/** Data type and shape of an operand. */
export interface Descriptor {
  /** The data type of the elements. */
  readonly dataType: MLOperandDataType;
  /** The dimensions, outermost first. */
  readonly shape: Shape;
}

/** The largest dimension and element count that WebNN allows: 2³¹ − 1. */
export const MAX_DIMENSION: number = 2 ** 31 - 1;

/** The number of elements: the product of the dimensions; 1 for a scalar. Not exact above 2⁵³. */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (let i = 0; i < shape.length; i++) count *= shape[i]!;
  return count;
}

/** The size in bytes, rounded up for types of less than a byte. */
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
 * Bidirectionally broadcasts two shapes: aligned at the innermost dimension, two dimensions must be equal, or one must
 * be 1.
 * @returns the broadcast shape, or `undefined` if there is none
 * @see https://www.w3.org/TR/webnn/#algorithms-broadcasting
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
 * Whether `from` unidirectionally broadcasts to `to`.
 * @see https://www.w3.org/TR/webnn/#algorithms-broadcasting
 */
export function broadcastsTo(from: Shape, to: Shape): boolean {
  return from.length <= to.length &&
    from.every((dimension, i) => dimension === 1 || dimension === to[to.length - from.length + i]);
}

/** `[0, 1, ..., rank - 1]`. */
export function allAxes(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** A shape as text: `[1, 3, 224, 224]`, or `scalar` for rank 0. */
export function formatShape(shape: Shape): string {
  return shape.length === 0 ? "scalar" : `[${shape.join(", ")}]`;
}
