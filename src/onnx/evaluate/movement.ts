/**
 * Evaluators that move elements.
 *
 * @module
 */

import type { Known } from "../model.ts";
import type { NodeView } from "../node.ts";
import { known, numbersOf, sizeOf, Unsupported } from "../value.ts";
import { axisOf, commonShape, expandTo, listOf, pick, positionsBy, stridesOf } from "./arrays.ts";
import type { Evaluate } from "./evaluator.ts";

/** Slices of a value at positions along an axis; `shape` replaces the axis. */
export function take(value: Known, axis: number, at: readonly number[], shape: readonly number[]): Known {
  const size = value.shape[axis]!;
  const inner = sizeOf(value.shape.slice(axis + 1));
  const outer = sizeOf(value.shape.slice(0, axis));
  const positions = positionsBy([outer, at.length, inner], [
    (i) => i * size * inner,
    (i) => inside(at[i]!, size) * inner,
    (i) => i,
  ]);
  return pick(value, value.shape.toSpliced(axis, 1, ...shape), positions);
}

/** Converts an index that may count from the end; −∞ if it is out of range, which `pick` rejects. */
function inside(index: number, size: number): number {
  const from0 = index < 0 ? index + size : index;
  return from0 >= 0 && from0 < size ? from0 : -Infinity;
}

/** Concatenates values along an axis. */
export function concatenate(values: readonly Known[], axis: number): Known {
  const [first] = values as [Known];
  const sizes = values.map(({ shape }) => shape[axis]!);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const outer = sizeOf(first.shape.slice(0, axis));
  const lengths = values.map(({ bytes }) => outer === 0 ? 0 : bytes.byteLength / outer);
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + value.bytes.byteLength, 0));
  let at = 0;
  for (let i = 0; i < outer; i++) {
    values.forEach((value, k) => {
      bytes.set(value.bytes.subarray(i * lengths[k]!, (i + 1) * lengths[k]!), at);
      at += lengths[k]!;
    });
  }
  return { type: first.type, shape: first.shape.with(axis, total), bytes };
}

const Concat: Evaluate = (node) => {
  const values = node.inputs.map((_, i) => node.known(i));
  const axis = axisOf(node.int("axis", 1), node.shape(0).length);
  const [first] = values as [Known];
  const fits = values.every(({ type, shape }) =>
    type === first.type && shape.length === first.shape.length &&
    shape.every((size, i) => i === axis || size === first.shape[i])
  );
  if (!fits) node.refuse("the inputs have different types or shapes");
  return concatenate(values, axis);
};

const Gather: Evaluate = (node) => {
  const indices = node.known(1);
  return take(node.known(0), axisOf(node.int("axis", 0), node.shape(0).length), numbersOf(indices), indices.shape);
};

const GatherElements: Evaluate = (node) => {
  const value = node.known(0), indices = node.known(1);
  const axis = axisOf(node.int("axis", 0), value.shape.length);
  const strides = stridesOf(value.shape);
  const rest = positionsBy(indices.shape, strides.map((stride, i) => (at) => i === axis ? 0 : at * stride));
  const along = numbersOf(indices);
  const positions = rest.map((position, i) => position + inside(along[i]!, value.shape[axis]!) * strides[axis]!);
  return pick(value, indices.shape, positions);
};

const GatherND: Evaluate = (node) => {
  const batches = node.int("batch_dims", 0);
  const value = node.known(0), indices = node.known(1);
  if (batches !== 0) return undefined;
  const depth = indices.shape.at(-1) ?? node.refuse("the indices are a scalar");
  if (depth > value.shape.length) node.refuse("the indices have more coordinates than the input axes");
  const strides = stridesOf(value.shape);
  const inner = sizeOf(value.shape.slice(depth));
  const coordinates = numbersOf(indices);
  const count = sizeOf(indices.shape.slice(0, -1));
  const positions = Array.from({ length: count * inner }, (_, i) => {
    const at = Math.floor(i / inner) * depth;
    let position = i % inner;
    for (let k = 0; k < depth; k++) position += inside(coordinates[at + k]!, value.shape[k]!) * strides[k]!;
    return position;
  });
  return pick(value, [...indices.shape.slice(0, -1), ...value.shape.slice(depth)], positions);
};

