/**
 * Random valid arguments for every operator.
 *
 * @module
 */

import type { OperatorName } from "../../src/ops/operators.ts";
import { isFloat, OPERATORS, type RefDataType, sizeOf } from "../reference/mod.ts";
import { indexDomain } from "../support/operand_values.ts";
import type { Random } from "../../support/random.ts";
import { forEachUnary } from "../support/rows.ts";
import {
  ABOVE_ZERO,
  ANYTHING,
  type Arguments,
  between,
  type Constraint,
  type Draft,
  isTrue,
  MAX_RANK,
  maybe,
  NOT_ZERO,
  partOf,
  randomShape,
  TAME,
  TRUTH,
  type Value,
} from "./draft.ts";
import { convolutions, pools, recurrent, resample2d } from "./windows.ts";

/** Creates the arguments of one call; `undefined` if the operands that it got allow none. */
export type Generate = (draft: Draft) => Arguments | undefined;

type Attributes = (next: Random, known: Value) => Readonly<Record<string, unknown>>;

const FROM_RANK_1 = [1, MAX_RANK] as const;

function unary(constraint: Constraint = ANYTHING, attributes: Attributes = () => ({}), operand = "input"): Generate {
  return (draft) => {
    const known = draft.any(operand, constraint);
    return { operands: { [operand]: known }, attributes: attributes(draft.next, known) };
  };
}

function binary(
  constraintA: Constraint,
  constraintB: Constraint,
  [a, b]: readonly [string, string] = ["a", "b"],
): Generate {
  return (draft) => {
    const first = draft.any(a, constraintA);
    return {
      operands: { [a]: first, [b]: draft.broadcasting(first.tensor.dataType, first.tensor.shape, constraintB) },
    };
  };
}

/** One operand with rank 1 or more, and one of its axes. */
function alongAxis(constraint: Constraint, attributes: Attributes = () => ({})): Generate {
  return (draft) => {
    const input = draft.any("input", constraint, FROM_RANK_1);
    const axis = anyAxis(draft.next, input);
    return { operands: { input }, attributes: { axis, ...attributes(draft.next, input) } };
  };
}

function anyAxis(next: Random, { tensor: { shape } }: Value): number {
  return next.integer(0, shape.length - 1);
}

/** Some of the axes in any order. */
function someAxes(next: Random, rank: number): number[] {
  return shuffledAxes(next, rank).slice(0, next.integer(0, rank));
}

function shuffledAxes(next: Random, rank: number): number[] {
  return distinct(next, rank, rank);
}

/** `count` different integers from 0 to `limit` - 1. */
function distinct(next: Random, count: number, limit: number): number[] {
  return Array.from({ length: limit }, (_, i) => ({ i, key: next() })).sort((a, b) => a.key - b.key).map(({ i }) => i)
    .slice(0, count);
}

function reduction(constraint: Constraint): Generate {
  return unary(constraint, (next, { tensor: { shape } }) => ({
    ...maybe(next, "axes", () => someAxes(next, shape.length)),
    keepDimensions: isTrue(next),
  }));
}

const clamp = unary(ANYTHING, (next) => {
  const [minValue, maxValue] = [next.integer(-9, 9) / 2, next.integer(-9, 9) / 2].sort((a, b) => a - b);
  return { ...maybe(next, "minValue", () => minValue), ...maybe(next, "maxValue", () => maxValue) };
});

const alpha: Attributes = (next) => maybe(next, "alpha", () => next.integer(-8, 8) / 4);
const alphaAndBeta: Attributes = (next, known) => ({
  ...alpha(next, known),
  ...maybe(next, "beta", () => next.integer(-8, 8) / 4),
});

const batchNormalization: Generate = (draft) => {
  const input = draft.any("input", TAME, FROM_RANK_1);
  const axis = anyAxis(draft.next, input);
  const { dataType, shape } = input.tensor;
  const channel = (constraint: Constraint) => draft.exact(dataType, [shape[axis]!], constraint);
  return {
    operands: {
      input,
      mean: channel(TAME),
      variance: channel(ABOVE_ZERO),
      ...maybe(draft.next, "scale", () => channel(TAME)),
      ...maybe(draft.next, "bias", () => channel(TAME)),
    },
    attributes: { axis, ...maybe(draft.next, "epsilon", () => 0.125) },
  };
};

const instanceNormalization: Generate = (draft) => {
  const input = draft.any("input", TAME, [4, 4]);
  const layout = draft.next.pick(["nchw", "nhwc"]);
  const channel = () => draft.exact(input.tensor.dataType, [input.tensor.shape[layout.indexOf("c")]!], TAME);
  return {
    operands: {
      input,
      ...maybe(draft.next, "scale", channel),
      ...maybe(draft.next, "bias", channel),
    },
    attributes: { layout, epsilon: draft.next.pick([1e-3, 0.25]) },
  };
};

