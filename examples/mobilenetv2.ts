import type { Network } from "./inference.ts";
import { type ConvolutionOptions, createLayers, type Float, imageShape } from "./layers.ts";
import type { Weights } from "./safetensors.ts";

/** The stages after the first block: the number of blocks, and the stride of the first one (table 2 of the paper). */
const STAGES = [
  { blocks: 2, stride: 2 }, // 24 channels
  { blocks: 3, stride: 2 }, // 32
  { blocks: 4, stride: 2 }, // 64
  { blocks: 3, stride: 1 }, // 96
  { blocks: 3, stride: 2 }, // 160
  { blocks: 1, stride: 1 }, // 320
];

/** How a network is built. */
export interface MobileNetV2Options {
  /** The layout of the input; by default the one that the context prefers. */
  layout?: MLInputOperandLayout;
  /** The batch size; 1 by default. */
  batch?: number;
  /** The data type of the computation, float32 by default. Inputs and outputs are always float32. */
  dataType?: Float;
}

/**
 * Builds MobileNetV2 1.0 (https://arxiv.org/abs/1801.04381), a classifier of 1000 ImageNet classes, for pictures of
 * 224 × 224, with the batch normalisations folded into the convolutions. It needs only the standard's global
 * `MLGraphBuilder`.
 *
 * Input `input`: [batch, 3, 224, 224], or [batch, 224, 224, 3] with layout "nhwc". Outputs `features`: [batch, 1280],
 * `logits` and `probabilities`: [batch, 1000]. `weights` holds `conv_<n>_weight` (oihw), `conv_<n>_bias`,
 * `gemm_104_weight` ([1000, 1280]) and `gemm_104_bias`.
 */
export async function buildMobileNetV2(
  context: MLContext,
  weights: Weights,
  { layout = context.opSupportLimits().preferredInputLayout, batch = 1, dataType = "float32" }: MobileNetV2Options = {},
): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  const layers = createLayers(builder, weights, layout, dataType);
  const cast = (x: MLOperand, type: Float) => x.dataType === type ? x : builder.cast(x, type);

  const relu6 = (x: MLOperand) => builder.clamp(x, { minValue: 0, maxValue: 6 });
  const convRelu6 = (x: MLOperand, index: number, options: ConvolutionOptions = {}) =>
    relu6(layers.conv2d(x, `conv_${index}`, options));
  const depthwiseRelu6 = (x: MLOperand, index: number, stride: number) =>
    relu6(layers.depthwiseConv2d(x, `conv_${index}`, { padding: 1, stride }));
  /** An inverted residual block: expands, convolves each channel, and projects to few channels without an activation. */
  const bottleneck = (x: MLOperand, index: number, stride: number) =>
    layers.conv2d(depthwiseRelu6(convRelu6(x, index), index + 2, stride), `conv_${index + 4}`);

  const inputShape = imageShape(layout, 3, 224, batch);
  const input = builder.input("input", { dataType: "float32", shape: inputShape });
  let x = convRelu6(cast(input, dataType), 0, { padding: 1, stride: 2 });
  x = layers.conv2d(depthwiseRelu6(x, 2, 1), "conv_4");
  // The names count all layers: five per block, including activations, and one more if the input is added.
  let index = 5;
  for (const { blocks, stride } of STAGES) {
    x = bottleneck(x, index, stride);
    index += 5;
    for (let block = 1; block < blocks; block++) {
      x = builder.add(x, bottleneck(x, index, 1));
      index += 6;
    }
  }
  const featureMaps = convRelu6(x, index);
  const features = builder.reshape(builder.averagePool2d(featureMaps, { layout }), [batch, 1280]);
  const logits = builder.gemm(features, layers.constant("gemm_104_weight"), {
    c: layers.constant("gemm_104_bias"),
    bTranspose: true,
  });
  const probabilities = builder.softmax(logits, 1);

  const graph = await builder.build({
    features: cast(features, "float32"),
    logits: cast(logits, "float32"),
    probabilities: cast(probabilities, "float32"),
  });
  return {
    graph,
    inputs: { input: inputShape },
    outputs: { features: [batch, 1280], logits: [batch, 1000], probabilities: [batch, 1000] },
  };
}