/** The first index on an axis, the step, and the number of elements of a Slice. */
export interface SliceAxis {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** The slices of a shape. @see https://onnx.ai/onnx/operators/onnx__Slice.html */
export function sliceAxes(node: NodeView): SliceAxis[] {
  const shape = node.shape(0);
  const old = node.opset < 10;
  const starts = (old ? node.ints("starts") : node.numbers(1, "starts")) ?? node.refuse("starts are missing");
  const ends = (old ? node.ints("ends") : node.numbers(2, "ends")) ?? node.refuse("ends are missing");
  const axes = (old ? node.ints("axes") : node.numbers(3, "axes")) ?? starts.map((_, i) => i);
  const steps = (old ? undefined : node.numbers(4, "steps")) ?? starts.map(() => 1);
  const result = shape.map((size): SliceAxis => ({ start: 0, step: 1, count: size }));
  axes.forEach((axis, i) => {
    const at = axisOf(axis, shape.length);
    result[at] = sliceAxis(shape[at]!, starts[i]!, ends[i]!, steps[i]!);
  });
  return result;
}

function sliceAxis(size: number, start: number, end: number, step: number): SliceAxis {
  const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + size : at, low), high);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  // Backward slices: a start before the first element gives an empty slice, and an end there means −1.
  const from = clamp(start, step > 0 ? low : -1, high);
  const to = clamp(end, low, high);
  return { start: from, step, count: Math.max(0, Math.ceil((to - from) / step)) };
}

const Slice: Evaluate = (node) => {
  const value = node.known(0);
  const axes = sliceAxes(node);
  const strides = stridesOf(value.shape);
  const shape = axes.map(({ count }) => count);
  const positions = positionsBy(shape, axes.map(({ start, step }, i) => (at) => (start + at * step) * strides[i]!));
  return pick(value, shape, positions);
};

/** The sizes of the parts of Split. @see https://onnx.ai/onnx/operators/onnx__Split.html */
export function splitSizes(node: NodeView): { axis: number; sizes: readonly number[] } {
  const shape = node.shape(0);
  const axis = axisOf(node.int("axis", 0), shape.length);
  const given = node.opset < 13 ? node.ints("split") : node.numbers(1, "the sizes");
  if (given) {
    if (given.reduce((sum, size) => sum + size, 0) !== shape[axis] || given.some((size) => size < 0)) {
      node.refuse(`the sum of the parts [${given}] is not ${shape[axis]}`);
    }
    return { axis, sizes: given };
  }
  const parts = node.opset >= 18 ? node.int("num_outputs", node.outputCount) : node.outputCount;
  const size = Math.ceil(shape[axis]! / parts);
  const sizes = Array.from({ length: parts }, (_, i) => Math.min(size, shape[axis]! - i * size));
  if (sizes.some((part) => part < 0)) node.refuse(`${shape[axis]} elements cannot be split into ${parts} parts`);
  return { axis, sizes };
}

const Split: Evaluate = (node) => {
  const value = node.known(0);
  const { axis, sizes } = splitSizes(node);
  let at = 0;
  return sizes.map((size) => {
    const indices = Array.from({ length: size }, (_, i) => at + i);
    at += size;
    return take(value, axis, indices, [size]);
  });
};

const Transpose: Evaluate = (node) => {
  const value = node.known(0);
  const permutation = node.ints("perm") ?? value.shape.map((_, i) => value.shape.length - 1 - i);
  const strides = stridesOf(value.shape);
  const shape = permutation.map((axis) => value.shape[axis] ?? node.refuse(`the input has no axis ${axis}`));
  return pick(value, shape, positionsBy(shape, permutation.map((axis) => (i) => i * strides[axis]!)));
};

const Expand: Evaluate = (node) => {
  const value = node.known(0);
  return expandTo(value, commonShape([value.shape, node.neededNumbers(1, "the shape")]));
};

