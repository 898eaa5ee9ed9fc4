/**
 * A dense tensor seen through reshapes, transposes and slices: where each element of the view lies.
 *
 * @module
 */

import type { Shape } from "../shape.ts";

/** The element `[i, j, ...]` of the view is element `i · strides[0] + j · strides[1] + ...` of the tensor, row-major. */
export interface StridedView {
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** The whole tensor as it is. */
export function denseView(shape: Shape): StridedView {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return { shape, strides };
}

/** The view with its dimensions in another order. */
export function transposeView({ shape, strides }: StridedView, permutation: readonly number[]): StridedView {
  return { shape: permutation.map((axis) => shape[axis]!), strides: permutation.map((axis) => strides[axis]!) };
}

/** The first elements of each dimension. */
export function cutView({ strides }: StridedView, sizes: Shape): StridedView {
  return { shape: sizes, strides };
}

/** The view in another shape of as many elements; `undefined` if no strides say that. */
export function reshapeView(view: StridedView, shape: Shape): StridedView | undefined {
  // Neighbouring dimensions that lie in the tensor as one are one; what is left must be split, not joined.
  const runs = joinedRuns(view);
  const strides = new Array<number>(shape.length).fill(0);
  let axis = shape.length - 1;
  for (const { size, stride } of runs.toReversed()) {
    let covered = 1;
    while (covered < size) {
      if (axis < 0) return undefined;
      strides[axis] = stride * covered;
      covered *= shape[axis--]!;
    }
    if (covered !== size) return undefined;
  }
  return { shape, strides };
}

/** The dimensions of more than one element, joined where the outer one steps over the whole inner one. */
function joinedRuns({ shape, strides }: StridedView): { size: number; stride: number }[] {
  const runs: { size: number; stride: number }[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const stride = strides[axis]!;
    const last = runs.at(-1);
    if (last && last.stride === stride * size) runs[runs.length - 1] = { size: last.size * size, stride };
    else runs.push({ size, stride });
  });
  return runs;
}
