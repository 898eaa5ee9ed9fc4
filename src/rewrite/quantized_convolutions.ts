/**
 * Recognises convolutions from bytes to bytes: dequantise, convolve, quantise.
 *
 * @module
 */

import type { Node, Value } from "../graph/graph.ts";
import { elementCount } from "../shape.ts";
import { become, type GraphView } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { type Factor, factorOf, flat, unsigned } from "./integer_factors.ts";
import { row } from "./row.ts";

/** The largest rounding error of the bias, in quantisation steps of the output. */
const MAX_BIAS_ERROR = 1e-5;
const MAX_INT32 = 2 ** 31 - 1;

/**
 * `quantizeLinear(conv2d(dequantizeLinear(x), dequantizeLinear(w), bias))` with constant scales. Relu and reshape
 * may come between the convolution and the quantisation.
 */
const quantizedConvolution = row(["quantizeLinear"], ["conv2d"], (node, graph) => {
  const { input, scale, zeroPoint } = node.operands;
  if (elementCount(scale.shape) !== 1 || zeroPoint.dataType !== "uint8") return undefined;
  const found = convolutionBefore(input, zeroPoint, graph);
  if (!found || !graph.areInner(found.nodes, node)) return undefined;
  const { convolution } = found;
  const { filterLayout, groups, inputLayout, ...window } = convolution.attributes;
  if (inputLayout !== "nchw" || filterLayout !== "oihw") return undefined;
  const image = factorOf(convolution.operands.input, undefined, graph);
  const filter = image && factorOf(convolution.operands.filter, 0, graph);
  if (!image || !filter || !isConstant(image, graph) || !isConstant(filter, graph)) return undefined;
  const outputScale = graph.uniform(scale);
  const bias = outputScale && biasOf(convolution, image, filter, outputScale, graph);
  if (!bias) return undefined;
  const operands = {
    input: image.bytes,
    inputScale: image.scale,
    inputZeroPoint: image.zeroPoint,
    filter: filter.bytes,
    filterScale: filter.scale,
    filterZeroPoint: filter.zeroPoint,
    bias: bias.value,
    outputScale: flat(scale, graph),
    outputZeroPoint: flat(zeroPoint, graph),
  };
  const attributes = { ...window, groups };
  const [output] = node.outputs as [Value];
  const { shape } = convolution.outputs[0]!;
  if (`${shape}` === `${output.shape}`) return become("quantizedConv2d", operands, attributes);
  const product = graph.insert("quantizedConv2d", operands, attributes, { dataType: "uint8", shape });
  return become("reshape", { input: product }, { newShape: [...output.shape] });
});

/** Quantises to unsigned instead of signed bytes, if all users dequantise the bytes. */
const unsignedActivation = row(["dequantizeLinear"], ["quantizeLinear"], (node, graph) => {
  const { input, scale, zeroPoint } = node.operands;
  const quantize = graph.producer(input, "quantizeLinear");
  if (!quantize || input.dataType !== "int8" || graph.isOutput(input)) return undefined;
  if (![...graph.users(input)].every(({ operator }) => operator === "dequantizeLinear")) return undefined;
  const [before, after] = [quantize.operands.zeroPoint, zeroPoint].map((value) => unsigned(value, graph));
  if (!before || !after) return undefined;
  const operands = { ...quantize.operands, zeroPoint: before };
  const { shape } = input;
  const quantized = graph.remember(
    input,
    "quantized",
    () => graph.insert("quantizeLinear", operands, {}, { dataType: "uint8", shape }),
  );
  return become("dequantizeLinear", { input: quantized, scale, zeroPoint: after }, {});
});

/** The convolution whose result is quantised. A relu changes nothing if the zero point is 0. */
function convolutionBefore(
  value: Value,
  zeroPoint: Value,
  graph: GraphView,
): { convolution: AnyNode<"conv2d">; nodes: Node[] } | undefined {
  const convolution = graph.producer(value, "conv2d");
  if (convolution) return { convolution, nodes: [convolution] };
  const between = graph.producer(value, "relu", "reshape");
  if (!between || (between.operator === "relu" && graph.bytes(zeroPoint)?.[0] !== 0)) return undefined;
  const before = convolutionBefore(between.operands.input, zeroPoint, graph);
  return before && { ...before, nodes: [...before.nodes, between] };
}

function isConstant({ scale, zeroPoint }: Factor, graph: GraphView): boolean {
  return [scale, zeroPoint].every((value) => value === undefined || graph.isConstant(value));
}

function floats(value: Value | undefined, count: number, graph: GraphView): Float32Array {
  const values = value ? new Float32Array(graph.bytes(value)!.slice().buffer) : Float32Array.of(1);
  return values.length === count ? values : new Float32Array(count).fill(values[0]!);
}

/** The bias in units of the product of the scales; `undefined` if rounding it to integers costs too much. */
function biasOf(
  { operands: { bias, filter: { shape } } }: AnyNode<"conv2d">,
  image: Factor,
  filter: Factor,
  outputScale: number,
  graph: GraphView,
): { value: Value | undefined } | undefined {
  if (!bias) return { value: undefined };
  const values = biasValues(bias, graph);
  if (!values) return undefined;
  const count = shape[0]!;
  const [inputScale] = floats(image.scale, 1, graph);
  const scales = floats(filter.scale, count, graph);
  const integers = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const unit = inputScale! * scales[i]!;
    const exact = values[i]! / unit;
    integers[i] = Math.round(exact);
    const error = Math.abs(exact - Math.round(exact)) * unit / outputScale;
    if (!(Math.abs(exact) <= MAX_INT32 && error <= MAX_BIAS_ERROR)) return undefined;
  }
  return {
    value: graph.constant({ dataType: "int32", shape: [count] }, (bytes) => bytes.set(new Uint8Array(integers.buffer))),
  };
}

/** The values of a bias that is constant, or dequantised from constants. */
function biasValues(bias: Value, graph: GraphView): Float32Array | Float64Array | undefined {
  const count = elementCount(bias.shape);
  if (graph.isConstant(bias)) return floats(bias, count, graph);
  const dequantize = graph.producer(bias, "dequantizeLinear");
  const { input, scale, zeroPoint } = dequantize?.operands ?? {};
  const parts = [input, scale, zeroPoint].map((value) => value && graph.bytes(value));
  if (input?.dataType !== "int32" || !scale || parts.some((bytes) => bytes === undefined)) return undefined;
  if (!parts[2]!.every((byte) => byte === 0)) return undefined;
  const integers = new Int32Array(parts[0]!.slice().buffer);
  const scales = floats(scale, count, graph);
  return Float64Array.from(integers, (integer, i) => integer * scales[i]!);
}

/** The rewrites to convolutions from bytes to bytes. */
export const quantizedConvolutions = { unsignedActivation, quantizedConvolution };
