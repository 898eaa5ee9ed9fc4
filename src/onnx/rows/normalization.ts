/**
 * Normalisations of ai.onnx and com.microsoft.
 *
 * @module
 */

import { elementCount } from "../../shape.ts";
import type { NodeView } from "../node.ts";
import { type Operand, range } from "../operand.ts";
import { type Build, type Row, type RowResult, rows } from "../row.ts";
import { unsupported } from "../errors.ts";

function batchNormalization(
  node: NodeView,
  x: Operand,
  scale: Operand,
  bias: Operand,
  mean: Operand,
  variance: Operand,
): RowResult {
  if (node.since < 9 && !node.flag("spatial", true)) unsupported("spatial = 0 is not supported");
  if (x.rank < 2) unsupported("an input of rank 1 is not supported");
  const options = { scale: scale.cast(x.type), bias: bias.cast(x.type), epsilon: node.float("epsilon", 1e-5) };
  if (!(node.since >= 14 && node.flag("training_mode"))) {
    if (node.wants(1)) unsupported("outputs for training are not supported");
    return x.batchNormalization(mean.cast(x.type), variance.cast(x.type), options);
  }
  // In training mode, the batch is normalised with its own mean and variance, and these update the running ones.
  const axes = range(0, x.rank).filter((axis) => axis !== 1);
  const batch = moments(x, axes, false);
  const momentum = node.float("momentum", 0.9);
  const moved = (old: Operand, current: Operand) => old.mul(momentum).add(current.cast(old.type).mul(1 - momentum));
  return [
    x.batchNormalization(batch.mean, batch.variance, options),
    moved(mean, batch.mean),
    moved(variance, batch.variance),
  ];
}

/** WebNN's operator requires two spatial axes; other inputs are reshaped to images with one row. */
function instanceNormalization(node: NodeView, x: Operand, scale: Operand, bias: Operand): Operand {
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  const image = sizes.length === 2 ? x : x.reshape([n, c, 1, elementCount(sizes)]);
  return image.instanceNormalization({ scale, bias, epsilon: node.float("epsilon", 1e-5) }).reshape(x.shape);
}

/** The mean and variance over axes, and the input minus the mean. */
function moments(x: Operand, axes: number[], keepDimensions = true) {
  const mean = x.reduceMean({ axes, keepDimensions });
  const centred = x.sub(mean.reshape(x.shape.map((size, axis) => axes.includes(axis) ? 1 : size)));
  return { mean, centred, variance: centred.mul(centred).reduceMean({ axes, keepDimensions }) };
}

/** 1 / √(variance + ε) */
function inverseDeviation(variance: Operand, epsilon: number): Operand {
  return variance.add(epsilon).sqrt().reciprocal();
}

/** Normalises over the axes from `axis` on. Returns y, the mean and 1 / standard deviation. */
type Normalize = (
  node: NodeView,
  x: Operand,
  axis: number,
  epsilon: number,
  scale: Operand,
  bias?: Operand,
) => [y: Operand, mean: Operand | undefined, inverse: Operand | undefined];

const layer: Normalize = (node, x, axis, epsilon, scale, bias) => {
  const axes = range(axis, x.rank);
  const inner = x.shape.slice(axis);
  const fit = (values: Operand) => (values.rank > inner.length ? values.reshape(inner) : values).expand(inner);
  const y = x.layerNormalization({ axes, epsilon, scale: fit(scale), bias: bias && fit(bias) });
  if (!node.wants(1) && !node.wants(2)) return [y, undefined, undefined];
  const { mean, variance } = moments(x.cast("float32"), axes);
  return [y, mean, inverseDeviation(variance, epsilon)];
};

/** x / √(mean of squares + ε) · scale, computed in float32. */
const rms: Normalize = (_, x, axis, epsilon, scale) => {
  const wide = x.cast("float32");
  const mean = wide.mul(wide).reduceMean({ axes: range(axis, x.rank), keepDimensions: true });
  const inverse = inverseDeviation(mean, epsilon);
  return [wide.mul(inverse).cast(scale.type).mul(scale), undefined, inverse];
};

const normalization = (normalize: Normalize): Build => (node, x, scale, bias?) => {
  return normalize(node, x, x.axis(node.int("axis", -1)), node.float("epsilon", 1e-5), scale, bias);
};

