/**
 * Lowering of convolutions. ONNX's filters are OIHW, or IOHW for transposed convolutions.
 *
 * @module
 */

import { imageShape } from "../../../graph/layout.ts";
import type { convolutions as rows } from "../../../ops/conv2d.ts";
import { fromNchw, onnxPads, permutation, toNchw } from "./layout.ts";
import type { Lowering } from "./lowering.ts";

const conv2d: Lowering<"conv2d"> = ({ operands: { input, filter, bias }, attributes }, onnx) => {
  const { inputLayout, filterLayout, padding, strides, dilations, groups } = attributes;
  const output = onnx.node("Conv", [
    toNchw(input, inputLayout, onnx),
    onnx.transpose(filter, permutation(filterLayout, "oihw")),
    bias,
  ], { pads: onnxPads(padding), strides, dilations, group: groups });
  return fromNchw(output, inputLayout, onnx);
};

const convTranspose2d: Lowering<"convTranspose2d"> = ({ operands, attributes, label }, onnx) => {
  const { input, filter, bias } = operands;
  const { inputLayout, filterLayout, padding, strides, dilations, outputPadding, groups } = attributes;
  const { channels } = imageShape(input.shape, inputLayout);
  // WPT requires the builder to accept such an operator, although it has no defined result.
  if (channels % groups !== 0) {
    throw new RangeError(
      `convTranspose2d [${label}]: ${channels} input channels cannot be divided into ${groups} groups`,
    );
  }
  const output = onnx.node("ConvTranspose", [
    toNchw(input, inputLayout, onnx),
    onnx.transpose(filter, permutation(filterLayout, "iohw")),
    bias,
  ], { pads: onnxPads(padding), strides, dilations, output_padding: outputPadding, group: groups });
  return fromNchw(output, inputLayout, onnx);
};

export const convolutions = { conv2d, convTranspose2d } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
