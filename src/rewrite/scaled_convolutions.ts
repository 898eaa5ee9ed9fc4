/**
 * Merges constant factors and summands per channel, after a convolution, into its filter and bias.
 *
 * Each weight is rounded once, as the operator would round its result. All weights must stay finite. The largest weight
 * of each channel must stay a normal number: then the loss of smaller, subnormal weights is at most its rounding error.
 * Factors must not be negative: they would turn a sum of 0 into -0, which the convolution cannot do.
 *
 * @module
 */

import type { Node, Value } from "../graph/graph.ts";
import { elementCount, sameShape, type Shape } from "../shape.ts";
import { become, type GraphView, type Replacement } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { row } from "./row.ts";

type Convolution = AnyNode<"conv2d">;

/** The function that is applied to each channel: `y · factor + summand`. */
interface Affine {
  readonly factors?: Float64Array | undefined;
  readonly summands?: Float64Array | undefined;
}

const MIN_NORMAL = 2 ** -126;

const scaledConvolution = row(["mul", "div"], ["conv2d"], (node, graph) => {
  const found = convolutionAndNumbers(node, node.operator === "div", graph);
  if (!found) return undefined;
  const factors = node.operator === "div" ? found.numbers.map((number) => 1 / number) : found.numbers;
  if (factors.some((factor) => factor < 0)) return undefined;
  return withAffine(found.convolution, { factors }, graph);
});

const shiftedConvolution = row(["add", "sub"], ["conv2d"], (node, graph) => {
  const found = convolutionAndNumbers(node, node.operator === "sub", graph);
  if (!found) return undefined;
  const summands = node.operator === "sub" ? found.numbers.map((number) => -number) : found.numbers;
  return withAffine(found.convolution, { summands }, graph);
});

/** `(y - mean) · scale / √(variance + epsilon) + bias`. With a bias, factors may be negative: it turns -0 into 0. */
const normalizedConvolution = row(["batchNormalization"], ["conv2d"], (node, graph) => {
  const { input, mean, variance, scale, bias } = node.operands;
  const convolution = convolutionOf(input, node, graph);
  if (!convolution || node.attributes.axis !== channelAxis(convolution)) return undefined;
  const [means, variances] = [numbersOf(mean, graph), numbersOf(variance, graph)];
  const scales = scale ? numbersOf(scale, graph) : means?.map(() => 1);
  const biases = bias ? numbersOf(bias, graph) : means?.map(() => 0);
  if (!means || !variances || !scales || !biases) return undefined;
  if (!bias && scales.some((number) => number < 0)) return undefined;
  const factors = scales.map((number, i) => number / Math.sqrt(variances[i]! + node.attributes.epsilon));
  const summands = biases.map((number, i) => number - means[i]! * factors[i]!);
  return withAffine(convolution, { factors, summands }, graph);
});

/** The convolution and the constant that an operator combines; with `isOrdered`, the convolution must come first. */
function convolutionAndNumbers(
  node: AnyNode<"add" | "sub" | "mul" | "div">,
  isOrdered: boolean,
  graph: GraphView,
): { readonly convolution: Convolution; readonly numbers: Float64Array } | undefined {
  const { a, b } = node.operands;
  const [value, other] = graph.producer(a, "conv2d") || isOrdered ? [a, b] : [b, a];
  const convolution = convolutionOf(value, node, graph);
  const numbers = convolution && perChannel(other, value.shape, channelAxis(convolution), graph);
  return numbers && { convolution, numbers };
}

/** The float32 convolution that computes a value of the node's shape, if only the node uses it. */
function convolutionOf(value: Value, node: Node, graph: GraphView): Convolution | undefined {
  const convolution = graph.producer(value, "conv2d");
  const isOurs = convolution && value.dataType === "float32" && graph.areInner([convolution], node) &&
    sameShape(value.shape, node.outputs[0]!.shape);
  return isOurs ? convolution : undefined;
}

function channelAxis({ attributes: { inputLayout } }: Convolution): number {
  return inputLayout.indexOf("c");
}

/** The numbers of a float32 constant with one number for all channels of an image, or one for each. */
export function perChannel(
  value: Value,
  shape: Shape,
  axis: number,
  graph: GraphView,
): Float64Array<ArrayBuffer> | undefined {
  const padded = [...shape.map(() => 1), ...value.shape].slice(-shape.length);
  if (padded.some((size, i) => size !== 1 && i !== axis)) return undefined;
  const numbers = numbersOf(value, graph);
  return numbers?.length === 1 ? new Float64Array(shape[axis]!).fill(numbers[0]!) : numbers;
}

