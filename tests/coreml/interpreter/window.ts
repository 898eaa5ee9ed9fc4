/**
 * Windows that slide over the last two axes of a tensor `[batch, channels, height, width]`.
 *
 * @module
 */

import { formatShape } from "../../../src/shape.ts";
import type { Parameters } from "./operation.ts";
import type { Tensor } from "./tensor.ts";

/** The windows along one axis. */
export interface Axis {
  /** The size of the input. */
  readonly size: number;
  /** The size of the kernel, and its dilation. */
  readonly kernel: number;
  readonly dilation: number;
  readonly stride: number;
  readonly padBefore: number;
  readonly padAfter: number;
}

/** The four dimensions of a tensor. MIL also has 1-D and 3-D windows, which WebNN does not use. */
export function dimensions4(name: string, { shape }: Tensor): [number, number, number, number] {
  if (shape.length !== 4) throw new TypeError(`${name} must have rank 4 here, not ${formatShape(shape)}`);
  return [...shape] as [number, number, number, number];
}

/** A parameter with `count` numbers. */
export function numbersOf(p: Parameters, name: string, count: number): number[] {
  const numbers = p.numbers(name);
  if (numbers.length !== count) throw new TypeError(`${name} must have ${count} elements, not ${numbers.length}`);
  return numbers;
}

/** `[before, after]` of both axes in one list. `same` and `same_lower` are not used: the lowering pads explicitly. */
export function padding(p: Parameters): number[] {
  const pad = numbersOf(p, "pad", 4);
  return p.text("pad_type", ["custom", "valid"]) === "valid" ? [0, 0, 0, 0] : pad;
}

/**
 * The number of windows that fit. With `ceil`, the last one may reach beyond the end, unless it would start in the
 * padding.
 */
export function windowCount({ size, kernel, dilation, stride, padBefore, padAfter }: Axis, ceil = false): number {
  const room = size + padBefore + padAfter - ((kernel - 1) * dilation + 1);
  if (room < 0) throw new TypeError(`a window of ${kernel} does not fit in ${size} positions`);
  const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  const startsInPadding = (count - 1) * stride >= size + padBefore;
  return ceil && startsInPadding && padBefore + padAfter > 0 ? count - 1 : count;
}

/** The range of windows in which kernel element `k` is inside the input: from `first` to `end`, exclusive. */
export function inside(axis: Axis, k: number, count: number): { first: number; end: number } {
  const shift = k * axis.dilation - axis.padBefore;
  const first = Math.max(0, Math.ceil(-shift / axis.stride));
  const end = Math.min(count, Math.floor((axis.size - 1 - shift) / axis.stride) + 1);
  return { first, end: Math.max(first, end) };
}
