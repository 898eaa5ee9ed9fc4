/**
 * Normalisations of ai.onnx and com.microsoft.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { sizeOf } from "../value.ts";
import { along, calculate, range } from "./calculation.ts";

function batchNormalization(node: NodeView): RowResult {
  const [x, scale, bias] = [node.input(0), node.input(1), node.input(2)];
  const epsilon = node.float("epsilon", 1e-5);
  if (node.since < 9 && !node.flag("spatial", true)) node.refuse("spatial = 0 is not supported");
  const type = x.dataType;
  const options = { scale: node.cast(scale, type), bias: node.cast(bias, type), epsilon, axis: 1 };
  if (x.shape.length < 2) node.refuse("an input of rank 1");
  if (!(node.since >= 14 && node.flag("training_mode"))) {
    if (node.outputCount > 1 && node.wants(1)) node.refuse("outputs that exist only in training mode");
    return node.builder.batchNormalization(x, node.cast(node.input(3), type), node.cast(node.input(4), type), options);
  }
  return trainedBatch(node, x, options);
}

/** In training mode, statistics are computed over the batch and update the running ones. */
function trainedBatch(node: NodeView, x: MLOperand, options: object): RowResult {
  const { sub, mul, add } = calculate(node);
  const { builder } = node;
  const axes = range(0, x.shape.length).filter((axis) => axis !== 1);
  const mean = builder.reduceMean(x, { axes });
  const centred = sub(x, along(node, mean, x.shape.length, 1));
  const variance = builder.reduceMean(mul(centred, centred), { axes });
  const momentum = node.float("momentum", 0.9);
  const moved = (i: number, current: MLOperand) => {
    const old = node.input(i);
    return add(mul(old, momentum), mul(node.cast(current, old.dataType), 1 - momentum));
  };
  return [builder.batchNormalization(x, mean, variance, options), moved(3, mean), moved(4, variance)];
}

/** WebNN's operator needs images; other inputs become images with one row. */
function instanceNormalization(node: NodeView): RowResult {
  const x = node.input(0);
  const [n, c] = x.shape as [number, number];
  const image = x.shape.length === 4 ? x : node.reshape(x, [n, c, 1, sizeOf(x.shape.slice(2))]);
  const options = { scale: node.input(1), bias: node.input(2), epsilon: node.float("epsilon", 1e-5) };
  return node.reshape(node.builder.instanceNormalization(image, options), x.shape);
}

/** The mean and 1 / √(variance + ε) over axes, and the input minus the mean. */
function moments(node: NodeView, x: MLOperand, axes: number[], epsilon: number) {
  const { sub, mul, add } = calculate(node);
  const { builder } = node;
  const mean = builder.reduceMean(x, { axes, keepDimensions: true });
  const centred = sub(x, mean);
  const variance = builder.reduceMean(mul(centred, centred), { axes, keepDimensions: true });
  return { mean, centred, inverse: builder.reciprocal(builder.sqrt(add(variance, epsilon))) };
}

/** Reshapes scale and bias to broadcast to the axes from `axis` on. */
export function layerNormalized(
  node: NodeView,
  x: MLOperand,
  axis: number,
  epsilon: number,
  scale?: MLOperand,
  bias?: MLOperand,
): MLOperand {
  const axes = range(axis, x.shape.length);
  const inner = x.shape.slice(axis);
  const fit = (values: MLOperand) =>
    node.expand(values.shape.length > inner.length ? node.reshape(values, inner) : values, inner);
  return node.builder.layerNormalization(x, {
    axes,
    epsilon,
    ...scale && { scale: fit(scale) },
    ...bias && { bias: fit(bias) },
  });
}

function layerNormalization(node: NodeView): RowResult {
  const x = node.input(0);
  const axis = node.axis(node.int("axis", -1), x.shape.length);
  const epsilon = node.float("epsilon", 1e-5);
  const y = layerNormalized(node, x, axis, epsilon, node.input(1), node.optional(2));
  if (!node.wants(1) && !node.wants(2)) return y;
  const { mean, inverse } = moments(node, node.cast(x, "float32"), range(axis, x.shape.length), epsilon);
  return [y, mean, inverse];
}

/** x / √(mean of squares + ε) · scale, computed in float32. */
export function rmsNormalized(
  node: NodeView,
  x: MLOperand,
  axes: number[],
  epsilon: number,
  scale: MLOperand,
): { y: MLOperand; inverse: MLOperand } {
  const { mul, add } = calculate(node);
  const { builder } = node;
  const wide = node.cast(x, "float32");
  const mean = builder.reduceMean(mul(wide, wide), { axes, keepDimensions: true });
  const inverse = builder.reciprocal(builder.sqrt(add(mean, epsilon)));
  const normal = node.cast(mul(wide, inverse), scale.dataType);
  return { y: mul(normal, scale), inverse };
}

function rmsNormalization(node: NodeView): RowResult {
  const x = node.input(0);
  const axis = node.axis(node.int("axis", -1), x.shape.length);
  return rmsNormalized(node, x, range(axis, x.shape.length), node.float("epsilon", 1e-5), node.input(1)).y;
}

