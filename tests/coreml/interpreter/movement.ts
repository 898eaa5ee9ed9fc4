/**
 * Operations that only move elements, and those that create tensors from shapes.
 *
 * @module
 */

import { sameShape, type Shape } from "../../../src/shape.ts";
import { type Parameters, row, type Rows } from "./operation.ts";
import {
  lanes,
  normalizeAxes,
  normalizeAxis,
  offsets,
  pick,
  progression,
  stridesOf,
  type Tensor,
  tensorOf,
  withShape,
  zeros,
} from "./tensor.ts";

/** A list with one number per axis of `x`. */
function perAxis(p: Parameters, name: string, x: Tensor): number[] {
  const numbers = p.numbers(name);
  if (numbers.length !== x.shape.length) throw new TypeError(`${name} must have ${x.shape.length} elements`);
  return numbers;
}

/** The elements of `x` from `starts`, with `counts[axis]` steps of `steps[axis]` along each axis. */
function walk(x: Tensor, starts: readonly number[], counts: readonly number[], steps: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  counts.forEach((count, axis) => {
    const last = starts[axis]! + (count - 1) * steps[axis]!;
    if (count < 1 || [starts[axis]!, last].some((i) => i < 0 || i >= x.shape[axis]!)) {
      throw new RangeError(`${count} steps of ${steps[axis]} from ${starts[axis]} exceed axis ${axis}`);
    }
  });
  const tables = counts.map((count, axis) =>
    progression(count, strides[axis]! * steps[axis]!, strides[axis]! * starts[axis]!)
  );
  return pick(x, counts, offsets(tables));
}

/** A 0 stands for the dimension of x at the same place from the right; one −1 stands for the remaining elements. */
function reshape(p: Parameters): Tensor {
  const x = p.tensor("x");
  const requested = p.numbers("shape");
  const shape = requested.map((dimension, i) =>
    dimension === 0 ? x.shape[x.shape.length - requested.length + i] ?? 1 : dimension
  );
  const known = shape.filter((dimension) => dimension !== -1).reduce((product, dimension) => product * dimension, 1);
  return withShape(x, shape.map((dimension) => dimension === -1 ? x.data.length / known : dimension));
}

function expandDims(p: Parameters): Tensor {
  const x = p.tensor("x");
  const axes = p.numbers("axes");
  const rank = x.shape.length + axes.length;
  const added = normalizeAxes(axes, rank);
  const rest = [...x.shape];
  return withShape(x, Array.from({ length: rank }, (_, axis) => added.includes(axis) ? 1 : rest.shift()!));
}

function squeeze(p: Parameters): Tensor {
  const x = p.tensor("x");
  const axes = normalizeAxes(p.numbers("axes"), x.shape.length);
  return withShape(x, x.shape.filter((_, axis) => !axes.includes(axis)));
}

function transpose(p: Parameters): Tensor {
  const x = p.tensor("x");
  const perm = normalizeAxes(perAxis(p, "perm", x), x.shape.length);
  const strides = stridesOf(x.shape);
  const shape = perm.map((axis) => x.shape[axis]!);
  return pick(x, shape, offsets(perm.map((axis) => progression(x.shape[axis]!, strides[axis]!))));
}

function reverse(p: Parameters): Tensor {
  const x = p.tensor("x");
  const axes = normalizeAxes(p.numbers("axes"), x.shape.length);
  const starts = x.shape.map((dimension, axis) => axes.includes(axis) ? dimension - 1 : 0);
  return walk(x, starts, x.shape, x.shape.map((_, axis) => axes.includes(axis) ? -1 : 1));
}

function tile(p: Parameters): Tensor {
  const x = p.tensor("x");
  const reps = perAxis(p, "reps", x);
  if (reps.length === 0 || reps.some((rep) => rep < 1)) throw new RangeError(`reps [${reps}] must be positive`);
  const strides = stridesOf(x.shape);
  const tables = x.shape.map((dimension, axis) =>
    Array.from({ length: dimension * reps[axis]! }, (_, i) => i % dimension * strides[axis]!)
  );
  return pick(x, tables.map((table) => table.length), offsets(tables));
}

