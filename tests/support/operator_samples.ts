/**
 * Minimal valid arguments for every operator: shapes of the operands, parameters, options, and sensible values. Tests
 * get the data types from the rows; samples of unary operators are derived from their rows.
 *
 * @module
 */

import { DATA_TYPES } from "../../src/data_type.ts";
import type { OperatorName } from "../../src/ops/operators.ts";
import type { MLOperandDataType } from "../../mod.ts";
import { OPERATORS, type RefDataType, type RefTensor } from "../reference/mod.ts";
import {
  DISTINCT,
  DIVISOR,
  type Domain,
  indexDomain,
  operandValues,
  PLAIN,
  POSITIVE,
  SMALL,
  SPREAD,
  WILD,
} from "./operand_values.ts";
import { ofRank, recurrentSamples } from "./recurrent_samples.ts";
import { forEachUnary } from "./rows.ts";

type Shape = readonly number[];

/** The arguments of one call. */
export interface Sample {
  /** The shapes of the operands, by name; several for a list. */
  readonly shapes: Readonly<Record<string, Shape | readonly Shape[]>>;
  /** Parameters and options by name. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  /**
   * The values of operands; by default {@linkcode WILD} for element-wise operators and data movement, else
   * {@linkcode PLAIN}.
   */
  readonly domains?: Readonly<Record<string, Domain>>;
}

/** Calls of an operator whose first operand has the given rank; none if it does not support that rank. */
export type Samples = (rank: number) => readonly Sample[];

/** A shape of the given rank with few elements, and few equal neighbouring dimensions. */
export function shapeOfRank(rank: number): number[] {
  if (rank === 1) return [24];
  const dimensions = [2, 3, 4, 2, 1, 3, 1, 2];
  return rank <= 4 ? dimensions.slice(0, rank) : [1, 2, 1, 3, 2, 1, 2, 2].slice(0, rank);
}

/** The shape with one dimension replaced. */
function withDimension(shape: Shape, axis: number, dimension: number): number[] {
  return shape.with(axis, dimension);
}

