/**
 * conv2d and convTranspose2d. Inputs are permuted to nchw and oihw (iohw) first, and the result is permuted back.
 *
 * @module
 */

import { attribute, type Attributes, type Compute, operand, optionalOperand, type Rows } from "./operator.ts";
import { accumulate, floatAt, permute, type RefTensor, sumOf } from "./tensor.ts";

/** The permutation from the dimension order `from` to `to`, each letter a dimension. */
function permutation(from: string, to: string): number[] {
  return [...to].map((name) => from.indexOf(name));
}

/** Permutes a tensor from one layout to another. */
export function relayout(source: RefTensor, from: string, to: string): RefTensor {
  return permute(source, permutation(from, to));
}

type Pair = readonly [number, number];

interface Geometry {
  readonly padding: readonly [number, number, number, number];
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly groups: number;
}

function geometry(attributes: Attributes): Geometry {
  return {
    padding: attribute(attributes, "padding", [0, 0, 0, 0]),
    strides: attribute(attributes, "strides", [1, 1]),
    dilations: attribute(attributes, "dilations", [1, 1]),
    groups: attribute(attributes, "groups", 1),
  };
}

/** The bias of an output channel, as the first term of its sum. */
function biasTerms(bias: RefTensor | undefined, channel: number): number[] {
  return bias === undefined ? [] : [floatAt(bias, [channel])];
}

const conv2d: Compute = (operands, attributes) => {
  const layout = attribute(attributes, "inputLayout", "nchw");
  const input = relayout(operand(operands, "input"), layout, "nchw");
  const filter = relayout(operand(operands, "filter"), attribute(attributes, "filterLayout", "oihw"), "oihw");
  const bias = optionalOperand(operands, "bias");
  const { padding, strides, dilations, groups } = geometry(attributes);
  const [batch, , height, width] = input.shape as [number, number, number, number];
  const [outputChannels, groupChannels, kernelHeight, kernelWidth] = filter.shape as [number, number, number, number];
  const size = (dimension: number, kernel: number, axis: 0 | 1) =>
    1 + Math.floor(
      (dimension - ((kernel - 1) * dilations[axis] + 1) + padding[2 * axis]! + padding[2 * axis + 1]!) / strides[axis],
    );
  const shape = [batch, outputChannels, size(height, kernelHeight, 0), size(width, kernelWidth, 1)];
  const terms = groupChannels * kernelHeight * kernelWidth + 1;
  function* products([n, o, y, x]: [number, number, number, number]): Generator<number> {
    const firstChannel = Math.floor(o / (outputChannels / groups)) * groupChannels;
    for (let c = 0; c < groupChannels; c++) {
      for (let ky = 0; ky < kernelHeight; ky++) {
        for (let kx = 0; kx < kernelWidth; kx++) {
          const iy = y * strides[0] + ky * dilations[0] - padding[0];
          const ix = x * strides[1] + kx * dilations[1] - padding[2];
          if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
          yield floatAt(input, [n, firstChannel + c, iy, ix]) * floatAt(filter, [o, c, ky, kx]);
        }
      }
    }
  }
  const output = accumulate(input.dataType, shape, terms, (index) => {
    return sumOf([...biasTerms(bias, index[1]!), ...products(index as [number, number, number, number])]);
  });
  return [relayout(output, "nchw", layout)];
};

/** The output height and width of convTranspose2d without `outputSizes`. */
function transposedSizes(input: RefTensor, filter: RefTensor, attributes: Attributes): Pair {
  const { padding, strides, dilations } = geometry(attributes);
  const outputPadding = attribute<Pair>(attributes, "outputPadding", [0, 0]);
  const size = (axis: 0 | 1) =>
    (input.shape[2 + axis]! - 1) * strides[axis] + (filter.shape[2 + axis]! - 1) * dilations[axis] + 1 -
    padding[2 * axis]! - padding[2 * axis + 1]! + outputPadding[axis];
  return attribute<Pair>(attributes, "outputSizes", [size(0), size(1)]);
}

/**
 * The input coordinate that contributes to an output coordinate through kernel position `k`; `undefined` if there is
 * none.
 */
function sourceOf(output: number, k: number, axis: 0 | 1, size: number, geometry: Geometry): number | undefined {
  const { padding, strides, dilations } = geometry;
  const scaled = output + padding[2 * axis]! - k * dilations[axis];
  const source = scaled / strides[axis];
  return Number.isInteger(source) && source >= 0 && source < size ? source : undefined;
}

const convTranspose2d: Compute = (operands, attributes) => {
  const layout = attribute(attributes, "inputLayout", "nchw");
  const input = relayout(operand(operands, "input"), layout, "nchw");
  const filter = relayout(operand(operands, "filter"), attribute(attributes, "filterLayout", "iohw"), "iohw");
  const bias = optionalOperand(operands, "bias");
  const shared = geometry(attributes);
  const [batch, inputChannels, height, width] = input.shape as [number, number, number, number];
  const [, groupOutputs, kernelHeight, kernelWidth] = filter.shape as [number, number, number, number];
  const groupInputs = inputChannels / shared.groups;
  const shape = [batch, groupOutputs * shared.groups, ...transposedSizes(input, filter, attributes)];
  const terms = groupInputs * kernelHeight * kernelWidth + 1;
  function* products([n, o, y, x]: [number, number, number, number]): Generator<number> {
    const firstChannel = Math.floor(o / groupOutputs) * groupInputs;
    for (let c = firstChannel; c < firstChannel + groupInputs; c++) {
      for (let ky = 0; ky < kernelHeight; ky++) {
        const iy = sourceOf(y, ky, 0, height, shared);
        if (iy === undefined) continue;
        for (let kx = 0; kx < kernelWidth; kx++) {
          const ix = sourceOf(x, kx, 1, width, shared);
          if (ix === undefined) continue;
          yield floatAt(input, [n, c, iy, ix]) * floatAt(filter, [c, o % groupOutputs, ky, kx]);
        }
      }
    }
  }
  const output = accumulate(input.dataType, shape, terms, (index) => {
    return sumOf([...biasTerms(bias, index[1]!), ...products(index as [number, number, number, number])]);
  });
  return [relayout(output, "nchw", layout)];
};

export const convolution: Rows = { conv2d, convTranspose2d };
