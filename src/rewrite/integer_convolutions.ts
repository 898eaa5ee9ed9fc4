/**
 * Recognises convolutions of bytes, which clients write as convolutions of dequantised images and filters.
 *
 * @module
 */

import type { Node, Value } from "../graph/graph.ts";
import { elementCount } from "../shape.ts";
import { become, type GraphView, type Replacement } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { exactTerms, type Factor, factorOf, INT32_TERMS, partsOf } from "./integer_factors.ts";
import { row } from "./row.ts";

/**
 * With fewer products per sum, the engine's float kernels are faster if scales and a bias follow: they can be part of
 * the filter, but each is another pass over the sums of bytes.
 */
const MIN_TERMS_WITH_SCALES = 64;

type Convolution = AnyNode<"conv2d">;

/** The factors of a convolution: an image with one scale, and a filter with one scale, or one per output channel. */
interface Factors {
  readonly image: Factor;
  readonly filter: Factor;
}

/** The number of products in a sum. */
function termsOf({ operands: { filter } }: Convolution): number {
  return elementCount(filter.shape.slice(1));
}

function factorsOf(node: Convolution, input: Value, weights: Value, graph: GraphView): Factors | undefined {
  const { filterLayout, groups, inputLayout } = node.attributes;
  if (inputLayout !== "nchw" || filterLayout !== "oihw" || groups !== 1) return undefined;
  const image = factorOf(input, undefined, graph);
  const filter = image && factorOf(weights, 0, graph);
  return filter && { image, filter };
}

/** The filter's zero point if all output channels have the same one: the engine supports only one. */
function onlyZeroPoint({ zeroPoint }: Factor, graph: GraphView): Value | undefined {
  if (elementCount(zeroPoint.shape) === 1) return zeroPoint;
  const bytes = graph.bytes(zeroPoint);
  if (!bytes?.every((byte) => byte === bytes[0])) return undefined;
  return graph.remember(
    zeroPoint,
    "first",
    () => graph.constant({ dataType: "uint8", shape: [] }, (first) => first.set(bytes.subarray(0, 1))),
  );
}

/** `conv2d(dequantizeLinear(x), dequantizeLinear(w))`. Scales and bias are applied to the sums. */
const dequantizedConvolution = row(["conv2d"], ["dequantizeLinear"], (node, graph) => {
  const { operands: { bias, filter, input }, outputs: [output] } = node;
  const factors = factorsOf(node, input, filter, graph);
  if (!factors) return undefined;
  const [imageScale, filterScale] = [factors.image.scale, factors.filter.scale];
  const terms = termsOf(node);
  const least = imageScale || filterScale || bias ? MIN_TERMS_WITH_SCALES : 1;
  const sum = terms >= least && terms <= INT32_TERMS ? integerConvolution(node, factors, graph) : undefined;
  if (!sum) return undefined;
  const steps: ["mul" | "add", Value][] = [];
  if (imageScale) steps.push(["mul", imageScale]);
  if (filterScale) steps.push(["mul", ofChannels(filterScale, graph)]);
  if (bias) steps.push(["add", ofChannels(bias, graph)]);
  let last = sum;
  for (const [operator, b] of steps) {
    const a = graph.insert(last.operator, last.operands, last.attributes, output!);
    last = become(operator, { a, b }, {});
  }
  return last;
});

/** Reshapes a parameter per channel so that it broadcasts over an image. */
function ofChannels(value: Value, graph: GraphView): Value {
  const count = elementCount(value.shape);
  return count === 1 ? value : graph.reshaped(value, [1, count, 1, 1]);
}

function integerConvolution(
  node: Convolution,
  { image, filter }: Factors,
  graph: GraphView,
): Replacement | undefined {
  const filterZeroPoint = onlyZeroPoint(filter, graph);
  if (!filterZeroPoint) return undefined;
  const { padding, strides, dilations } = node.attributes;
  return become("integerConv2d", {
    input: image.bytes,
    inputZeroPoint: image.zeroPoint,
    filter: filter.bytes,
    filterZeroPoint,
  }, { padding, strides, dilations });
}