/** The outputs are y, the mean (except for RMS) and 1 / standard deviation. */
function simplifiedLayerNormalization(node: NodeView): RowResult {
  const x = node.input(0);
  const axis = node.axis(node.int("axis", -1), x.shape.length);
  const { y, inverse } = rmsNormalized(
    node,
    x,
    range(axis, x.shape.length),
    node.float("epsilon", 1e-5),
    node.input(1),
  );
  return [y, inverse];
}

/** Normalises input + skip + bias; the sum is the last output. */
const skipNormalization = (simplified: boolean) => (node: NodeView): RowResult => {
  const x = node.input(0);
  const { add } = calculate(node);
  const bias = node.optional(simplified ? 3 : 4);
  const skipped = add(x, node.input(1));
  const sum = bias ? add(skipped, bias) : skipped;
  const epsilon = node.float("epsilon", 1e-12);
  const last = sum.shape.length - 1;
  if (simplified) {
    const { y, inverse } = rmsNormalized(node, sum, [last], epsilon, node.input(2));
    return [y, undefined, node.wants(2) ? inverse : undefined, sum];
  }
  const y = layerNormalized(node, sum, last, epsilon, node.input(2), node.optional(3));
  if (!node.wants(1) && !node.wants(2)) return [y, undefined, undefined, sum];
  const { mean, inverse } = moments(node, node.cast(sum, "float32"), [last], epsilon);
  return [y, mean, inverse, sum];
};

/** Scale and bias are per group before version 21, per channel since then. */
function groupNormalization(node: NodeView): RowResult {
  const { mul, add } = calculate(node);
  const x = node.input(0);
  const [n, c] = x.shape as [number, number];
  const groups = node.int("num_groups");
  const wide = node.cast(node.reshape(x, [n, groups, sizeOf(x.shape.slice(1)) / groups]), "float32");
  const { centred, inverse } = moments(node, wide, [2], node.float("epsilon", 1e-5));
  const ofGroups = (values: MLOperand) => {
    const each = node.since < 21 ? node.reshape(values, [groups, 1]) : values;
    return along(node, node.expand(each, node.since < 21 ? [groups, c / groups] : [c]), x.shape.length, 1);
  };
  const normal = node.cast(node.reshape(mul(centred, inverse), x.shape), x.dataType);
  return add(mul(normal, ofGroups(node.input(1))), ofGroups(node.input(2)));
}

function meanVarianceNormalization(node: NodeView): RowResult {
  const x = node.input(0);
  const axes = (node.ints("axes") ?? [0, 2, 3]).map((axis) => node.axis(axis, x.shape.length));
  const { centred, inverse } = moments(node, x, axes, 0);
  const { div, add } = calculate(node);
  // ONNX defines the divisor as √variance + 1e-9, so that a constant input gives 0.
  return div(centred, add(node.builder.reciprocal(inverse), 1e-9));
}

/** x / (bias + α/size · sum of squares of neighbouring channels)^β */
function lrn(node: NodeView): RowResult {
  const { mul, add, div, pow } = calculate(node);
  const x = node.input(0);
  const size = node.int("size");
  const [n, c] = x.shape as [number, number];
  const before = Math.floor((size - 1) / 2);
  const squares = node.reshape(mul(x, x), [n, 1, c, sizeOf(x.shape.slice(2))]);
  const padding = [before, size - 1 - before, 0, 0];
  const padded = node.builder.pad(squares, [0, 0, padding[0]!, 0], [0, 0, padding[1]!, 0]);
  const mean = node.builder.averagePool2d(padded, { windowDimensions: [size, 1] });
  const divisor = pow(add(mul(mean, node.float("alpha", 1e-4)), node.float("bias", 1)), node.float("beta", 0.75));
  return div(x, node.reshape(divisor, x.shape));
}

/** If the norm is 0, the result is 0. */
function lpNormalization(node: NodeView): RowResult {
  const x = node.input(0);
  const axes = [node.axis(node.int("axis", -1), x.shape.length)];
  const { builder } = node;
  const { div, equal, where } = calculate(node);
  const norm = builder[node.int("p", 2) === 1 ? "reduceL1" : "reduceL2"](x, { axes, keepDimensions: true });
  return div(x, where(equal(norm, 0), 1, norm));
}

export const normalizations: Row[] = [
  ...rows("", {
    BatchNormalization: [[7, 9, 14], batchNormalization],
    GroupNormalization: [[18, 21], groupNormalization],
    InstanceNormalization: [[6], instanceNormalization],
    LayerNormalization: [[17], layerNormalization],
    LpNormalization: [[1], lpNormalization],
    LRN: [[1], lrn],
    MeanVarianceNormalization: [[9], meanVarianceNormalization],
    RMSNormalization: [[23], rmsNormalization],
    // Before opset 17, exporters for ONNX Runtime put it in ai.onnx.
    SimplifiedLayerNormalization: [[1], simplifiedLayerNormalization],
  }),
  ...rows("com.microsoft", {
    SimplifiedLayerNormalization: [[1], simplifiedLayerNormalization],
    SkipLayerNormalization: [[1], skipNormalization(false)],
    SkipSimplifiedLayerNormalization: [[1], skipNormalization(true)],
  }),
];
