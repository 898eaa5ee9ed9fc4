/**
 * Batch, instance and layer normalisation.
 *
 * @module
 */

import { formatShape, sameShape, type Shape } from "../../../src/shape.ts";
import type { Parameters, Rows } from "./operation.ts";
import { type Elements, lanes, normalizeAxes, type Tensor, zeros } from "./tensor.ts";

/** The elements of a parameter, which must have `shape`; `undefined` if it is missing. */
function elementsOf(p: Parameters, name: string, shape: Shape): Elements | undefined {
  const tensor = p.optional(name);
  if (tensor !== undefined && !sameShape(tensor.shape, shape)) {
    throw new TypeError(`${name} must have the shape ${formatShape(shape)}, not ${formatShape(tensor.shape)}`);
  }
  return tensor?.data;
}

function checkRank(x: Tensor, min: number, max: number): void {
  const rank = x.shape.length;
  if (rank < min || rank > max) throw new TypeError(`x must have rank ${min} to ${max}, not ${rank}`);
}

/** Axis 1 is the channels; mean, variance, gamma and beta have one element per channel. */
function batchNorm(p: Parameters): Tensor {
  const x = p.tensor("x");
  checkRank(x, 3, 5);
  const channels = [x.shape[1]!];
  const mean = elementsOf(p, "mean", channels)!;
  const variance = elementsOf(p, "variance", channels)!;
  const gamma = elementsOf(p, "gamma", channels);
  const beta = elementsOf(p, "beta", channels);
  const epsilon = p.number("epsilon");
  const { outer, inner } = lanes(x.shape, x.shape.map((_, axis) => axis).filter((axis) => axis !== 1));
  const result = zeros(x.dataType, x.shape);
  for (let c = 0; c < outer.length; c++) {
    const scale = (gamma?.[c] ?? 1) / Math.sqrt(variance[c]! + epsilon);
    for (const place of inner) {
      const i = outer[c]! + place;
      result.data[i] = (x.data[i]! - mean[c]!) * scale + (beta?.[c] ?? 0);
    }
  }
  return result;
}

/** Normalises each lane along `axes` with its own mean and variance. */
function normalize(
  x: Tensor,
  axes: readonly number[],
  epsilon: number,
  gammaOf: (lane: number, position: number) => number,
  betaOf: (lane: number, position: number) => number,
): Tensor {
  const { outer, inner } = lanes(x.shape, axes);
  const result = zeros(x.dataType, x.shape);
  for (let i = 0; i < outer.length; i++) {
    const start = outer[i]!;
    let mean = 0;
    for (const place of inner) mean += x.data[start + place]! / inner.length;
    let variance = 0;
    for (const place of inner) variance += (x.data[start + place]! - mean) ** 2 / inner.length;
    const scale = 1 / Math.sqrt(variance + epsilon);
    for (let j = 0; j < inner.length; j++) {
      const place = start + inner[j]!;
      result.data[place] = (x.data[place]! - mean) * scale * gammaOf(i, j) + betaOf(i, j);
    }
  }
  return result;
}

/** A lane spans the spatial axes; gamma and beta have one element per channel. */
function instanceNorm(p: Parameters): Tensor {
  const x = p.tensor("x");
  checkRank(x, 3, 4);
  const channels = x.shape[1]!;
  const gamma = elementsOf(p, "gamma", [channels]);
  const beta = elementsOf(p, "beta", [channels]);
  const axes = x.shape.map((_, axis) => axis).slice(2);
  const channelOf = (lane: number) => lane % channels;
  return normalize(
    x,
    axes,
    p.number("epsilon"),
    (lane) => gamma?.[channelOf(lane)] ?? 1,
    (lane) => beta?.[channelOf(lane)] ?? 0,
  );
}

/** Gamma and beta have the shape of a lane. Axes that are not sorted and consecutive crash Core ML on some devices. */
function layerNorm(p: Parameters): Tensor {
  const x = p.tensor("x");
  const axes = normalizeAxes(p.numbers("axes"), x.shape.length);
  if (axes.length === 0 || axes.some((axis, i) => axis !== axes[0]! + i)) {
    throw new TypeError(`axes must be sorted and consecutive, not [${axes}]`);
  }
  const shape = axes.map((axis) => x.shape[axis]!);
  const gamma = elementsOf(p, "gamma", shape);
  const beta = elementsOf(p, "beta", shape);
  return normalize(
    x,
    axes,
    p.number("epsilon"),
    (_, position) => gamma?.[position] ?? 1,
    (_, position) => beta?.[position] ?? 0,
  );
}

const optional = ["gamma", "beta"];

export const normalization: Rows = {
  batch_norm: {
    values: ["x"],
    constants: ["mean", "variance", "gamma", "beta", "epsilon"],
    optional,
    compute: batchNorm,
  },
  instance_norm: { values: ["x"], constants: ["gamma", "beta", "epsilon"], optional, compute: instanceNorm },
  layer_norm: { values: ["x"], constants: ["axes", "gamma", "beta", "epsilon"], optional, compute: layerNorm },
};