function allAxes(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** One operand of any rank. */
function unary(operand: string, domain: Domain, ...attributes: readonly Readonly<Record<string, unknown>>[]): Samples {
  return (rank) =>
    [{}, ...attributes].map((attributes) => ({
      shapes: { [operand]: shapeOfRank(rank) },
      attributes,
      domains: { [operand]: domain },
    }));
}

/** Two operands: of the same shape, one of them a scalar, and broadcast along different dimensions. */
function binary(domainA: Domain, domainB: Domain, names: readonly [string, string] = ["a", "b"]): Samples {
  return (rank) => {
    const shape = shapeOfRank(rank);
    const pairs: [Shape, Shape][] = [[shape, shape], [shape, []], [[], shape]];
    if (rank > 1) pairs.push([withDimension(shape, rank - 1, 1), withDimension(shape, 0, 1)]);
    return pairs.map(([a, b]) => ({
      shapes: { [names[0]]: a, [names[1]]: b },
      domains: { [names[0]]: domainA, [names[1]]: domainB },
    }));
  };
}

/** All axes, no axes, and one axis, kept or removed. */
function reduction(domain: Domain): Samples {
  return (rank) => {
    const shape = shapeOfRank(rank);
    const options: Record<string, unknown>[] = [{}, { axes: [] }, { keepDimensions: true }];
    if (rank > 0) options.push({ axes: [rank - 1], keepDimensions: true }, { axes: [0] });
    return options.map((attributes) => ({ shapes: { input: shape }, attributes, domains: { input: domain } }));
  };
}

/** Samples for rank 1 and higher. */
function fromRank1(samples: (shape: number[]) => readonly Sample[]): Samples {
  return (rank) => rank === 0 ? [] : samples(shapeOfRank(rank));
}

const argMinMax = fromRank1((shape) =>
  [{}, { keepDimensions: true }, { outputDataType: "int64" }].map((options) => ({
    shapes: { input: shape },
    attributes: { axis: shape.length - 1, ...options },
    domains: { input: SPREAD },
  }))
);

const batchNormalization = fromRank1((shape) =>
  [...new Set([shape.length - 1, 1])].filter((axis) => axis < shape.length).flatMap((axis) => {
    const size = [shape[axis]!];
    const domains = { variance: POSITIVE };
    return [
      { shapes: { input: shape, mean: size, variance: size }, attributes: { axis }, domains },
      { shapes: { input: shape, mean: size, variance: size, scale: size, bias: size }, attributes: { axis }, domains },
    ];
  })
);

const cast: Samples = (rank) =>
  DATA_TYPES.map((dataType: MLOperandDataType) => ({
    shapes: { input: shapeOfRank(rank) },
    attributes: { dataType },
    // Floats out of range of an integer type are implementation-defined.
    domains: { input: { ...SMALL, float: dataType.startsWith("uint") ? [0, 100] : [-100, 100] } },
  }));

const clamp = unary("input", WILD, { minValue: 1 }, { maxValue: 1 }, { minValue: 1.7, maxValue: 2.5 }, {
  minValue: -Infinity,
  maxValue: NaN,
});

const concat = fromRank1((shape) => [
  { shapes: { inputs: [shape] }, attributes: { axis: 0 }, domains: { inputs: WILD } },
  { shapes: { inputs: [shape, shape, shape] }, attributes: { axis: shape.length - 1 }, domains: { inputs: WILD } },
]);

const conv2d = ofRank(4, [
  { shapes: { input: [1, 2, 5, 4], filter: [3, 2, 2, 3] } },
  {
    shapes: { input: [2, 4, 5, 4], filter: [2, 2, 3, 2], bias: [2] },
    attributes: { padding: [1, 0, 0, 1], strides: [2, 1], dilations: [1, 2], groups: 2 },
  },
  {
    shapes: { input: [1, 4, 4, 2], filter: [3, 2, 2, 2] },
    attributes: { inputLayout: "nhwc", filterLayout: "ohwi" },
  },
]);

const convTranspose2d = ofRank(4, [
  { shapes: { input: [1, 2, 3, 3], filter: [2, 3, 2, 2] } },
  {
    shapes: { input: [1, 2, 3, 3], filter: [2, 3, 2, 2], bias: [6] },
    attributes: { padding: [1, 0, 0, 1], strides: [2, 2], outputPadding: [1, 0], groups: 2 },
  },
  {
    shapes: { input: [1, 3, 3, 2], filter: [4, 2, 2, 2] },
    attributes: { inputLayout: "nhwc", filterLayout: "ohwi", strides: [2, 3], outputSizes: [7, 8] },
  },
]);

const cumulativeSum = fromRank1((shape) =>
  [{}, { exclusive: true }, { reversed: true }, { exclusive: true, reversed: true }].map((options) => ({
    shapes: { input: shape },
    attributes: { axis: shape.length - 1, ...options },
  }))
);

/** A scale and zero point per element, per tensor, and per block. */
function quantization(input: Domain, zeroPoint: Domain): Samples {
  return (rank) => {
    const shape = shapeOfRank(rank);
    const ones = shape.map(() => 1);
    const blocks = shape.map((dimension) => dimension % 2 === 0 ? dimension / 2 : dimension);
    return [shape, ones, blocks].map((scale) => ({
      shapes: { input: shape, scale, zeroPoint: scale },
      domains: { input, scale: POSITIVE, zeroPoint },
    }));
  };
}

const expand: Samples = (rank) => {
  const shape = shapeOfRank(rank);
  const domains = { input: WILD };
  const same = { shapes: { input: shape }, attributes: { newShape: shape }, domains };
  if (rank === 0) return [same, { shapes: { input: [] }, attributes: { newShape: [2, 3] }, domains }];
  return [same, { shapes: { input: withDimension(shape, 0, 1) }, attributes: { newShape: shape }, domains }];
};

const gather = fromRank1((shape) =>
  [[], [3], [1, 2]].filter((indices) => shape.length - 1 + indices.length <= 8).map((indices) => ({
    shapes: { input: shape, indices },
    attributes: { axis: shape.length - 1 },
    domains: { input: WILD, indices: indexDomain(shape.at(-1)!) },
  }))
);

const gatherElements = fromRank1((shape) => [{
  shapes: { input: shape, indices: withDimension(shape, shape.length - 1, 5) },
  attributes: { axis: shape.length - 1 },
  domains: { input: WILD, indices: indexDomain(shape.at(-1)!) },
}]);

const gatherND = fromRank1((shape) => [
  { shapes: { input: shape, indices: [4, 1] }, domains: { input: WILD, indices: indexDomain(shape[0]!) } },
  { shapes: { input: shape, indices: [shape.length] }, domains: { input: WILD, indices: indexDomain(1) } },
]);

const gemm = ofRank(2, [
  { shapes: { a: [3, 4], b: [4, 2] } },
  ...[[], [2], [1], [1, 2], [3, 1], [3, 2]].map((c) => ({
    shapes: { a: [4, 3], b: [2, 4], c },
    attributes: { alpha: 0.5, beta: -1.5, aTranspose: true, bTranspose: true },
  })),
]);

const instanceNormalization = ofRank(4, [
  { shapes: { input: [2, 3, 4, 2] } },
  { shapes: { input: [2, 4, 2, 3], scale: [3], bias: [3] }, attributes: { layout: "nhwc" } },
]);

const layerNormalization: Samples = (rank) => {
  const shape = shapeOfRank(rank);
  const samples: Sample[] = [{ shapes: { input: shape } }, { shapes: { input: shape }, attributes: { axes: [] } }];
  if (rank > 0) {
    const last = [shape.at(-1)!];
    samples.push({ shapes: { input: shape, scale: last, bias: last }, attributes: { axes: [rank - 1] } });
  }
  if (rank > 1) {
    const reversed = shape.toReversed();
    samples.push({ shapes: { input: shape, scale: reversed }, attributes: { axes: allAxes(rank).reverse() } });
  }
  return samples;
};

const matmul: Samples = (rank) => {
  if (rank < 2) return [];
  const batch = shapeOfRank(rank - 2);
  return [batch, [], batch.map(() => 1)].map((other) => ({ shapes: { a: [...batch, 3, 4], b: [...other, 4, 2] } }));
};

const pad: Samples = (rank) => {
  const shape = shapeOfRank(rank);
  const beginningPadding = shape.map((_, axis) => axis === 0 ? 1 : 0);
  const endingPadding = shape.map((_, axis) => axis === rank - 1 ? 1 : 0);
  const canReflect = shape[0] !== 1 && shape.at(-1) !== 1;
  const options = [{}, { value: 3 }, { mode: "edge" }, ...(canReflect ? [{ mode: "reflection" }] : [])];
  return options.map((option) => ({
    shapes: { input: shape },
    attributes: { beginningPadding, endingPadding, ...option },
    domains: { input: WILD },
  }));
};

function pool2d(domain: Domain): Samples {
  const options = [
    {},
    { windowDimensions: [2, 3], padding: [1, 0, 0, 1], strides: [2, 1], dilations: [2, 1] },
    { windowDimensions: [2, 2], strides: [2, 2], outputShapeRounding: "ceil" },
    { windowDimensions: [3, 2], strides: [2, 2], layout: "nhwc" },
  ];
  return ofRank(
    4,
    options.map((attributes) => ({ shapes: { input: [1, 5, 5, 3] }, attributes, domains: { input: domain } })),
  );
}

const resample2d = ofRank(
  4,
  [
    { scales: [2, 3] },
    { sizes: [5, 3] },
    { scales: [2, 3], axes: [1, 2], mode: "linear" },
    { sizes: [1, 4], mode: "linear" },
    { sizes: [5, 3], mode: "linear" },
    { sizes: [3, 7], axes: [1, 2], mode: "linear" },
  ].map((attributes) => ({ shapes: { input: [1, 2, 3, 4] }, attributes, domains: { input: PLAIN } })),
);

const reshape: Samples = (rank) => {
  const shape = shapeOfRank(rank);
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  return [[size], [1, size, 1], shape.toReversed()].map((newShape) => ({
    shapes: { input: shape },
    attributes: { newShape },
    domains: { input: WILD },
  }));
};

const reverse: Samples = (rank) =>
  [{}, { axes: [] }, ...(rank > 0 ? [{ axes: [rank - 1] }] : [])].map((attributes) => ({
    shapes: { input: shapeOfRank(rank) },
    attributes,
    domains: { input: WILD },
  }));

/** Each index along the axis occurs once, because several updates of one element are undefined. */
const scatterElements = fromRank1((shape) => {
  const dimension = shape.at(-1)!;
  const rotated = (count: number) =>
    Array.from({ length: count }, (_, i) => (i + Math.floor(i / dimension)) % dimension);
  return [{
    shapes: { input: shape, indices: shape, updates: shape },
    attributes: { axis: shape.length - 1 },
    domains: { input: WILD, updates: WILD, indices: { float: [0, 0], list: rotated } },
  }];
});

const scatterND = fromRank1((shape) => [{
  shapes: { input: shape, indices: [shape[0]!, 1], updates: shape },
  domains: { input: WILD, updates: WILD, indices: DISTINCT },
}]);

const slice: Samples = (rank) => {
  const shape = shapeOfRank(rank);
  const starts = shape.map((dimension) => dimension > 2 ? 1 : 0);
  const sizes = shape.map((dimension, axis) => dimension - starts[axis]!);
  const strides = sizes.map((size) => size > 1 ? 2 : 1);
  return [{}, { strides }].map((options) => ({
    shapes: { input: shape },
    attributes: { starts, sizes, ...options },
    domains: { input: WILD },
  }));
};

const softmax = fromRank1((shape) =>
  [0, shape.length - 1].map((axis) => ({ shapes: { input: shape }, attributes: { axis } }))
);

const split = fromRank1((shape) => {
  const axis = shape.length - 1;
  return [shape[axis]!, [1, shape[axis]! - 1].filter((size) => size > 0)].map((splits) => ({
    shapes: { input: shape },
    attributes: { splits, axis },
    domains: { input: WILD },
  }));
});

const tile: Samples = (rank) => [{
  shapes: { input: shapeOfRank(rank) },
  attributes: { repetitions: allAxes(rank).map((axis) => axis % 3 + 1) },
  domains: { input: WILD },
}];

const transpose: Samples = (rank) =>
  [{}, { permutation: [...allAxes(rank).slice(1), ...(rank > 0 ? [0] : [])] }].map((attributes) => ({
    shapes: { input: shapeOfRank(rank) },
    attributes,
    domains: { input: WILD },
  }));

const triangular: Samples = (rank) =>
  rank < 2 ? [] : [{}, { upper: false }, { diagonal: 1 }, { upper: false, diagonal: -5 }, { diagonal: 5 }].map(
    (attributes) => ({ shapes: { input: shapeOfRank(rank) }, attributes, domains: { input: WILD } }),
  );

const where: Samples = (rank) => {
  const shape = shapeOfRank(rank);
  const domains = { condition: SMALL, trueValue: WILD, falseValue: WILD };
  return [[shape, shape, shape], [shape, [], []], [[], shape, []], [[], [], shape]].map(
    ([condition, trueValue, falseValue]) => ({
      shapes: { condition: condition!, trueValue: trueValue!, falseValue: falseValue! },
      domains,
    }),
  );
};

const comparison = binary({ ...WILD, integer: [0, 3] }, { ...WILD, integer: [0, 3] });
const logical = binary(SMALL, SMALL);
const arithmetic = binary(WILD, WILD);
/** Unary operators: all values, or those for which their tolerance applies. */
const unaries = forEachUnary((name, operand) =>
  unary(operand, { ...WILD, float: OPERATORS[name]!.domain ?? WILD.float })
);

/** Samples of every operator. */
export const SAMPLES: Readonly<Record<OperatorName, Samples>> = {
  ...unaries,
  ...recurrentSamples,
  argMin: argMinMax,
  argMax: argMinMax,
  batchNormalization,
  cast,
  clamp,
  concat,
  conv2d,
  convTranspose2d,
  cumulativeSum,
  add: arithmetic,
  sub: arithmetic,
  mul: arithmetic,
  div: binary(WILD, DIVISOR),
  max: arithmetic,
  min: arithmetic,
  pow: binary({ float: [0.25, 4], special: true, nonZero: true }, { float: [-3, 3], integer: [-3, 70] }),
  equal: comparison,
  notEqual: comparison,
  greater: comparison,
  greaterOrEqual: comparison,
  lesser: comparison,
  lesserOrEqual: comparison,
  logicalAnd: logical,
  logicalOr: logical,
  logicalXor: logical,
  dequantizeLinear: quantization({ float: [0, 0], integer: [-100, 100] }, { float: [0, 0], integer: [-10, 10] }),
  quantizeLinear: quantization({ float: [-40, 40] }, { float: [0, 0], integer: [-10, 10] }),
  elu: unary("input", WILD, { alpha: 0.5 }),
  expand,
  gather,
  gatherElements,
  gatherND,
  gemm,
  hardSigmoid: unary("input", WILD, { alpha: 0.5, beta: -0.25 }),
  instanceNormalization,
  layerNormalization,
  leakyRelu: unary("input", WILD, { alpha: 0.5 }),
  linear: unary("input", WILD, { alpha: 0.5, beta: -0.25 }),
  matmul,
  pad,
  averagePool2d: pool2d(PLAIN),
  l2Pool2d: pool2d(PLAIN),
  maxPool2d: pool2d({ float: [-2, 2] }),
  prelu: (rank) => [
    ...binary(WILD, WILD, ["input", "slope"])(rank),
    ...ofRank(4, [{ shapes: { input: [2, 3, 4, 2], slope: [3, 1, 1] }, domains: { input: WILD } }])(rank),
  ],
  reduceL1: reduction(PLAIN),
  reduceL2: reduction(PLAIN),
  reduceLogSum: reduction(POSITIVE),
  reduceLogSumExp: reduction({ float: [-200, 200] }),
  // No NaN: the standard does not define the result, and the engine's depends on the position of the NaN.
  reduceMax: reduction(PLAIN),
  reduceMean: reduction(PLAIN),
  reduceMin: reduction(PLAIN),
  reduceProduct: reduction({ float: [0.5, 1.5] }),
  reduceSum: reduction(PLAIN),
  reduceSumSquare: reduction(PLAIN),
  resample2d,
  reshape,
  reverse,
  scatterElements,
  scatterND,
  slice,
  softmax,
  split,
  tile,
  transpose,
  triangular,
  where,
};

/** Operands of these types with values for a sample, by name. */
export function sampleOperands(
  sample: Sample,
  types: Readonly<Record<string, RefDataType>>,
): Record<string, RefTensor | RefTensor[]> {
  return Object.fromEntries(
    Object.entries(sample.shapes).map(([name, shape], i) => {
      const values = (shape: readonly number[], seed: number) =>
        operandValues(types[name]!, shape, sample.domains?.[name] ?? PLAIN, seed);
      return [name, isListOfShapes(shape) ? shape.map((item, j) => values(item, 100 * i + j)) : values(shape, 100 * i)];
    }),
  );
}

/** Whether the shape of an operand is a list, one shape for each of its values. */
export function isListOfShapes(shape: Shape | readonly Shape[]): shape is readonly Shape[] {
  return Array.isArray(shape[0]);
}