const layerNormalization: Generate = (draft) => {
  const input = draft.any("input", TAME);
  const { dataType, shape } = input.tensor;
  const axes = someAxes(draft.next, shape.length);
  const parameter = () => draft.exact(dataType, axes.map((axis) => shape[axis]!), TAME);
  return {
    operands: { input, ...maybe(draft.next, "scale", parameter), ...maybe(draft.next, "bias", parameter) },
    attributes: { axes, epsilon: draft.next.pick([1e-3, 0.25]) },
  };
};

const concat: Generate = (draft) => {
  const first = draft.any("inputs", ANYTHING, FROM_RANK_1);
  const axis = anyAxis(draft.next, first);
  const { dataType, shape } = first.tensor;
  const others = Array.from(
    { length: draft.next.integer(0, 3) },
    () => draft.exact(dataType, shape.with(axis, draft.next.integer(1, 3)), ANYTHING),
  );
  return { operands: { inputs: [first, ...others] }, attributes: { axis } };
};

const expand = unary(ANYTHING, (next, { tensor: { shape } }) => ({
  newShape: [
    ...randomShape(next, [0, Math.min(2, MAX_RANK - shape.length)]),
    ...shape.map((dimension) => dimension === 1 ? next.integer(1, 3) : dimension),
  ],
}));

const pad = unary(ANYTHING, (next, { tensor: { shape } }) => {
  const mode = next.pick(["constant", "edge", "reflection"]);
  const padding = () =>
    shape.map((dimension) => next.integer(0, mode === "reflection" ? Math.min(2, dimension - 1) : 1));
  return {
    beginningPadding: padding(),
    endingPadding: padding(),
    mode,
    ...maybe(next, "value", () => next.pick([1.75, -3.5, 300])),
  };
});

const reshape = unary(ANYTHING, (next, { tensor: { shape } }) => {
  const dimensions = shuffledAxes(next, shape.length).map((axis) => shape[axis]!);
  const newShape = next.pick([dimensions, [sizeOf(shape)], shape.length < MAX_RANK ? [1, ...dimensions] : dimensions]);
  return { newShape };
});

const slice = unary(ANYTHING, (next, { tensor: { shape } }) => {
  const starts = shape.map((dimension) => next.integer(0, dimension - 1));
  const sizes = shape.map((dimension, axis) => next.integer(1, dimension - starts[axis]!));
  return { starts, sizes, ...maybe(next, "strides", () => sizes.map((size) => next.integer(1, size))) };
});

const split: Generate = (draft) => {
  const input = draft.any("input", ANYTHING, FROM_RANK_1);
  const axis = anyAxis(draft.next, input);
  const dimension = input.tensor.shape[axis]!;
  const first = draft.next.integer(1, dimension);
  const parts = first === dimension ? [first] : [first, dimension - first];
  return { operands: { input }, attributes: { axis, splits: draft.next.pick([dimension, parts]) } };
};

const triangular: Generate = (draft) => ({
  operands: { input: draft.any("input", ANYTHING, [2, MAX_RANK]) },
  attributes: {
    upper: isTrue(draft.next),
    diagonal: draft.next.pick([draft.next.integer(-3, 3), -(2 ** 31), 2 ** 31 - 1]),
  },
});

const where: Generate = (draft) => {
  const trueValue = draft.any("trueValue", ANYTHING);
  const { dataType, shape } = trueValue.tensor;
  return {
    operands: {
      condition: draft.broadcasting("uint8", shape, TRUTH),
      trueValue,
      falseValue: draft.exact(dataType, draft.next() < 0.5 ? shape : partOf(draft.next, shape), ANYTHING),
    },
  };
};

/** Existing values of the program as indices, which WebNN clamps; or new indices that count from either end. */
function indices(draft: Draft, shape: readonly number[], dimension: number): Value {
  return draft.exact(draft.type("indices"), shape, { domain: indexDomain(dimension), accepts: () => true });
}

const gather: Generate = (draft) => {
  const input = draft.any("input", ANYTHING, FROM_RANK_1);
  const axis = anyAxis(draft.next, input);
  const rank = Math.min(2, MAX_RANK + 1 - input.tensor.shape.length);
  const shape = randomShape(draft.next, [0, rank]);
  return { operands: { input, indices: indices(draft, shape, input.tensor.shape[axis]!) }, attributes: { axis } };
};

