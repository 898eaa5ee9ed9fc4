/**
 * Element-wise operations on one tensor: mathematics, activations and `cast`.
 *
 * @see https://apple.github.io/coremltools/source/coremltools.converters.mil.mil.ops.defs.html
 * @module
 */

import { roundEven } from "../../reference/round.ts";
import { erf, erfc, sigmoid, softplus } from "../../reference/special_functions.ts";
import { family, names, type Parameters, type Row, row, type Rows } from "./operation.ts";
import { isFloat, type NumericType, type Tensor, zeros } from "./tensor.ts";

/** Applies a function to each element. */
export function map(x: Tensor, compute: (x: number) => number, dataType: NumericType = x.dataType): Tensor {
  const result = zeros(dataType, x.shape);
  for (let i = 0; i < x.data.length; i++) result.data[i] = compute(x.data[i]!);
  return result;
}

const FUNCTIONS: Record<string, (x: number) => number> = {
  abs: Math.abs,
  acos: Math.acos,
  asin: Math.asin,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  erf,
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  floor: Math.floor,
  identity: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  round: roundEven,
  sigmoid,
  sign: Math.sign,
  sin: Math.sin,
  sinh: Math.sinh,
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
};

const unary = family(FUNCTIONS, (compute) => row("x", (p) => map(p.tensor("x"), compute)));

/** Functions of an element plus epsilon. */
const withEpsilon = family<(x: number) => number>(
  { inverse: (x) => 1 / x, log: Math.log, rsqrt: (x) => 1 / Math.sqrt(x) },
  (compute) => ({
    values: ["x"],
    constants: ["epsilon"],
    compute: (p) => {
      const epsilon = p.number("epsilon");
      return map(p.tensor("x"), (x) => compute(x + epsilon));
    },
  }),
);

/** A function of an element with scalar parameters. */
function parametric(scalars: string, make: (...scalars: number[]) => (x: number) => number): Row {
  const constants = names(scalars);
  return {
    values: ["x"],
    constants,
    compute: (p) => map(p.tensor("x"), make(...constants.map((name) => p.number(name)))),
  };
}

const activations: Rows = {
  clip: parametric("alpha beta", (low, high) => (x) => Math.min(Math.max(x, low!), high!)),
  elu: parametric("alpha", (alpha) => (x) => x > 0 ? x : alpha! * Math.expm1(x)),
  leaky_relu: parametric("alpha", (alpha) => (x) => x >= 0 ? x : alpha! * x),
  linear_activation: parametric("alpha beta", (alpha, beta) => (x) => alpha! * x + beta!),
  scaled_tanh: parametric("alpha beta", (alpha, beta) => (x) => alpha! * Math.tanh(beta! * x)),
  sigmoid_hard: parametric("alpha beta", (alpha, beta) => (x) => Math.min(Math.max(alpha! * x + beta!, 0), 1)),
  threshold: parametric("alpha", (alpha) => (x) => Math.max(x, alpha!)),
  gelu: { values: ["x"], constants: ["mode"], compute: (p) => map(p.tensor("x"), geluOf(p)) },
  prelu: { values: ["x"], constants: ["alpha"], compute: prelu },
  square: row("x", square),
};

function geluOf(p: Parameters): (x: number) => number {
  switch (p.text("mode", ["EXACT", "TANH_APPROXIMATION", "SIGMOID_APPROXIMATION"])) {
    case "EXACT":
      return (x) => 0.5 * x * erfc(-x / Math.SQRT2);
    case "TANH_APPROXIMATION":
      return (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    case "SIGMOID_APPROXIMATION":
      return (x) => x * sigmoid(1.702 * x);
  }
}

function square(p: Parameters): Tensor {
  const x = p.tensor("x");
  return map(x, isFloat(x.dataType) ? (x) => x * x : (x) => Math.imul(x, x));
}

/** `alpha` has one element per channel; channels are axis 1. */
function prelu(p: Parameters): Tensor {
  const x = p.tensor("x");
  const alpha = p.tensor("alpha");
  if (x.shape.length < 3 || x.shape.length > 5) throw new TypeError(`x must have rank 3 to 5, not ${x.shape.length}`);
  const channels = x.shape[1]!;
  if (alpha.shape.length !== 1 || alpha.shape[0] !== channels) {
    throw new TypeError(`alpha must have an element for each of ${channels} channels`);
  }
  // Core ML supports only equal elements in these ranks, and coremltools checks it.
  if (x.shape.length !== 4 && alpha.data.some((slope) => slope !== alpha.data[0])) {
    throw new TypeError(`alpha must have equal elements if x has rank ${x.shape.length}`);
  }
  const plane = x.shape.slice(2).reduce((product, dimension) => product * dimension, 1);
  const result = zeros(x.dataType, x.shape);
  for (let i = 0; i < x.data.length; i++) {
    const value = x.data[i]!;
    result.data[i] = value > 0 ? value : alpha.data[Math.floor(i / plane) % channels]! * value;
  }
  return result;
}

const CAST_TYPES = ["fp32", "fp16", "int32", "int8", "uint8", "bool"] as const;

const LIMITS: Partial<Record<NumericType, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
};

function cast(p: Parameters): Tensor {
  const x = p.tensor("x");
  const dataType = p.text("dtype", CAST_TYPES);
  if (dataType === "bool") return map(x, (x) => x !== 0 ? 1 : 0, dataType);
  const limits = LIMITS[dataType];
  // Conversions between integers keep the low bits, as in NumPy. The result for a float out of range is unspecified;
  // as on ARM processors, it is truncated and saturated here, and NaN becomes 0.
  if (limits === undefined || !isFloat(x.dataType)) return map(x, (x) => x, dataType);
  return map(x, (x) => Math.min(Math.max(Math.trunc(x), limits[0]), limits[1]), dataType);
}

export const elementwise: Rows = {
  ...unary,
  ...withEpsilon,
  ...activations,
  cast: { values: ["x"], constants: ["dtype"], compute: cast },
};