/** Removes casts of a sum to int32, if float32 represents it exactly, and back to float32. */
const castIntegerConvolution = row(["cast"], ["dequantizeLinear"], (node, graph) => {
  const { input } = node.operands;
  const sum = graph.producer(input, "integerConv2d");
  if (!sum || !graph.areInner([sum], node)) return undefined;
  const { dataType } = node.attributes;
  const { filter, filterZeroPoint, inputZeroPoint } = sum.operands;
  const isExact = elementCount(filter.shape.slice(1)) <= exactTerms(inputZeroPoint, filterZeroPoint, graph);
  const keeps = dataType === "float32" || (dataType === "int32" && isExact);
  return keeps ? become("integerConv2d", sum.operands, sum.attributes) : undefined;
});

/** A sum over parts of the channels, each exact in float32 and cast to int32. */
const integerConvolutionInParts = row(["add"], ["dequantizeLinear"], (node, graph) => {
  const [output] = node.outputs as [Value];
  const parts = output.dataType === "int32" ? partsOf(output, graph, partOf) : undefined;
  const [first] = parts ?? [];
  if (!parts || !first || !graph.areInner(parts.flatMap(({ nodes }) => nodes), node)) return undefined;
  const factors = factorsOf(first.convolution, first.input, first.filter, graph);
  if (!factors || factors.image.scale || factors.filter.scale) return undefined;
  const taps = elementCount(first.filter.shape.slice(2));
  const terms = exactTerms(factors.image.zeroPoint, factors.filter.zeroPoint, graph);
  let end = 0;
  for (const part of parts.toSorted((x, y) => x.start - y.start)) {
    const isNext = part.input === first.input && part.filter === first.filter && part.start === end &&
      sameWindow(part.convolution, first.convolution);
    if (!isNext || part.count * taps > terms) return undefined;
    end += part.count;
  }
  if (end !== first.filter.shape[1] || end * taps > INT32_TERMS) return undefined;
  return integerConvolution(first.convolution, factors, graph);
});

function sameWindow(a: Convolution, b: Convolution): boolean {
  return JSON.stringify(a.attributes) === JSON.stringify(b.attributes);
}

/** A part of a convolution, over some of the channels. */
interface Part {
  readonly convolution: Convolution;
  readonly input: Value;
  readonly filter: Value;
  readonly start: number;
  readonly count: number;
  readonly nodes: readonly Node[];
}

function partOf(value: Value, graph: GraphView): Part | undefined {
  const cast = graph.producer(value, "cast");
  const convolution = graph.producer(cast?.operands.input, "conv2d");
  if (!cast || !convolution || convolution.operands.bias) return undefined;
  const input = channelsOf(convolution.operands.input, graph);
  const filter = channelsOf(convolution.operands.filter, graph);
  if (!input || !filter || input.start !== filter.start || input.count !== filter.count) return undefined;
  const { count, start } = input;
  const nodes = [cast, convolution, ...input.nodes, ...filter.nodes];
  return { convolution, input: input.whole, filter: filter.whole, start, count, nodes };
}

/** Reads a value as a slice along dimension 1 only. */
function channelsOf(value: Value, graph: GraphView) {
  const node = graph.producer(value, "slice");
  if (!node) return undefined;
  const { operands: { input }, attributes: { sizes, starts, strides } } = node;
  const isOnly = input.shape.every((size, i) => strides[i] === 1 && (i === 1 || sizes[i] === size));
  return isOnly ? { whole: input, start: starts[1]!, count: sizes[1]!, nodes: [node] } : undefined;
}

/** The rewrites to convolutions of bytes. */
export const integerConvolutions = {
  dequantizedConvolution,
  castIntegerConvolution,
  integerConvolutionInParts,
};