const Tile: Evaluate = (node) => {
  const value = node.known(0);
  const repeats = node.neededNumbers(1, "the repeats");
  const strides = stridesOf(value.shape);
  const shape = value.shape.map((size, axis) => size * (repeats[axis] ?? node.refuse("repeats are missing")));
  return pick(value, shape, positionsBy(shape, strides.map((stride, i) => (at) => (at % value.shape[i]!) * stride)));
};

/** @see https://onnx.ai/onnx/operators/onnx__Range.html */
const Range: Evaluate = (node) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => node.neededNumber(i)) as [number, number, number];
  const length = Math.max(Math.ceil((limit - start) / delta), 0);
  if (!(length <= 2 ** 22)) node.refuse(`its result has ${length} elements, which is too many`);
  const { type } = node.known(0);
  if (type !== "int64" && type !== "int32" && type !== "float32" && type !== "float64") return undefined;
  return known(type, [length], Array.from({ length }, (_, i) => start + i * delta));
};

/** @see https://onnx.ai/onnx/operators/onnx__NonZero.html */
const NonZero: Evaluate = (node) => {
  const value = node.known(0);
  const strides = stridesOf(value.shape);
  const found: number[] = [];
  listOf(value).forEach((element, i) => {
    if (element !== 0 && element !== 0n) found.push(i);
  });
  const coordinates = value.shape.flatMap((size, axis) => found.map((at) => Math.floor(at / strides[axis]!) % size));
  return known("int64", [value.shape.length, found.length], coordinates);
};

const ScatterElements: Evaluate = (node) => {
  if (node.string("reduction", "none") !== "none") return undefined;
  const value = node.known(0), indices = node.known(1), updates = node.known(2);
  const axis = axisOf(node.int("axis", 0), value.shape.length);
  const strides = stridesOf(value.shape);
  const rest = positionsBy(indices.shape, strides.map((stride, i) => (at) => i === axis ? 0 : at * stride));
  const along = numbersOf(indices);
  const targets = rest.map((position, i) => position + inside(along[i]!, value.shape[axis]!) * strides[axis]!);
  return overwritten(value, updates, targets);
};

const ScatterND: Evaluate = (node) => {
  if (node.string("reduction", "none") !== "none") return undefined;
  const value = node.known(0), indices = node.known(1), updates = node.known(2);
  const depth = indices.shape.at(-1) ?? node.refuse("the indices are a scalar");
  const strides = stridesOf(value.shape);
  const inner = sizeOf(value.shape.slice(depth));
  const coordinates = numbersOf(indices);
  const targets = Array.from({ length: sizeOf(updates.shape) }, (_, i) => {
    const at = Math.floor(i / inner) * depth;
    let position = i % inner;
    for (let k = 0; k < depth; k++) position += inside(coordinates[at + k]!, value.shape[k]!) * strides[k]!;
    return position;
  });
  return overwritten(value, updates, targets);
};

/** Replaces some elements of a value. If a position occurs twice, the later element is used. */
function overwritten(value: Known, updates: Known, targets: ArrayLike<number>): Known {
  const count = sizeOf(value.shape);
  const from = Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (!(target >= 0 && target < count)) throw new Unsupported("an index is out of range");
    from[target] = count + i;
  }
  const both = concatenate([{ ...value, shape: [count] }, { ...updates, shape: [targets.length] }], 0);
  return pick(both, value.shape, from);
}

/** @see https://onnx.ai/onnx/operators/onnx__Compress.html */
const Compress: Evaluate = (node) => {
  const chosen = numbersOf(node.known(1)).flatMap((chosen, i) => chosen ? [i] : []);
  if (node.hasAttribute("axis")) {
    return take(node.known(0), axisOf(node.int("axis"), node.shape(0).length), chosen, [chosen.length]);
  }
  const flat = { ...node.known(0), shape: [sizeOf(node.shape(0))] };
  return take(flat, 0, chosen, [chosen.length]);
};

export const movement: Record<string, Evaluate> = {
  Compress,
  Concat,
  Expand,
  Gather,
  GatherElements,
  GatherND,
  NonZero,
  Range,
  ScatterElements,
  ScatterND,
  Slice,
  Split,
  Tile,
  Transpose,
};
