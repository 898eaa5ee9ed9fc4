/**
 * The checks that rows share. A failed check becomes a TypeError that names the method and the label.
 *
 * @module
 */

import { formatShape, sameShape, type Shape } from "../shape.ts";

/** The error of a failed check; {@linkcode applyOperator} turns it into a TypeError. */
export class InvalidArgument extends Error {
  override readonly name = "InvalidArgument";
}

/** Fails a check, with a reason such as `filter must have 3 input channels, not 4`. */
export function refuse(reason: string): never {
  throw new InvalidArgument(reason);
}

/** `axis` must be less than the rank. */
export function checkAxis(axis: number, rank: number): void {
  if (axis >= rank) refuse(`axis must be less than the rank ${rank}, not ${axis}`);
}

/** Axes must be unique and each less than the rank. */
export function checkAxes(axes: readonly number[], rank: number): void {
  const outside = axes.find((axis) => axis >= rank);
  if (outside !== undefined) refuse(`axes must be less than the rank ${rank}, not ${outside}`);
  if (new Set(axes).size !== axes.length) refuse(`axes must be unique, not [${axes.join(", ")}]`);
}

/** A list must have `length` items. */
export function checkLength(name: string, list: readonly unknown[], length: number): void {
  if (list.length !== length) refuse(`${name} must have ${length} items, not ${list.length}`);
}

/** No item may be 0. */
export function checkNonZero(name: string, list: readonly number[]): void {
  if (list.includes(0)) refuse(`${name} must be greater than 0, not [${list.join(", ")}]`);
}

/** A shape must equal another one. */
export function checkShape(name: string, actual: Shape, expected: Shape): void {
  if (!sameShape(actual, expected)) {
    refuse(`${name} must have the shape ${formatShape(expected)}, not ${formatShape(actual)}`);
  }
}
