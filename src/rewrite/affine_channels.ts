/**
 * Merges a factor and a summand per channel into one operator, and into a convolution that follows.
 *
 * @module
 */

import type { Value } from "../graph/graph.ts";
import { sameShape, type Shape } from "../shape.ts";
import { become, type GraphView } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { row } from "./row.ts";
import { floatsOf, isNormal, numbersOf, perChannel } from "./scaled_convolutions.ts";

/**
 * `x · factor + summand` of an image, where both are constants: one number for all channels or one per channel.
 * Summands must not be 0: a sum with 0 turns -0 into 0.
 */
const affineChannels = row(["add", "sub"], ["mul"], (node, graph) => {
  const [output] = node.outputs as [Value];
  if (output.dataType !== "float32" || output.shape.length !== 4) return undefined;
  const { a, b } = node.operands;
  const [product, other] = graph.producer(a, "mul") || node.operator === "sub" ? [a, b] : [b, a];
  const mul = graph.producer(product, "mul");
  const summands = mul && graph.areInner([mul], node) && sameShape(product.shape, output.shape)
    ? perChannel(other, output.shape, 1, graph)
    : undefined;
  if (!mul || !summands?.every((number) => Number.isFinite(number) && number !== 0)) return undefined;
  for (const [input, factor] of [[mul.operands.a, mul.operands.b], [mul.operands.b, mul.operands.a]] as const) {
    const factors = sameShape(input.shape, output.shape) ? perChannel(factor, output.shape, 1, graph) : undefined;
    if (!factors?.every(isNormal)) continue;
    const shifts = node.operator === "sub" ? summands.map((number) => -number) : summands;
    const [scale, bias] = [factors, shifts].map((numbers) => constant(numbers, [numbers.length], graph));
    return become("affineChannels", { input, scale: scale!, bias: bias! }, {});
  }
  return undefined;
});

/**
 * Merges `x · scale + bias` into a convolution without padding: the filter is multiplied by `scale`, and the sums of
 * the filter times `bias` are added to the convolution's bias. Weights are rounded once, and must keep their precision,
 * as in `scaledConvolution`.
 */
const convolutionOfAffine = row(["conv2d"], ["mul"], (node, graph) => {
  const { input, filter, bias } = node.operands;
  const affine = graph.producer(input, "affineChannels");
  if (!affine || !graph.areInner([affine], node) || !isPlain(node)) return undefined;
  const [scales, shifts] = [numbersOf(affine.operands.scale, graph), numbersOf(affine.operands.bias, graph)];
  const bytes = graph.bytes(filter);
  const weights = bytes && floatsOf(bytes);
  const before = bias ? numbersOf(bias, graph) : new Float64Array(filter.shape[0]!);
  const merged = weights && before && merge(weights, before, scales!, shifts!, filter.shape[1]!);
  if (!merged) return undefined;
  return become("conv2d", {
    input: affine.operands.input,
    filter: constant(merged.weights, filter.shape, graph),
    bias: constant(merged.bias, [merged.bias.length], graph),
  }, node.attributes);
});

/** Whether a convolution of NCHW by OIHW has one group and no padding, to which scale and bias would not apply. */
function isPlain({ attributes }: AnyNode<"conv2d">): boolean {
  const { inputLayout, filterLayout, groups, padding } = attributes;
  return inputLayout === "nchw" && filterLayout === "oihw" && groups === 1 && padding.every((size) => size === 0);
}

interface Merged {
  readonly weights: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
}

/** Filter and bias of the merged convolution; `undefined` if that would lose precision. */
function merge(
  weights: Float32Array,
  before: Float64Array,
  scales: Float64Array,
  shifts: Float64Array,
  channels: number,
): Merged | undefined {
  const area = weights.length / before.length / channels;
  const scaled = new Float32Array(weights.length);
  const bias = new Float32Array(before.length);
  for (let output = 0, at = 0; output < before.length; output++) {
    let sum = before[output]!, largest = 0, given = 0; // The sum is NaN if a weight is.
    for (let channel = 0; channel < channels; channel++) {
      const scale = scales[channel]!, shift = shifts[channel]!;
      for (const end = at + area; at < end; at++) {
        const weight = weights[at]!;
        const product = Math.fround(weight * scale);
        scaled[at] = product;
        sum += weight * shift;
        if (Math.abs(product) > largest) largest = Math.abs(product);
        if (Math.abs(weight) > given) given = Math.abs(weight);
      }
    }
    bias[output] = sum;
    if (given > 0 && !isNormal(largest) || !Number.isFinite(bias[output]!)) return undefined;
  }
  return { weights: scaled, bias };
}

function constant(numbers: Float32Array | Float64Array, shape: Shape, graph: GraphView): Value {
  return graph.constant({ dataType: "float32", shape }, (bytes) => floatsOf(bytes).set(numbers));
}

/** The rewrites of factors and summands per channel. */
export const affineRows = { affineChannels, convolutionOfAffine };
