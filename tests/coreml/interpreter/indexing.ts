/**
 * Gather and scatter. Indices out of range and negative indices are errors: on a device their behaviour is undefined,
 * so a lowering must keep indices in range.
 *
 * @module
 */

import { formatShape, sameShape, type Shape } from "../../../src/shape.ts";
import type { Parameters, Row, Rows } from "./operation.ts";
import { normalizeAxis, offsets, pick, progression, stridesOf, type Tensor } from "./tensor.ts";

function checkIndex(index: number, size: number): number {
  if (!(index >= 0 && index < size)) throw new RangeError(`index ${index} is outside a dimension of ${size}`);
  return index;
}

/** Requires that `validate_indices` is false. `true` may not work on devices, so Chromium avoids it too. */
function checkUnvalidated(p: Parameters): void {
  if (p.flag("validate_indices")) throw new TypeError("validate_indices must be false");
}

/** Requires that `batch_dims` is 0: no lowering needs batches, and Core ML has had bugs with them. */
function checkUnbatched(p: Parameters): void {
  if (p.number("batch_dims") !== 0) throw new TypeError("batch_dims must be 0");
}

function gather(p: Parameters): Tensor {
  checkUnvalidated(p);
  checkUnbatched(p);
  const x = p.tensor("x");
  const indices = p.tensor("indices");
  const axis = normalizeAxis(p.number("axis"), x.shape.length);
  const strides = stridesOf(x.shape);
  const tables = x.shape.map((dimension, i) =>
    i === axis
      ? Array.from(indices.data, (index) => checkIndex(index, dimension) * strides[i]!)
      : progression(dimension, strides[i]!)
  );
  return pick(x, x.shape.toSpliced(axis, 1, ...indices.shape), offsets(tables));
}

/** The offsets in `shape` of the elements that `indices` picks along one axis. */
function placesAlongAxis(shape: Shape, indices: Tensor, axis: number): Int32Array {
  const fits = indices.shape.length === shape.length &&
    indices.shape.every((dimension, i) => i === axis || dimension === shape[i]);
  if (!fits) throw new TypeError(`indices ${formatShape(indices.shape)} do not fit ${formatShape(shape)}`);
  const strides = stridesOf(shape);
  const places = offsets(
    indices.shape.map((dimension, i) => progression(dimension, i === axis ? 0 : strides[i]!)),
  );
  return places.map((place, i) => place + checkIndex(indices.data[i]!, shape[axis]!) * strides[axis]!);
}

function gatherAlongAxis(p: Parameters): Tensor {
  checkUnvalidated(p);
  const x = p.tensor("x");
  const indices = p.tensor("indices");
  return pick(x, indices.shape, placesAlongAxis(x.shape, indices, normalizeAxis(p.number("axis"), x.shape.length)));
}

/** The offsets of the slices that index vectors pick in `shape`, and the shape of all of them. */
function slicesOf(shape: Shape, indices: Tensor): { places: Int32Array; shape: Shape } {
  const depth = indices.shape.at(-1);
  if (depth === undefined || depth > shape.length) {
    throw new TypeError(`index vectors must have 1 to ${shape.length} elements, not ${depth}`);
  }
  const strides = stridesOf(shape);
  const starts = Array.from({ length: indices.data.length / depth }, (_, vector) => {
    const parts = progression(depth, 1).map((i) =>
      checkIndex(indices.data[vector * depth + i]!, shape[i]!) * strides[i]!
    );
    return parts.reduce((sum, part) => sum + part, 0);
  });
  const slice = shape.slice(depth).map((dimension, i) => progression(dimension, strides[depth + i]!));
  return { places: offsets([starts, ...slice]), shape: [...indices.shape.slice(0, -1), ...shape.slice(depth)] };
}

function gatherNd(p: Parameters): Tensor {
  checkUnvalidated(p);
  checkUnbatched(p);
  const x = p.tensor("x");
  const { places, shape } = slicesOf(x.shape, p.tensor("indices"));
  return pick(x, shape, places);
}

type Combine = (old: number, update: number) => number;

const MODES: Record<string, Combine> = {
  add: (old, update) => old + update,
  div: (old, update) => old / update,
  max: Math.max,
  min: Math.min,
  mul: (old, update) => old * update,
  sub: (old, update) => old - update,
  update: (_, update) => update,
};

/** The data, with each update combined into its place, in order. */
function scatter(
  p: Parameters,
  placesOf: (data: Tensor, indices: Tensor) => { places: Int32Array; shape: Shape },
): Tensor {
  checkUnvalidated(p);
  const data = p.tensor("data");
  const updates = p.tensor("updates");
  const { places, shape } = placesOf(data, p.tensor("indices"));
  if (updates.dataType !== data.dataType || !sameShape(updates.shape, shape)) {
    throw new TypeError(`updates must be ${data.dataType} ${formatShape(shape)}, not ${formatShape(updates.shape)}`);
  }
  const combine = MODES[p.text("mode", Object.keys(MODES))]!;
  const result = { ...data, data: data.data.slice() };
  places.forEach((place, i) => result.data[place] = combine(result.data[place]!, updates.data[i]!));
  return result;
}

function scatterAlongAxis(p: Parameters): Tensor {
  return scatter(p, ({ shape }, indices) => {
    const places = placesAlongAxis(shape, indices, normalizeAxis(p.number("axis"), shape.length));
    return { places, shape: indices.shape };
  });
}

function scatterNd(p: Parameters): Tensor {
  return scatter(p, ({ shape }, indices) => slicesOf(shape, indices));
}

function gathering(constants: readonly string[], compute: Row["compute"]): Row {
  return { values: ["x", "indices"], constants: [...constants, "validate_indices"], compute };
}

function scattering(constants: readonly string[], compute: Row["compute"]): Row {
  return { values: ["data", "indices", "updates"], constants: [...constants, "mode", "validate_indices"], compute };
}

export const indexing: Rows = {
  gather: gathering(["axis", "batch_dims"], gather),
  gather_along_axis: gathering(["axis"], gatherAlongAxis),
  gather_nd: gathering(["batch_dims"], gatherNd),
  scatter_along_axis: scattering(["axis"], scatterAlongAxis),
  scatter_nd: scattering([], scatterNd),
};