/** The second output is the factor 1 / √(mean of squares + ε); there is no output for the mean. */
const simplifiedLayerNormalization: Build = (node, ...inputs) => {
  const [y, , inverse] = normalization(rms)(node, ...inputs) as ReturnType<Normalize>;
  return [y, inverse];
};

/** Normalises input + skip + bias; the sum is the last output. */
function skipNormalization(
  normalize: Normalize,
  node: NodeView,
  [x, skip, scale]: readonly Operand[],
  shift?: Operand,
  bias?: Operand,
): RowResult {
  const skipped = x!.add(skip!);
  const sum = bias ? skipped.add(bias) : skipped;
  return [...normalize(node, sum, sum.rank - 1, node.float("epsilon", 1e-12), scale!, shift), sum];
}

/** Scale and bias are per group before version 21, per channel since then. */
function groupNormalization(node: NodeView, x: Operand, scale: Operand, bias: Operand): Operand {
  const [n, c] = x.shape as [number, number];
  const groups = node.int("num_groups");
  const wide = x.reshape([n, groups, x.size / n / groups]).cast("float32");
  const { centred, variance } = moments(wide, [2]);
  const normal = centred.mul(inverseDeviation(variance, node.float("epsilon", 1e-5))).reshape(x.shape).cast(x.type);
  const ofChannels = (values: Operand) => {
    const each = node.since < 21 ? values.reshape([groups, 1]).expand([groups, c / groups]) : values;
    return each.along(1, x.rank);
  };
  return normal.mul(ofChannels(scale)).add(ofChannels(bias));
}

/** ONNX defines the divisor as √variance + 1e-9, so that a constant input gives 0. */
function meanVarianceNormalization(node: NodeView, x: Operand): Operand {
  const { centred, variance } = moments(x, x.axes(node.ints("axes") ?? [0, 2, 3]));
  return centred.div(variance.sqrt().add(1e-9));
}

/** x / (bias + α/size · sum of squares of neighbouring channels)^β */
function lrn(node: NodeView, x: Operand): Operand {
  const size = node.int("size");
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  const before = Math.floor((size - 1) / 2);
  const squares = x.mul(x).reshape([n, 1, c, elementCount(sizes)]).padAxis(2, before, size - 1 - before);
  const mean = squares.averagePool2d({ windowDimensions: [size, 1] });
  const divisor = mean.mul(node.float("alpha", 1e-4)).add(node.float("bias", 1)).pow(node.float("beta", 0.75));
  return x.div(divisor.reshape(x.shape));
}

/** If the norm is 0, the result is 0. */
function lpNormalization(node: NodeView, x: Operand): Operand {
  const axes = [x.axis(node.int("axis", -1))];
  const norm = x[node.int("p", 2) === 1 ? "reduceL1" : "reduceL2"]({ axes, keepDimensions: true });
  return x.div(norm.equal(0).where(1, norm));
}

export const normalizations: Row[] = [
  ...rows("", {
    BatchNormalization: [[7, 9, 14], 5, batchNormalization],
    GroupNormalization: [[18, 21], 3, groupNormalization],
    InstanceNormalization: [6, 3, instanceNormalization],
    LayerNormalization: [17, 2, normalization(layer)],
    LpNormalization: [1, 1, lpNormalization],
    LRN: [1, 1, lrn],
    MeanVarianceNormalization: [9, 1, meanVarianceNormalization],
    RMSNormalization: [23, 2, normalization(rms)],
    // Before opset 17, exporters for ONNX Runtime put this operator in ai.onnx.
    SimplifiedLayerNormalization: [1, 2, simplifiedLayerNormalization],
  }),
  ...rows("com.microsoft", {
    SimplifiedLayerNormalization: [1, 2, simplifiedLayerNormalization],
    SkipLayerNormalization: [1, 3, (node, x, skip, scale, shift?, bias?) => {
      return skipNormalization(layer, node, [x, skip, scale], shift, bias);
    }],
    SkipSimplifiedLayerNormalization: [1, 3, (node, x, skip, scale, bias?) => {
      return skipNormalization(rms, node, [x, skip, scale], undefined, bias);
    }],
  }),
];
