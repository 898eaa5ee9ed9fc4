/**
 * Lowering of convolutions. MIL's filters are OIHW, or IOHW for transposed convolutions.
 *
 * @module
 */

import { imageShape } from "../../../graph/layout.ts";
import type { Value } from "../../../graph/graph.ts";
import type { Window } from "../../../ops/conv2d.ts";
import type { convolutions as rows } from "../../../ops/conv2d.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { Shape } from "../../../shape.ts";
import type { MilValue } from "../mil.ts";
import { isConstant, type MilWriter } from "../mil_writer.ts";
import { fromNchw, permutation, toNchw } from "./layout.ts";
import type { Lowering } from "./lowering.ts";

/** The parameters that both convolutions share. MIL's padding is in WebNN's order: `[top, bottom, left, right]`. */
function windowParameters({ padding, strides, dilations }: Window, groups: number, mil: MilWriter) {
  return {
    strides: mil.ints(strides),
    pad_type: mil.text("custom"),
    pad: mil.ints(padding),
    dilations: mil.ints(dilations),
    groups: mil.int(groups),
  };
}

/**
 * A filter in the layout `to`, and the dilations for MIL. If the filter is not constant when the model is loaded, Core
 * ML supports no dilations; then zeros are inserted between its elements instead.
 */
function filterOf(
  filter: Value,
  { filterLayout, dilations }: { readonly filterLayout: string; readonly dilations: readonly number[] },
  to: string,
  mil: MilWriter,
): { readonly weight: MilValue; readonly dilations: readonly number[] } {
  const weight = mil.transpose(mil.value(filter), permutation(filterLayout, to));
  if (mil.isKnown(weight) || dilations.every((dilation) => dilation === 1)) return { weight, dilations };
  return { weight: spreadFilter(weight, dilations as [number, number], mil), dilations: [1, 1] };
}

function spreadFilter(weight: MilValue, [down, across]: readonly [number, number], mil: MilWriter): MilValue {
  const [first, second, height, width] = weight.shape as [number, number, number, number];
  const planes = first * second;
  const parted = mil.reshape(weight, [planes, height, 1, width, 1]);
  const filled = zeroPadded(parted, [0, 0, down - 1, 0, across - 1], mil);
  const spread = mil.reshape(filled, [first, second, height * down, width * across]);
  const end = [first, second, (height - 1) * down + 1, (width - 1) * across + 1];
  return mil.slice(spread, [0, 0, 0, 0], end, [1, 1, 1, 1]);
}

/** Appends `sizes` zeros to each dimension. */
function zeroPadded(x: MilValue, sizes: readonly number[], mil: MilWriter): MilValue {
  return mil.op("pad", {
    x,
    pad: mil.ints(sizes.flatMap((size) => [0, size])),
    mode: mil.text("constant"),
    constant_val: mil.scalar(x.dataType, 0),
  }, { dataType: x.dataType, shape: x.shape.map((dimension, axis) => dimension + sizes[axis]!) });
}

/** Core ML requires a constant bias; any other is added afterwards. */
function withBias(
  bias: Value | undefined,
  convolve: (bias: MilValue | undefined) => MilValue,
  mil: MilWriter,
): MilValue {
  const value = bias && mil.value(bias);
  return !value || isConstant(value) ? convolve(value) : addChannels(convolve(undefined), value, mil);
}

function addChannels(x: MilValue, bias: MilValue, mil: MilWriter): MilValue {
  return mil.binary("add", x, mil.reshape(bias, [1, bias.shape[0]!, 1, 1]));
}

/** The NCHW shape of an image. */
function nchwShape(shape: Shape, layout: "nchw" | "nhwc"): Shape {
  const { batches, channels, height, width } = imageShape(shape, layout);
  return [batches, channels, height, width];
}

const conv2d: Lowering<"conv2d"> = ({ operands: { input, filter, bias }, attributes, outputs: [output] }, mil) => {
  const { inputLayout, groups } = attributes;
  const x = toNchw(mil.value(input), inputLayout, mil);
  const { weight, dilations } = filterOf(filter, attributes, "oihw", mil);
  const parameters = windowParameters({ ...attributes, dilations }, groups, mil);
  const shape = nchwShape(output!.shape, inputLayout);
  const convolved = withBias(
    bias,
    (bias) => mil.op("conv", { x, weight, bias, ...parameters }, { dataType: x.dataType, shape }),
    mil,
  );
  return fromNchw(convolved, inputLayout, mil);
};

const convTranspose2d: Lowering<"convTranspose2d"> = (node, mil) => {
  const { operands: { input }, attributes: { inputLayout, groups }, label } = node;
  const { channels } = imageShape(input.shape, inputLayout);
  // WPT requires the builder to accept such an operator, although it has no defined result.
  if (channels % groups !== 0) {
    throw new RangeError(
      `convTranspose2d [${label}]: ${channels} input channels cannot be divided into ${groups} groups`,
    );
  }
  const x = toNchw(mil.value(input), inputLayout, mil);
  return fromNchw(transposedConvolution(node, x, mil), inputLayout, mil);
};

/**
 * MIL has no output padding, so it is subtracted from the padding at the end. No input element reaches the rows and
 * columns beyond that padding, so zeros are appended there, before the bias is added.
 */
function transposedConvolution(
  { operands: { filter, bias }, attributes, outputs: [output] }: NodeOf<"convTranspose2d">,
  x: MilValue,
  mil: MilWriter,
): MilValue {
  const { weight, dilations } = filterOf(filter, attributes, "iohw", mil);
  const [top, bottom, left, right] = attributes.padding as [number, number, number, number];
  const [rows, columns] = attributes.outputPadding as [number, number];
  const padding = [top, Math.max(bottom - rows, 0), left, Math.max(right - columns, 0)];
  const appended = [Math.max(rows - bottom, 0), Math.max(columns - right, 0)] as const;
  const [batches, channels, height, width] = nchwShape(output!.shape, attributes.inputLayout) as number[];
  const shape = [batches!, channels!, height! - appended[0], width! - appended[1]];
  const parameters = {
    ...windowParameters({ ...attributes, padding, dilations }, attributes.groups, mil),
    output_shape: mil.ints(shape),
  };
  const convolve = (bias: MilValue | undefined) =>
    mil.op("conv_transpose", { x, weight, bias, ...parameters }, { dataType: x.dataType, shape });
  if (appended[0] + appended[1] === 0) return withBias(bias, convolve, mil);
  const full = zeroPadded(convolve(undefined), [0, 0, ...appended], mil);
  return bias ? addChannels(full, mil.value(bias), mil) : full;
}

export const convolutions = { conv2d, convTranspose2d } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