/** Python's `x[begin:end:stride]`: negative indices count from the end, and indices are clamped. */
function sliceByIndex(p: Parameters): Tensor {
  const x = p.tensor("x");
  const [begin, end, steps] = [perAxis(p, "begin", x), perAxis(p, "end", x), perAxis(p, "stride", x)];
  const [beginMask, endMask] = [perAxis(p, "begin_mask", x), perAxis(p, "end_mask", x)];
  const squeezeMask = perAxis(p, "squeeze_mask", x);
  const ranges = x.shape.map((size, axis) => {
    const step = steps[axis]!;
    if (step === 0) throw new RangeError(`stride of axis ${axis} must not be 0`);
    const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1];
    const place = (index: number) => Math.min(Math.max(index < 0 ? index + size : index, lowest), highest);
    const start = beginMask[axis] ? (step > 0 ? lowest : highest) : place(begin[axis]!);
    const stop = endMask[axis] ? (step > 0 ? highest : lowest) : place(end[axis]!);
    return { start, count: squeezeMask[axis] ? 1 : Math.ceil((stop - start) / step) };
  });
  const sliced = walk(x, ranges.map(({ start }) => start), ranges.map(({ count }) => count), steps);
  return withShape(sliced, sliced.shape.filter((_, axis) => !squeezeMask[axis]));
}

/** A size of −1 means up to the end. */
function sliceBySize(p: Parameters): Tensor {
  const x = p.tensor("x");
  const starts = perAxis(p, "begin", x).map((begin, axis) => begin < 0 ? begin + x.shape[axis]! : begin);
  const counts = perAxis(p, "size", x).map((size, axis) => size === -1 ? x.shape[axis]! - starts[axis]! : size);
  return walk(x, starts, counts, counts.map(() => 1));
}

/** The parameter `num_splits` is missing, because it is redundant if `split_sizes` is given. */
function split(p: Parameters): Tensor[] {
  const x = p.tensor("x");
  const axis = normalizeAxis(p.number("axis"), x.shape.length);
  const sizes = p.numbers("split_sizes");
  if (sizes.reduce((sum, size) => sum + size, 0) !== x.shape[axis]) {
    throw new TypeError(`split_sizes [${sizes}] do not add up to ${x.shape[axis]}`);
  }
  let start = 0;
  return sizes.map((size) => {
    const starts = x.shape.map((_, i) => i === axis ? start : 0);
    start += size;
    return walk(x, starts, x.shape.map((dimension, i) => i === axis ? size : dimension), x.shape.map(() => 1));
  });
}

/** Joins tensors along an axis. Copies runs of elements that are contiguous in both. */
function concat(p: Parameters): Tensor {
  const values = p.list("values");
  const first = values[0]!;
  const axis = normalizeAxis(p.number("axis"), first.shape.length);
  if (p.flag("interleave")) throw new TypeError("interleave is not supported, because no lowering uses it");
  const other = (shape: Shape) => shape.filter((_, i) => i !== axis);
  for (const value of values) {
    if (
      value.dataType !== first.dataType || value.shape.length !== first.shape.length ||
      !sameShape(other(value.shape), other(first.shape))
    ) throw new TypeError(`values [${first.shape}] and [${value.shape}] cannot be joined along axis ${axis}`);
  }
  const total = values.reduce((sum, value) => sum + value.shape[axis]!, 0);
  const result = zeros(first.dataType, first.shape.map((dimension, i) => i === axis ? total : dimension));
  const runs = values.map((value) => value.shape.slice(axis).reduce((product, dimension) => product * dimension, 1));
  for (let at = 0, i = 0; at < result.data.length; i++) {
    values.forEach(({ data }, v) => {
      result.data.set(data.subarray(i * runs[v]!, (i + 1) * runs[v]!), at);
      at += runs[v]!;
    });
  }
  return result;
}

/** Pads the last axes, each by `[before, after]`. */
function pad(p: Parameters): Tensor {
  const x = p.tensor("x");
  const amounts = p.numbers("pad");
  const missing = x.shape.length - amounts.length / 2;
  if (!Number.isInteger(missing) || missing < 0 || amounts.some((amount) => amount < 0)) {
    throw new TypeError(`pad [${amounts}] does not fit rank ${x.shape.length}`);
  }
  const before = x.shape.map((_, axis) => amounts[2 * (axis - missing)] ?? 0);
  const after = x.shape.map((_, axis) => amounts[2 * (axis - missing) + 1] ?? 0);
  const mode = p.text("mode", ["constant", "reflect", "replicate"]);
  const shape = x.shape.map((dimension, axis) => before[axis]! + dimension + after[axis]!);
  if (mode === "constant") return padWith(p.number("constant_val"), x, shape, before);
  if (shape.some((dimension, axis) => axis < shape.length - 2 && dimension !== x.shape[axis])) {
    throw new TypeError(`mode ${mode} pads the last two axes only`);
  }
  const strides = stridesOf(x.shape);
  const tables = shape.map((dimension, axis) =>
    Array.from({ length: dimension }, (_, i) => sourceIndex(mode, i - before[axis]!, x.shape[axis]!) * strides[axis]!)
  );
  return pick(x, shape, offsets(tables));
}

