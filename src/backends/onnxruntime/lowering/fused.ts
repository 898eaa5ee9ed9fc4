/**
 * Lowering of the fused operators to those of ONNX Runtime's own domain.
 *
 * @module
 */

import type { FusedName, FusedNode } from "../../../rewrite/fused.ts";
import { Float, type OnnxAttributes } from "../onnx.ts";
import { onnxPads } from "./layout.ts";
import type { FusedLowering } from "./lowering.ts";

const blockMatmul: FusedLowering<"blockMatmul"> = ({ operands, attributes }, onnx) => {
  const { a, weights, scales, zeroPoints } = operands;
  const { bits, blockSize, columns, inner } = attributes;
  return onnx.microsoft("MatMulNBits", [a, weights, scales, zeroPoints], {
    K: inner,
    N: columns,
    bits,
    block_size: blockSize,
    // 0 computes in float32; 4 rounds activations to 8 bits.
    accuracy_level: onnx.settings.allowReducedPrecision ? 4 : 0,
  });
};

const dynamicQuantize: FusedLowering<"dynamicQuantize"> = ({ operands: { input } }, onnx) =>
  onnx.nodes("DynamicQuantizeLinear", [input], 3);

/** The window of a convolution, as ONNX attributes. */
function windowOf({ padding, strides, dilations }: FusedNode<"integerConv2d">["attributes"]): OnnxAttributes {
  return { pads: onnxPads(padding), strides, dilations };
}

const integerConv2d: FusedLowering<"integerConv2d"> = ({ operands, attributes, outputs }, onnx) => {
  const { input, inputZeroPoint, filter, filterZeroPoint } = operands;
  const sum = onnx.node("ConvInteger", [input, filter, inputZeroPoint, filterZeroPoint], windowOf(attributes));
  return outputs[0]!.dataType === "int32" ? sum : onnx.cast(sum, "float32");
};

const BINARY = { add: "QLinearAdd", mul: "QLinearMul" };

const quantizedBinary: FusedLowering<"quantizedBinary"> = ({ operands, attributes }, onnx) => {
  const { a, aScale, aZeroPoint, b, bScale, bZeroPoint, outputScale, outputZeroPoint } = operands;
  const one = onnx.scalar("float32", 1);
  const factors = [a, aScale ?? one, aZeroPoint, b, bScale ?? one, bZeroPoint];
  return onnx.microsoft(BINARY[attributes.operator], [...factors, outputScale, outputZeroPoint]);
};

const quantizedSigmoid: FusedLowering<"quantizedSigmoid"> = ({ operands }, onnx) => {
  const { input, inputScale, inputZeroPoint, outputScale, outputZeroPoint } = operands;
  const scale = inputScale ?? onnx.scalar("float32", 1);
  return onnx.microsoft("QLinearSigmoid", [input, scale, inputZeroPoint, outputScale, outputZeroPoint]);
};

const quantizedConv2d: FusedLowering<"quantizedConv2d"> = ({ operands, attributes }, onnx) => {
  const { input, inputScale, inputZeroPoint, filter, filterScale, filterZeroPoint } = operands;
  const { bias, outputScale, outputZeroPoint } = operands;
  const one = onnx.scalar("float32", 1);
  return onnx.node("QLinearConv", [
    ...[input, inputScale ?? one, inputZeroPoint],
    ...[filter, filterScale ?? one, filterZeroPoint],
    ...[outputScale, outputZeroPoint, bias],
  ], { ...windowOf(attributes), group: attributes.groups });
};

const integerMatmul: FusedLowering<"integerMatmul"> = ({ operands, outputs }, onnx) => {
  const { a, aZeroPoint, b, bZeroPoint } = operands;
  const sum = onnx.node("MatMulInteger", [a, b, aZeroPoint, bZeroPoint]);
  return outputs[0]!.dataType === "int32" ? sum : onnx.cast(sum, "float32");
};

const scaledIntegerMatmul: FusedLowering<"scaledIntegerMatmul"> = ({ operands }, onnx) => {
  const { a, aScale, aZeroPoint, b, bScale, bZeroPoint, bias } = operands;
  const one = onnx.scalar("float32", 1);
  return onnx.microsoft("MatMulIntegerToFloat", [a, b, aScale ?? one, bScale ?? one, aZeroPoint, bZeroPoint, bias]);
};

/** ONNX Runtime has it in the default domain, with a name that ONNX does not define. */
const rmsNormalization: FusedLowering<"rmsNormalization"> = ({ operands, attributes }, onnx) => {
  const { input, scale } = operands;
  const { axis, epsilon } = attributes;
  const gain = scale ?? onnx.constant(input.dataType, input.shape.slice(axis), [1]);
  return onnx.node("SimplifiedLayerNormalization", [input, gain], { axis, epsilon: new Float(epsilon) });
};

/** In the engine's blocked layout of channels, it executes this as a convolution, else as one pass over the image. */
const affineChannels: FusedLowering<"affineChannels"> = ({ operands: { input, scale, bias } }, onnx) => {
  const [zero, one] = [0, 1].map((value) => onnx.constant("float32", scale.shape, [value]));
  return onnx.node("BatchNormalization", [input, scale, bias, zero, one], { epsilon: new Float(0) });
};

const geluByTanh: FusedLowering<"geluByTanh"> = ({ operands: { input } }, onnx) =>
  onnx.node("Gelu", [input], { approximate: "tanh" });

const scaledMatmul: FusedLowering<"scaledMatmul"> = ({ operands: { a, b }, attributes: { alpha } }, onnx) =>
  onnx.microsoft("FusedMatMul", [a, b], { alpha: new Float(alpha) });

const scaledSilu: FusedLowering<"scaledSilu"> = ({ operands: { input }, attributes: { alpha } }, onnx) =>
  onnx.microsoft("QuickGelu", [input], { alpha: new Float(alpha) });

export const fusedOperators = {
  affineChannels,
  blockMatmul,
  dynamicQuantize,
  geluByTanh,
  integerConv2d,
  integerMatmul,
  quantizedBinary,
  quantizedConv2d,
  quantizedSigmoid,
  rmsNormalization,
  scaledIntegerMatmul,
  scaledMatmul,
  scaledSilu,
} satisfies {
  [Name in FusedName]: FusedLowering<Name>;
};