const gatherElements: Generate = (draft) => {
  const input = draft.any("input", ANYTHING, FROM_RANK_1);
  const axis = anyAxis(draft.next, input);
  const { shape } = input.tensor;
  const positions = indices(draft, shape.with(axis, draft.next.integer(1, 4)), shape[axis]!);
  return { operands: { input, indices: positions }, attributes: { axis } };
};

const gatherND: Generate = (draft) => {
  const input = draft.any("input", ANYTHING, FROM_RANK_1);
  const { shape } = input.tensor;
  const size = draft.next.integer(1, shape.length);
  const batch = randomShape(draft.next, [0, Math.min(2, MAX_RANK - shape.length + size)]);
  return { operands: { input, indices: indices(draft, [...batch, size], Math.max(...shape)) } };
};

/** New indices for different positions; some of them count from the end. */
function positions(
  draft: Draft,
  shape: readonly number[],
  targets: readonly (readonly [position: number, size: number])[],
): Value {
  const dataType = draft.type("indices");
  const fromEnd = dataType.startsWith("uint") ? 0 : 0.5;
  const list = targets.map(([position, size]) => draft.next() < fromEnd ? position - size : position);
  return draft.fresh(dataType, shape, { float: [0, 0], list: () => list });
}

// No element is updated twice, because WebNN does not define which update is the last.
const scatterElements: Generate = (draft) => {
  const input = draft.any("input", ANYTHING, FROM_RANK_1);
  const { dataType, shape } = input.tensor;
  const axis = anyAxis(draft.next, input);
  const size = shape[axis]!;
  const chosen = distinct(draft.next, draft.next.integer(1, size), size);
  const indicesShape = shape.with(axis, chosen.length);
  const stride = sizeOf(shape.slice(axis + 1));
  const targets = Array.from(
    { length: sizeOf(indicesShape) },
    (_, i) => [chosen[Math.floor(i / stride) % chosen.length]!, size] as const,
  );
  return {
    operands: {
      input,
      indices: positions(draft, indicesShape, targets),
      updates: draft.exact(dataType, indicesShape, ANYTHING),
    },
    attributes: { axis },
  };
};

const scatterND: Generate = (draft) => {
  const input = draft.any("input", ANYTHING, FROM_RANK_1);
  const { dataType, shape } = input.tensor;
  const sizes = shape.slice(0, draft.next.integer(1, shape.length));
  const chosen = distinct(draft.next, draft.next.integer(1, sizeOf(sizes)), sizeOf(sizes));
  const targets = chosen.flatMap((target) =>
    sizes.map((size, axis) => [Math.floor(target / sizeOf(sizes.slice(axis + 1))) % size, size] as const)
  );
  return {
    operands: {
      input,
      indices: positions(draft, [chosen.length, sizes.length], targets),
      updates: draft.exact(dataType, [chosen.length, ...shape.slice(sizes.length)], ANYTHING),
    },
  };
};

const matmul: Generate = (draft) => {
  const a = draft.any("a", TAME, [2, MAX_RANK]);
  const { dataType, shape } = a.tensor;
  const batch = draft.next() < 0.5 ? shape.slice(0, -2) : partOf(draft.next, shape.slice(0, -2));
  return { operands: { a, b: draft.exact(dataType, [...batch, shape.at(-1)!, draft.next.integer(1, 4)], TAME) } };
};

const gemm: Generate = (draft) => {
  const a = draft.any("a", TAME, [2, 2]);
  const { dataType, shape } = a.tensor;
  const [aTranspose, bTranspose] = [isTrue(draft.next), isTrue(draft.next)];
  const [rows, inner] = (aTranspose ? shape.toReversed() : shape) as [number, number];
  const columns = draft.next.integer(1, 4);
  return {
    operands: {
      a,
      b: draft.exact(dataType, bTranspose ? [columns, inner] : [inner, columns], TAME),
      ...maybe(draft.next, "c", () => draft.exact(dataType, partOf(draft.next, [rows, columns]), TAME)),
    },
    attributes: {
      aTranspose,
      bTranspose,
      ...alphaAndBeta(draft.next, a),
    },
  };
};

/** A shape for scale and zero point: one for each element, for all elements, or for blocks. */
function blocks(next: Random, shape: readonly number[]): number[] {
  const divisor = (dimension: number) =>
    next.pick(Array.from({ length: dimension }, (_, i) => i + 1).filter((i) => dimension % i === 0));
  return shape.map(divisor);
}

const FEW = between(-2, 2, [-10, 10]);

const dequantizeLinear: Generate = (draft) => {
  const input = draft.any("input", between(0, 0, [-1000, 1000]));
  const { dataType, shape } = input.tensor;
  const scale = draft.exact(draft.type("scale"), blocks(draft.next, shape), ABOVE_ZERO);
  return { operands: { input, scale, zeroPoint: draft.exact(dataType, scale.tensor.shape, FEW) } };
};

