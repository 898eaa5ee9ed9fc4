import type { Network } from "./inference.ts";
import { type ConvolutionOptions, createLayers, imageShape } from "./layers.ts";
import type { Weights } from "./safetensors.ts";

/**
 * Builds SqueezeNet 1.1 (https://arxiv.org/abs/1602.07360), a classifier of 1000 ImageNet classes, for one picture of
 * 224 × 224. It needs only the standard's global `MLGraphBuilder`.
 *
 * Input `data`: [1, 3, 224, 224], or [1, 224, 224, 3] with layout "nhwc". Outputs `logits` and `probabilities`:
 * [1, 1000]. `weights` holds `conv<n>_weight` (oihw) and `conv<n>_bias` for n = 0 to 25. `layout` is by default the one
 * that the context prefers.
 */
export async function buildSqueezeNet(
  context: MLContext,
  weights: Weights,
  { layout = context.opSupportLimits().preferredInputLayout }: { layout?: MLInputOperandLayout } = {},
): Promise<Network> {
  const builder = new MLGraphBuilder(context);
  const layers = createLayers(builder, weights, layout);
  const channelAxis = layout === "nchw" ? 1 : 3;

  const convRelu = (input: MLOperand, index: number, options: ConvolutionOptions = {}) =>
    builder.relu(layers.conv2d(input, `conv${index}`, options));
  const maxPool = (input: MLOperand) => builder.maxPool2d(input, { windowDimensions: [3, 3], strides: [2, 2], layout });
  /**
   * A fire module, convolutions `index` to `index + 2`: squeezes to few channels, then expands with 1 × 1 and 3 × 3
   * filters in parallel.
   */
  const fire = (input: MLOperand, index: number) => {
    const squeezed = convRelu(input, index);
    const expanded1x1 = convRelu(squeezed, index + 1);
    const expanded3x3 = convRelu(squeezed, index + 2, { padding: 1 });
    return builder.concat([expanded1x1, expanded3x3], channelAxis);
  };

  const inputShape = imageShape(layout, 3, 224);
  const data = builder.input("data", { dataType: "float32", shape: inputShape });
  let x = maxPool(convRelu(data, 0, { stride: 2 }));
  x = maxPool(fire(fire(x, 1), 4));
  x = maxPool(fire(fire(x, 7), 10));
  x = fire(fire(fire(fire(x, 13), 16), 19), 22);
  const classMaps = convRelu(x, 25);
  const logits = builder.reshape(builder.averagePool2d(classMaps, { layout }), [1, 1000]);
  const probabilities = builder.softmax(logits, 1);

  const graph = await builder.build({ logits, probabilities });
  return { graph, inputs: { data: inputShape }, outputs: { logits: [1, 1000], probabilities: [1, 1000] } };
}
