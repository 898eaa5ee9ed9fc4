/**
 * Convolutions, and the moving windows that they share with pools.
 *
 * @module
 */

import { elementsOf } from "../graph/cost.ts";
import type { Cost, Value } from "../graph/graph.ts";
import { filterShape, fromImageShape, type ImageShape, imageShape } from "../graph/layout.ts";
import { MAX_DIMENSION } from "../shape.ts";
import { checkLength, checkNonZero, checkShape, refuse } from "./checks.ts";
import { computing, type CostedNode } from "./cost.ts";
import { FLOATS, maybe, one, operator, rank, sameAs, tensor } from "./operator.ts";
import { conv2dLayout, convTranspose2dLayout, inputLayout, integer1, maybeIntegers } from "./parameters.ts";

/** The padding, strides and dilations of a window, with defaults filled in. */
export interface Window {
  /** `[beginHeight, endHeight, beginWidth, endWidth]`. */
  readonly padding: readonly number[];
  /** `[height, width]`. */
  readonly strides: readonly number[];
  /** `[height, width]`. */
  readonly dilations: readonly number[];
}

/** The options that describe a window, as the caller passed them. */
export interface WindowOptions {
  readonly padding?: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
}

/** Checks padding, strides and dilations and fills in their defaults. */
export function checkWindow({ padding = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1] }: WindowOptions): Window {
  checkLength("padding", padding, 4);
  checkLength("strides", strides, 2);
  checkLength("dilations", dilations, 2);
  checkNonZero("strides", strides);
  checkNonZero("dilations", dilations);
  return { padding, strides, dilations };
}

/**
 * The exact output size in one dimension, before rounding:
 * `(input + begin + end − ((kernel − 1)·dilation + 1)) / stride + 1`.
 * @see https://www.w3.org/TR/webnn/#mlgraphbuilder-calculate-conv-output-size
 */
