/**
 * Strided views of a dense tensor, after reshapes, transposes and slices.
 *
 * @module
 */

import type { Shape } from "../shape.ts";

/** Element `[i, j, ...]` of the view is element `i · strides[0] + j · strides[1] + ...` of the tensor (row-major). */
export interface StridedView {
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** A view of the whole tensor. */
export function denseView(shape: Shape): StridedView {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return { shape, strides };
}

/** Reorders the dimensions of a view. */
export function transposeView({ shape, strides }: StridedView, permutation: readonly number[]): StridedView {
  return { shape: permutation.map((axis) => shape[axis]!), strides: permutation.map((axis) => strides[axis]!) };
}

/** Keeps the first elements of each dimension. */
export function cutView({ strides }: StridedView, sizes: Shape): StridedView {
  return { shape: sizes, strides };
}

/** Reshapes a view; `undefined` if no strides can describe the result. */
export function reshapeView(view: StridedView, shape: Shape): StridedView | undefined {
  // Joins dimensions that are contiguous in the tensor. The result must only split these runs.
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

/** The dimensions of more than one element, joined where the outer stride is the extent of the inner dimension. */
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
