/**
 * Reductions, argmin and argmax, cumsum and softmax.
 *
 * @module
 */

import { family, type Parameters, type Row, type Rows } from "./operation.ts";
import { isFloat, lanes, normalizeAxes, normalizeAxis, type Tensor, zeros } from "./tensor.ts";

/** A function of the elements of a lane. */
type Fold = (lane: Float64Array) => number;

function sum(lane: Float64Array, term: (x: number) => number = (x) => x): number {
  let total = 0;
  for (const x of lane) total += term(x);
  return total;
}

/** Products of integers wrap, and their float64 product need not be exact. */
function product(lane: Float64Array, multiply: (x: number, y: number) => number): number {
  return lane.reduce(multiply, 1);
}

function sumSquareOfIntegers(lane: Float64Array): number {
  return sum(lane, (x) => Math.imul(x, x));
}

function largest(lane: Float64Array): number {
  return lane.reduce((max, x) => Math.max(max, x), -Infinity);
}

function smallest(lane: Float64Array): number {
  return lane.reduce((min, x) => Math.min(min, x), Infinity);
}

/** log Σeˣ without overflow. The largest element may be infinite. */
function logSumExp(lane: Float64Array): number {
  const max = largest(lane);
  return Number.isFinite(max) ? max + Math.log(sum(lane, (x) => Math.exp(x - max))) : max;
}

interface Reduction {
  readonly float: Fold;
  /** For integers, if different from floats. Stored results are truncated and wrap. */
  readonly integer?: Fold;
}

const REDUCTIONS: Record<string, Reduction> = {
  reduce_l1_norm: { float: (lane) => sum(lane, Math.abs) },
  reduce_l2_norm: {
    float: (lane) => Math.sqrt(sum(lane, (x) => x * x)),
    integer: (lane) => Math.trunc(Math.sqrt(sumSquareOfIntegers(lane))),
  },
  reduce_log_sum: { float: (lane) => Math.log(sum(lane)) },
  reduce_log_sum_exp: { float: logSumExp },
  reduce_max: { float: largest },
  reduce_mean: { float: (lane) => sum(lane) / lane.length },
  reduce_min: { float: smallest },
  reduce_prod: { float: (lane) => product(lane, (x, y) => x * y), integer: (lane) => product(lane, Math.imul) },
  reduce_sum: { float: (lane) => sum(lane) },
  reduce_sum_square: { float: (lane) => sum(lane, (x) => x * x), integer: sumSquareOfIntegers },
};

function reduce({ float, integer = float }: Reduction): Row {
  return {
    values: ["x"],
    constants: ["axes", "keep_dims"],
    compute: (p) => {
      const x = p.tensor("x");
      const axes = normalizeAxes(p.numbers("axes"), x.shape.length);
      if (axes.length === 0) throw new TypeError("axes must not be empty: Core ML rejects that");
      return foldLanes(x, axes, p.flag("keep_dims"), x, isFloat(x.dataType) ? float : integer);
    },
  };
}

function foldLanes(
  x: Tensor,
  axes: readonly number[],
  keep: boolean,
  { dataType }: Pick<Tensor, "dataType">,
  fold: Fold,
) {
  const { outer, inner } = lanes(x.shape, axes);
  const shape = keep
    ? x.shape.map((dimension, axis) => axes.includes(axis) ? 1 : dimension)
    : x.shape.filter((_, axis) => !axes.includes(axis));
  const result = zeros(dataType, shape);
  const lane = new Float64Array(inner.length);
  for (let i = 0; i < outer.length; i++) {
    for (let j = 0; j < inner.length; j++) lane[j] = x.data[outer[i]! + inner[j]!]!;
    result.data[i] = fold(lane);
  }
  return result;
}

/** The position of the extreme. If several are equal, NumPy returns the first; Apple does not define it. */
const ARGUMENTS: Record<string, Fold> = {
  reduce_argmax: (lane) => lane.indexOf(largest(lane)),
  reduce_argmin: (lane) => lane.indexOf(smallest(lane)),
};

const argumentReductions = family(ARGUMENTS, (fold) => ({
  values: ["x"],
  constants: ["axis", "keep_dims", "output_dtype"],
  compute: (p) => {
    const x = p.tensor("x");
    const axis = normalizeAxis(p.number("axis"), x.shape.length);
    const dataType = p.text("output_dtype", ["int32"]);
    return foldLanes(x, [axis], p.flag("keep_dims"), { dataType }, fold);
  },
}));

function cumsum(p: Parameters): Tensor {
  const x = p.tensor("x");
  const { outer, inner } = lanes(x.shape, [normalizeAxis(p.number("axis"), x.shape.length)]);
  const exclusive = p.flag("exclusive");
  const places = p.flag("reverse") ? inner.toReversed() : inner;
  const result = zeros(x.dataType, x.shape);
  for (const start of outer) {
    let total = 0;
    for (const place of places) {
      const before = total;
      total += x.data[start + place]!;
      result.data[start + place] = exclusive ? before : total;
    }
  }
  return result;
}

function softmax(p: Parameters): Tensor {
  const x = p.tensor("x");
  const { outer, inner } = lanes(x.shape, [normalizeAxis(p.number("axis"), x.shape.length)]);
  const result = zeros(x.dataType, x.shape);
  const lane = new Float64Array(inner.length);
  for (const start of outer) {
    for (let j = 0; j < inner.length; j++) lane[j] = x.data[start + inner[j]!]!;
    const max = largest(lane);
    const total = sum(lane, (x) => Math.exp(x - max));
    for (let j = 0; j < inner.length; j++) result.data[start + inner[j]!] = Math.exp(lane[j]! - max) / total;
  }
  return result;
}

export const reduction: Rows = {
  ...family(REDUCTIONS, reduce),
  ...argumentReductions,
  cumsum: { values: ["x"], constants: ["axis", "exclusive", "reverse"], compute: cumsum },
  softmax: { values: ["x"], constants: ["axis"], compute: softmax },
};
