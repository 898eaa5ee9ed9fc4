/**
 * Normalisations: `scale · (x − mean) / √(variance + ε) + bias`.
 *
 * @module
 */

import { attribute, type Compute, floatAttribute, operand, optionalOperand, type Rows } from "./operator.ts";
import {
  accumulate,
  type Accumulated,
  floatAt,
  type Index,
  indices,
  meanOf,
  offsetOf,
  type RefTensor,
} from "./tensor.ts";

/** The moments of a group of elements. */
interface Moments {
  readonly mean: number;
  /** The population variance. */
  readonly variance: number;
  readonly meanMagnitude: number;
  readonly meanSquare: number;
}

function moments(values: readonly number[]): Moments {
  const { value: mean, magnitude: meanMagnitude } = meanOf(values);
  return {
    mean,
    variance: meanOf(values.map((x) => (x - mean) ** 2)).value,
    meanMagnitude,
    meanSquare: meanOf(values.map((x) => x * x)).value,
  };
}

/** Returns a function that gives the moments over `axes` for the group of an element. */
function momentsOver(input: RefTensor, axes: readonly number[]): (index: Index) => Moments {
  const groupOf = (index: Index) => offsetOf(input.shape, index.map((i, axis) => axes.includes(axis) ? 0 : i));
  const groups = Map.groupBy(indices(input.shape), groupOf);
  const computed = new Map(
    [...groups].map(([group, members]) => [group, moments(members.map((index) => floatAt(input, index)))]),
  );
  return (index) => computed.get(groupOf(index))!;
}

/** One element. Its bound also holds for an engine that computes the variance as E[x²] − E[x]². */
function normalize(x: number, moments: Moments, epsilon: number, scale: number, bias: number): Accumulated {
  const { mean, variance, meanMagnitude, meanSquare } = moments;
  const deviation = Math.sqrt(variance + epsilon);
  const normalized = (x - mean) / deviation;
  const relativeVarianceError = (meanSquare + meanMagnitude ** 2) / (variance + epsilon);
  const error = (Math.abs(x) + meanMagnitude) / deviation + Math.abs(normalized) * relativeVarianceError;
  return { value: scale * normalized + bias, magnitude: Math.abs(scale) * error + Math.abs(bias) };
}

/** The value of an optional scale or bias. */
function optionalAt(source: RefTensor | undefined, index: Index, fallback: number): number {
  return source === undefined ? fallback : floatAt(source, index);
}

const batchNormalization: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const mean = operand(operands, "mean");
  const variance = operand(operands, "variance");
  const scale = optionalOperand(operands, "scale");
  const bias = optionalOperand(operands, "bias");
  const axis = attribute(attributes, "axis", 1);
  const epsilon = floatAttribute(attributes, "epsilon", 1e-5, input);
  return [accumulate(input.dataType, input.shape, 8, (index) => {
    const channel = [index[axis]!];
    const given = {
      mean: floatAt(mean, channel),
      variance: floatAt(variance, channel),
      meanMagnitude: Math.abs(floatAt(mean, channel)),
      meanSquare: 0,
    };
    const slope = optionalAt(scale, channel, 1);
    const normal = normalize(floatAt(input, index), given, epsilon, slope, optionalAt(bias, channel, 0));
    // If an engine folds this into x·slope + offset, the two terms may cancel.
    const folded = Math.abs(slope) * Math.abs(floatAt(input, index)) / Math.sqrt(given.variance + epsilon);
    return { value: normal.value, magnitude: normal.magnitude + folded };
  })];
};

/** Normalises over `axes`. `parameters` maps the index of an element to that of its scale and bias. */
function normalizeOver(
  input: RefTensor,
  axes: readonly number[],
  epsilon: number,
  scale: RefTensor | undefined,
  bias: RefTensor | undefined,
  parameters: (index: Index) => number[],
): RefTensor {
  const momentsAt = momentsOver(input, axes);
  const count = axes.reduce((product, axis) => product * input.shape[axis]!, 1);
  return accumulate(input.dataType, input.shape, count + 8, (index) => {
    const slope = optionalAt(scale, parameters(index), 1);
    const offset = optionalAt(bias, parameters(index), 0);
    return normalize(floatAt(input, index), momentsAt(index), epsilon, slope, offset);
  });
}

const instanceNormalization: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const layout = attribute(attributes, "layout", "nchw");
  const epsilon = floatAttribute(attributes, "epsilon", 1e-5, input);
  const axes = [layout.indexOf("h"), layout.indexOf("w")];
  const channel = (index: Index) => [index[layout.indexOf("c")]!];
  const scale = optionalOperand(operands, "scale");
  return [normalizeOver(input, axes, epsilon, scale, optionalOperand(operands, "bias"), channel)];
};

const layerNormalization: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const axes = attribute(attributes, "axes", input.shape.map((_, axis) => axis).slice(1));
  const epsilon = floatAttribute(attributes, "epsilon", 1e-5, input);
  // Dimension i of scale and bias belongs to axes[i]; axes may be in any order.
  const position = (index: Index) => axes.map((axis) => index[axis]!);
  const scale = optionalOperand(operands, "scale");
  return [normalizeOver(input, axes, epsilon, scale, optionalOperand(operands, "bias"), position)];
};

export const normalization: Rows = { batchNormalization, instanceNormalization, layerNormalization };