/** The numbers of a float32 constant. */
export function numbersOf(value: Value, graph: GraphView): Float64Array<ArrayBuffer> | undefined {
  const bytes = graph.bytes(value);
  return bytes && new Float64Array(floatsOf(bytes));
}

/** A view of float32 elements. */
export function floatsOf({ buffer, byteLength, byteOffset }: Uint8Array): Float32Array {
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** The convolution with the merged filter and bias; `undefined` if that would lose precision. */
function withAffine(
  convolution: Convolution,
  { factors, summands }: Affine,
  graph: GraphView,
): Replacement | undefined {
  const { filter, bias } = convolution.operands;
  if (factors && !canScale(convolution, factors, graph)) return undefined;
  const shifted = bias || summands ? shiftBias(convolution, { factors, summands }, graph) : undefined;
  if ((bias || summands) && !shifted) return undefined;
  const operands = {
    ...convolution.operands,
    filter: factors ? graph.constant(filter, (bytes) => scaleFilter(convolution, factors, graph, bytes)) : filter,
    bias: shifted && graph.constant(
      { dataType: "float32", shape: [shifted.length] },
      (bytes) => bytes.set(new Uint8Array(shifted.buffer)),
    ),
  };
  return become("conv2d", operands, convolution.attributes);
}

/** The bias after factors and summands; `undefined` if it is not constant, or the result is not finite. */
function shiftBias(
  convolution: Convolution,
  { factors, summands }: Affine,
  graph: GraphView,
): Float32Array<ArrayBuffer> | undefined {
  const { bias } = convolution.operands;
  const count = convolution.outputs[0]!.shape[channelAxis(convolution)]!;
  const before = bias ? numbersOf(bias, graph) : new Float64Array(count);
  const after = before &&
    new Float32Array(before.map((number, i) => number * (factors?.[i] ?? 1) + (summands?.[i] ?? 0)));
  return after?.every(Number.isFinite) ? after : undefined;
}

/** Whether the filter is constant, and keeps its precision if each output channel is multiplied by its factor. */
function canScale(convolution: Convolution, factors: Float64Array, graph: GraphView): boolean {
  if (!factors.every(isNormal)) return false;
  return largestOfChannels(convolution, factors.length, graph)?.every((number, channel) =>
    number === 0 || isNormal(Math.fround(number * factors[channel]!))
  ) ?? false;
}

/** The largest magnitude of the weights of each output channel; NaN if a weight is NaN. */
function largestOfChannels(convolution: Convolution, count: number, graph: GraphView): Float64Array | undefined {
  const bytes = graph.bytes(convolution.operands.filter);
  if (!bytes) return undefined;
  const weights = floatsOf(bytes);
  const inner = weightsInRow(convolution);
  const largest = new Float64Array(count);
  for (let start = 0, channel = 0; start < weights.length; start += inner, channel = (channel + 1) % count) {
    let most = largest[channel]!;
    for (let i = start; i < start + inner; i++) {
      const magnitude = Math.abs(weights[i]!);
      if (magnitude > most || Number.isNaN(magnitude)) most = magnitude;
    }
    largest[channel] = most;
  }
  return largest;
}

/** Writes the filter, with each output channel multiplied by its factor. */
function scaleFilter(
  convolution: Convolution,
  factors: Float64Array,
  graph: GraphView,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  const [weights, scaled] = [floatsOf(graph.bytes(convolution.operands.filter)!), floatsOf(bytes)];
  const inner = weightsInRow(convolution);
  for (let start = 0, channel = 0; start < scaled.length; start += inner, channel = (channel + 1) % factors.length) {
    const factor = factors[channel]!;
    for (let i = start; i < start + inner; i++) scaled[i] = weights[i]! * factor;
  }
}

/** The number of consecutive weights of an output channel in the filter. */
function weightsInRow({ attributes: { filterLayout }, operands: { filter } }: Convolution): number {
  return elementCount(filter.shape.slice(filterLayout.indexOf("o") + 1));
}

/** Whether a number has all digits of float32. */
export function isNormal(number: number): boolean {
  return Number.isFinite(number) && Math.abs(number) >= MIN_NORMAL;
}

/** The rewrites of operators after convolutions. */
export const scaledConvolutions = { scaledConvolution, shiftedConvolution, normalizedConvolution };