const quantizeLinear: Generate = (draft) => {
  const input = draft.any("input", TAME);
  const { dataType, shape } = input.tensor;
  const scale = draft.exact(dataType, blocks(draft.next, shape), ABOVE_ZERO);
  return { operands: { input, scale, zeroPoint: draft.exact(draft.type("zeroPoint"), scale.tensor.shape, FEW) } };
};

const FLOAT_BASE = between(0.1, 8);
const FLOAT_EXPONENT = between(-3, 3);
/** The base is positive if it is a float, and not 0 if it is an integer, so that any exponent is valid. */
const pow: Generate = (draft) => {
  const a = draft.any("a", {
    ...NOT_ZERO,
    accepts: (x, type) => isFloat(type) ? FLOAT_BASE.accepts(x, type) : x !== 0,
  });
  const { dataType, shape } = a.tensor;
  if (isFloat(dataType) && !a.tensor.data.every((x) => FLOAT_BASE.accepts(Number(x), dataType))) return undefined;
  const exponent = isFloat(dataType) ? FLOAT_EXPONENT : between(0, 0, [-3, 70]);
  return { operands: { a, b: draft.broadcasting(dataType, shape, exponent) } };
};

const CAST_TYPES: readonly RefDataType[] = [
  "float32",
  "float16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "int8",
  "uint8",
];

const arithmetic = binary(ANYTHING, ANYTHING);
const logical = binary(TRUTH, TRUTH);
/** Operators with one operand: any values, or the values for which their tolerance is defined. */
const unaries = forEachUnary((name, operand) => {
  const { domain } = OPERATORS[name]!;
  return unary(domain && between(...domain), undefined, operand);
});
const argMinMax = alongAxis(TAME, (next) => ({
  keepDimensions: isTrue(next),
  outputDataType: next.pick(["int32", "int64"]),
}));

/** The generators of arguments, by operator. */
export const ARGUMENTS: Readonly<Record<OperatorName, Generate>> = {
  ...unaries,
  ...convolutions,
  ...pools,
  ...recurrent,
  resample2d,
  argMin: argMinMax,
  argMax: argMinMax,
  batchNormalization,
  cast: unary(ANYTHING, (next) => ({ dataType: next.pick(CAST_TYPES) })),
  clamp,
  concat,
  cumulativeSum: alongAxis(TAME, (next) => ({ exclusive: isTrue(next), reversed: isTrue(next) })),
  add: arithmetic,
  sub: arithmetic,
  mul: arithmetic,
  div: binary(ANYTHING, NOT_ZERO),
  max: arithmetic,
  min: arithmetic,
  pow,
  equal: arithmetic,
  notEqual: arithmetic,
  greater: arithmetic,
  greaterOrEqual: arithmetic,
  lesser: arithmetic,
  lesserOrEqual: arithmetic,
  logicalAnd: logical,
  logicalOr: logical,
  logicalXor: logical,
  dequantizeLinear,
  quantizeLinear,
  elu: unary(ANYTHING, alpha),
  expand,
  gather,
  gatherElements,
  gatherND,
  gemm,
  hardSigmoid: unary(ANYTHING, alphaAndBeta),
  instanceNormalization,
  layerNormalization,
  leakyRelu: unary(ANYTHING, alpha),
  linear: unary(ANYTHING, alphaAndBeta),
  matmul,
  pad,
  prelu: binary(ANYTHING, ANYTHING, ["input", "slope"]),
  reduceL1: reduction(TAME),
  reduceL2: reduction(TAME),
  reduceLogSum: reduction(ABOVE_ZERO),
  reduceLogSumExp: reduction(TAME),
  // No NaN, because the standard does not define the result.
  reduceMax: reduction(TAME),
  reduceMean: reduction(TAME),
  reduceMin: reduction(TAME),
  reduceProduct: reduction(between(-2, 2)),
  reduceSum: reduction(TAME),
  reduceSumSquare: reduction(TAME),
  reshape,
  reverse: unary(ANYTHING, (next, { tensor: { shape } }) => maybe(next, "axes", () => someAxes(next, shape.length))),
  scatterElements,
  scatterND,
  slice,
  softmax: alongAxis(TAME),
  split,
  tile: unary(ANYTHING, (next, { tensor: { shape } }) => ({ repetitions: shape.map(() => next.integer(1, 2)) })),
  transpose: unary(
    ANYTHING,
    (next, { tensor: { shape } }) => maybe(next, "permutation", () => shuffledAxes(next, shape.length)),
  ),
  triangular,
  where,
};