function padWith(value: number, x: Tensor, shape: Shape, before: readonly number[]): Tensor {
  const result = zeros(x.dataType, shape);
  result.data.fill(value);
  const strides = stridesOf(shape);
  const places = offsets(
    x.shape.map((dimension, axis) => progression(dimension, strides[axis]!, strides[axis]! * before[axis]!)),
  );
  for (let i = 0; i < places.length; i++) result.data[places[i]!] = x.data[i]!;
  return result;
}

function sourceIndex(mode: "reflect" | "replicate", index: number, size: number): number {
  if (mode === "replicate") return Math.min(Math.max(index, 0), size - 1);
  const mirrored = index < 0 ? -index : index >= size ? 2 * (size - 1) - index : index;
  if (mirrored < 0 || mirrored >= size) throw new RangeError(`reflecting position ${index} exceeds ${size} positions`);
  return mirrored;
}

/**
 * Keeps a band around the main diagonal of the innermost matrices and zeroes the rest. A negative number keeps a whole
 * side.
 */
function bandPart(p: Parameters): Tensor {
  const x = p.tensor("x");
  const [lower, upper] = [p.number("lower"), p.number("upper")];
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const result = zeros(x.dataType, x.shape);
  for (let i = 0; i < x.data.length; i++) {
    const below = Math.floor(i / columns) % rows - i % columns;
    const kept = (lower < 0 || below <= lower) && (upper < 0 || -below <= upper);
    if (kept) result.data[i] = x.data[i]!;
  }
  return result;
}

function fill(p: Parameters): Tensor {
  const value = p.tensor("value");
  const result = zeros(value.dataType, p.numbers("shape"));
  result.data.fill(p.number("value"));
  return result;
}

function range(p: Parameters): Tensor {
  const [start, end, step] = [p.number("start"), p.number("end"), p.number("step")];
  const values = progression(Math.max(0, Math.ceil((end - start) / step)), step, start);
  return tensorOf(p.tensor("start").dataType, [values.length], values);
}

/**
 * Vectors along `axis` with `on_value` at the index and `off_value` elsewhere; all `off_value` if the index is out of
 * range.
 */
function oneHot(p: Parameters): Tensor {
  const indices = p.tensor("indices");
  const on = p.tensor("on_value");
  const size = p.number("one_hot_vector_size");
  const axis = normalizeAxis(p.number("axis"), indices.shape.length + 1);
  const result = zeros(on.dataType, indices.shape.toSpliced(axis, 0, size));
  result.data.fill(p.number("off_value"));
  const { outer, inner } = lanes(result.shape, [axis]);
  indices.data.forEach((index, i) => {
    const place = inner[index];
    if (place !== undefined) result.data[outer[i]! + place] = p.number("on_value");
  });
  return result;
}

function stack(p: Parameters): Tensor {
  const values = p.list("values");
  const [first] = values;
  if (first === undefined || !values.every(({ shape }) => sameShape(shape, first.shape))) {
    throw new TypeError("values must have the same shape");
  }
  const axis = normalizeAxis(p.number("axis"), first.shape.length + 1);
  const result = zeros(first.dataType, first.shape.toSpliced(axis, 0, values.length));
  const { outer, inner } = lanes(result.shape, [axis]);
  values.forEach(({ data }, v) => data.forEach((element, i) => result.data[outer[i]! + inner[v]!] = element));
  return result;
}

function shapeOf(p: Parameters): Tensor {
  const { shape } = p.tensor("x");
  return tensorOf("int32", [shape.length], shape);
}

export const movement: Rows = {
  band_part: { values: ["x"], constants: ["lower", "upper"], compute: bandPart },
  concat: { values: ["values"], constants: ["axis", "interleave"], compute: concat },
  expand_dims: { values: ["x"], constants: ["axes"], compute: expandDims },
  fill: { values: ["shape"], constants: ["value"], compute: fill },
  one_hot: {
    values: ["indices", "one_hot_vector_size"],
    constants: ["axis", "on_value", "off_value"],
    compute: oneHot,
  },
  pad: { values: ["x", "pad"], constants: ["mode", "constant_val"], compute: pad },
  range_1d: row("start end step", range),
  reshape: row("x shape", reshape),
  reverse: { values: ["x"], constants: ["axes"], compute: reverse },
  shape: row("x", shapeOf),
  slice_by_index: {
    values: ["x", "begin", "end"],
    constants: ["stride", "begin_mask", "end_mask", "squeeze_mask"],
    compute: sliceByIndex,
  },
  slice_by_size: row("x begin size", sliceBySize),
  split: { values: ["x"], constants: ["split_sizes", "axis"], compute: split },
  squeeze: { values: ["x"], constants: ["axes"], compute: squeeze },
  stack: { values: ["values"], constants: ["axis"], compute: stack },
  tile: row("x reps", tile),
  transpose: { values: ["x"], constants: ["perm"], compute: transpose },
};