export function outputSize(input: number, kernel: number, window: Window, dimension: 0 | 1): number {
  const begin = window.padding[2 * dimension]!;
  const end = window.padding[2 * dimension + 1]!;
  const effective = (kernel - 1) * window.dilations[dimension]! + 1;
  return (input - effective + begin + end) / window.strides[dimension]! + 1;
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-conv2d */
const conv2d = operator({
  name: "conv2d",
  operands: {
    input: one(FLOATS, rank(4, 4)),
    filter: one(sameAs("input"), rank(4, 4)),
    bias: maybe(sameAs("input"), rank(1, 1)),
  },
  outputs: { output: tensor(sameAs("input"), rank(4, 4)) },
  options: {
    padding: maybeIntegers,
    strides: maybeIntegers,
    dilations: maybeIntegers,
    groups: integer1,
    inputLayout,
    filterLayout: conv2dLayout,
  },
  resolve({ input, filter, bias }, { groups, inputLayout, filterLayout, ...options }) {
    const window = checkWindow(options);
    const image = imageShape(input.shape, inputLayout);
    const { o, i, h, w } = filterShape(filter.shape, filterLayout);
    if (groups === 0) refuse("groups must not be 0");
    if (image.channels !== i * groups) {
      refuse(
        `the input's ${image.channels} channels must be groups (${groups}) times the filter's input channels (${i})`,
      );
    }
    if (o % groups !== 0) refuse(`the filter's ${o} output channels must be divisible by groups (${groups})`);
    if (bias) checkShape("bias", bias.shape, [o]);
    checkPaddedSize(image, window);
    const height = Math.floor(outputSize(image.height, h, window, 0));
    const width = Math.floor(outputSize(image.width, w, window, 1));
    if (height < 1 || width < 1) {
      const [rows, columns] = window.dilations as [number, number];
      refuse(
        `the dilated filter of ${(h - 1) * rows + 1} × ${(w - 1) * columns + 1} must fit into the padded input`,
      );
    }
    return {
      attributes: { ...window, groups, inputLayout, filterLayout },
      outputs: [{
        dataType: input.dataType,
        shape: fromImageShape({ batches: image.batches, channels: o, height, width }, inputLayout),
      }],
    };
  },
  // Each output element takes one multiply-add per filter weight of its output channel.
  cost: (node) => convolving(node, node.outputs, node.attributes.filterLayout.indexOf("o")),
});

/**
 * The cost: one multiply-add per filter weight for each element of `values`, plus one addition per output for the bias.
 * An element uses the filter weights of its own channel.
 * @param channelAxis the axis of the filter that belongs to the channels of `values`
 */
function convolving(
  node: CostedNode<{ readonly filter: Value; readonly bias: Value | undefined }>,
  values: readonly Value[],
  channelAxis: number,
): Cost {
  const { operands: { filter, bias }, outputs } = node;
  const weightsPerChannel = elementsOf([filter]) / filter.shape[channelAxis]!;
  return computing(node, elementsOf(values) * weightsPerChannel + (bias ? elementsOf(outputs) / 2 : 0));
}

/** Checks the size of the padded input. WPT requires this, because some engines pad in a separate step. */
export function checkPaddedSize({ batches, channels, height, width }: ImageShape, { padding }: Window): void {
  const [top, bottom, left, right] = padding as [number, number, number, number];
  const elements = batches * channels * (height + top + bottom) * (width + left + right);
  if (elements > MAX_DIMENSION) {
    refuse(`the padded input would have ${elements} elements; at most ${MAX_DIMENSION} are supported`);
  }
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-convtranspose2d */
const convTranspose2d = operator({
  name: "convTranspose2d",
  operands: {
    input: one(FLOATS, rank(4, 4)),
    filter: one(sameAs("input"), rank(4, 4)),
    bias: maybe(sameAs("input"), rank(1, 1)),
  },
  outputs: { output: tensor(sameAs("input"), rank(4, 4)) },
  options: {
    padding: maybeIntegers,
    strides: maybeIntegers,
    dilations: maybeIntegers,
    outputPadding: maybeIntegers,
    outputSizes: maybeIntegers,
    groups: integer1,
    inputLayout,
    filterLayout: convTranspose2dLayout,
  },
  resolve({ input, filter, bias }, { groups, inputLayout, filterLayout, outputPadding, outputSizes, ...options }) {
    const window = checkWindow(options);
    const image = imageShape(input.shape, inputLayout);
    const { o, i, h, w } = filterShape(filter.shape, filterLayout);
    if (groups === 0) refuse("groups must not be 0");
    if (image.channels !== i) refuse(`the filter must have ${image.channels} input channels, not ${i}`);
    const channels = o * groups;
    if (bias) checkShape("bias", bias.shape, [channels]);
    const least = [transposeSize(image.height, h, window, 0), transposeSize(image.width, w, window, 1)];
    const added = checkOutputPadding(least, window, outputPadding, outputSizes);
    const [height, width] = least.map((size, dimension) => size + added[dimension]!) as [number, number];
    return {
      attributes: { ...window, outputPadding: added, groups, inputLayout, filterLayout },
      outputs: [{
        dataType: input.dataType,
        shape: fromImageShape({ batches: image.batches, channels, height, width }, inputLayout),
      }],
    };
  },
  // Each input element takes one multiply-add per filter weight of its input channel.
  cost: (node) => convolving(node, [node.operands.input], node.attributes.filterLayout.indexOf("i")),
});

/**
 * The output size in one dimension, without output padding:
 * `(input − 1)·stride + (kernel − 1)·dilation + 1 − begin − end`.
 * @see https://www.w3.org/TR/webnn/#mlgraphbuilder-calculate-convtranspose-output-size
 */
function transposeSize(input: number, kernel: number, window: Window, dimension: 0 | 1): number {
  const begin = window.padding[2 * dimension]!;
  const end = window.padding[2 * dimension + 1]!;
  const effective = (kernel - 1) * window.dilations[dimension]! + 1;
  return (input - 1) * window.strides[dimension]! + effective - begin - end;
}

/** The output padding: `outputPadding`, or the difference between `outputSizes` and `least`, the sizes without it. */
function checkOutputPadding(
  least: readonly number[],
  { strides }: Window,
  outputPadding: readonly number[] = [0, 0],
  outputSizes: readonly number[] | undefined,
): number[] {
  checkLength("outputPadding", outputPadding, 2);
  if (outputSizes) checkLength("outputSizes", outputSizes, 2);
  return strides.map((stride, dimension) => {
    const size = least[dimension]!;
    const added = outputSizes ? outputSizes[dimension]! - size : outputPadding[dimension]!;
    if (added >= 0 && added < stride) return added;
    return outputSizes
      ? refuse(
        `outputSizes[${dimension}] must be ${stride === 1 ? size : `${size} to ${size + stride - 1}`}, ` +
          `not ${outputSizes[dimension]}`,
      )
      : refuse(`outputPadding[${dimension}] must be less than the stride ${stride}, not ${added}`);
  });
}

/** The rows of convolutions. */
export const convolutions = {
  conv2d,
  convTranspose2d,
};
