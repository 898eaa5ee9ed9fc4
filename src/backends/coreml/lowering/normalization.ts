/**
 * Lowering of normalisations. MIL's operators require constant scale and bias, and support few axes; otherwise,
 * normalisations are computed by arithmetic.
 *
 * @module
 */

import type { Value } from "../../../graph/graph.ts";
import type { normalizations as rows } from "../../../ops/normalization.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { MilValue } from "../mil.ts";
import { isConstant, type MilWriter } from "../mil_writer.ts";
import { fromNchw, toNchw } from "./layout.ts";
import type { Lowering } from "./lowering.ts";
import { inFloat32 } from "./precision.ts";

const maybeValue = (operand: Value | undefined, mil: MilWriter) => operand && mil.value(operand);

const areConstants = (values: readonly (MilValue | undefined)[]) =>
  values.every((value) => value === undefined || isConstant(value));

/**
 * MIL's batch_norm supports ranks 3 and 4 with channels in dimension 1. Rank 5 fails off the CPU, so it is reshaped.
 */
const batchNormalization: Lowering<"batchNormalization"> = ({ operands, attributes: { axis, epsilon } }, mil) => {
  const x = mil.value(operands.input);
  const [mean, variance] = [mil.value(operands.mean), mil.value(operands.variance)];
  const [gamma, beta] = [maybeValue(operands.scale, mil), maybeValue(operands.bias, mil)];
  const rank = x.shape.length;
  if (axis === 1 && rank >= 3 && areConstants([mean, variance, gamma, beta])) {
    const parameters = { mean, variance, gamma, beta, epsilon: mil.scalar(x.dataType, epsilon) };
    const image = mil.reshape(x, rank === 5 ? [...x.shape.slice(0, 3), x.shape[3]! * x.shape[4]!] : x.shape);
    return mil.reshape(mil.unary("batch_norm", image, parameters), x.shape);
  }
  const column = [x.shape[axis]!, ...x.shape.slice(axis + 1).map(() => 1)];
  const compute = (x: MilValue, mean: MilValue, variance: MilValue, gamma?: MilValue, beta?: MilValue) => {
    const centered = mil.binary("sub", x, mil.reshape(mean, column));
    const factor = inverseDeviation(variance, epsilon, mil);
    const gain = gamma ? mil.binary("mul", gamma, factor) : factor;
    const scaled = mil.binary("mul", centered, mil.reshape(gain, column));
    return beta ? mil.binary("add", scaled, mil.reshape(beta, column)) : scaled;
  };
  return inFloat32([x, mean, variance, gamma, beta], compute, mil);
};

/** `1 / √(variance + ε)`. */
function inverseDeviation(variance: MilValue, epsilon: number, mil: MilWriter): MilValue {
  return mil.unary("rsqrt", variance, { epsilon: mil.scalar(variance.dataType, epsilon) });
}

const instanceNormalization: Lowering<"instanceNormalization"> = ({ operands, attributes }, mil) => {
  const { layout, epsilon } = attributes;
  const x = toNchw(mil.value(operands.input), layout, mil);
  const [gamma, beta] = [maybeValue(operands.scale, mil), maybeValue(operands.bias, mil)];
  if (areConstants([gamma, beta])) {
    const parameters = { gamma, beta, epsilon: mil.scalar(x.dataType, epsilon) };
    return fromNchw(mil.unary("instance_norm", x, parameters), layout, mil);
  }
  const channels = (value: MilValue | undefined) => value && mil.reshape(value, [1, x.shape[1]!, 1, 1]);
  return fromNchw(normalized(x, [2, 3], epsilon, channels(gamma), channels(beta), mil), layout, mil);
};

/** Normalises along axes. Scale and bias broadcast to the input. */
function normalized(
  x: MilValue,
  axes: readonly number[],
  epsilon: number,
  scale: MilValue | undefined,
  bias: MilValue | undefined,
  mil: MilWriter,
): MilValue {
  const compute = (x: MilValue, scale?: MilValue, bias?: MilValue) => {
    const centered = mil.binary("sub", x, mil.reduce("reduce_mean", x, axes));
    const variance = mil.reduce("reduce_mean", mil.binary("mul", centered, centered), axes);
    const standard = mil.binary("mul", centered, inverseDeviation(variance, epsilon, mil));
    const scaled = scale ? mil.binary("mul", standard, scale) : standard;
    return bias ? mil.binary("add", scaled, bias) : scaled;
  };
  return inFloat32([x, scale, bias], compute, mil);
}

/** MIL's layer_norm is used only for the last axes, in ascending order: with other axes it has crashed. */
const layerNormalization: Lowering<"layerNormalization"> = (node, mil) => {
  const { operands: { input }, attributes: { axes, epsilon } } = node;
  const x = mil.value(input);
  const [scale, bias] = [parameter(node, "scale", mil), parameter(node, "bias", mil)];
  if (axes.length === 0) {
    // Each element is its own mean, so the normalised input is 0.
    const zero = mil.binary("sub", x, x);
    return bias ? mil.binary("add", zero, bias) : zero;
  }
  const ascending = axes.toSorted((a, b) => a - b);
  const rank = x.shape.length;
  const areLast = ascending.every((axis, i) => axis === rank - axes.length + i);
  if (areLast && areConstants([scale, bias])) {
    // MIL does not allow bias without scale.
    const ones = bias && mil.constant(x.dataType, bias.shape, [1]);
    return mil.unary("layer_norm", x, {
      axes: mil.ints(ascending),
      gamma: scale ?? ones,
      beta: bias,
      epsilon: mil.scalar(x.dataType, epsilon),
    });
  }
  const column = x.shape.map((dimension, axis) => axes.includes(axis) ? dimension : 1);
  const spread = (value: MilValue | undefined) => value && mil.reshape(value, column);
  return normalized(x, ascending, epsilon, spread(scale), spread(bias), mil);
};

/** Scale or bias, transposed from the order of `axes` to that of the input's dimensions. */
function parameter(
  { operands, attributes: { axes } }: NodeOf<"layerNormalization">,
  name: "scale" | "bias",
  mil: MilWriter,
): MilValue | undefined {
  const value = maybeValue(operands[name], mil);
  const order = [...axes.keys()].sort((a, b) => axes[a]! - axes[b]!);
  return value && axes.length > 0 ? mil.transpose(value, order) : value;
}

export const normalizations = { batchNormalization, instanceNormalization, layerNormalization } satisfies {
  [Name in keyof typeof rows]: Lowering<Name>;
};
