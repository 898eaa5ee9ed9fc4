/**
 * Recognises matrix products of bytes, which clients write as products of dequantised factors.
 *
 * @module
 */

import type { Node, Value } from "../graph/graph.ts";
import { elementCount, sameShape } from "../shape.ts";
import { become, type GraphView, type Replacement } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { exactTerms, type Factor, factorOf, flat, INT32_TERMS, partsOf } from "./integer_factors.ts";
import { row } from "./row.ts";

/** `matmul(dequantizeLinear(a), dequantizeLinear(b))`, where a has one scale, and b has one, or one for each column. */
const dequantizedMatmul = row(["matmul"], ["dequantizeLinear"], ({ operands: { a, b } }, graph) => {
  if (a.shape.at(-1)! > INT32_TERMS) return undefined;
  const left = factorOf(a, undefined, graph);
  const right = left && factorOf(b, b.shape.length - 1, graph);
  return right && integerProduct(left, right, b);
});

/** `gemm` of dequantised factors without transposes. Its operand c is added after the product. */
const dequantizedGemm = row(
  ["gemm"],
  ["dequantizeLinear"],
  ({ operands: { a, b, c }, attributes, outputs: [output] }, graph) => {
    const { alpha, aTranspose, beta, bTranspose } = attributes;
    if (alpha !== 1 || aTranspose || bTranspose || (c && beta !== 1) || a.shape[1]! > INT32_TERMS) return undefined;
    const left = factorOf(a, undefined, graph);
    const right = left && factorOf(b, 1, graph);
    const product = right && integerProduct(left, right, b);
    if (!product || !c) return product;
    return become("add", { a: graph.insert(product.operator, product.operands, {}, output!), b: c }, {});
  },
);

function integerProduct(left: Factor, right: Factor, b: Value): Replacement | undefined {
  const hasColumns = [right.zeroPoint, right.scale].some((value) => value && elementCount(value.shape) > 1);
  // The engine supports zero points and scales per column only for a single matrix.
  if (hasColumns && b.shape.slice(0, -2).some((dimension) => dimension !== 1)) return undefined;
  const factors = { a: left.bytes, aZeroPoint: left.zeroPoint, b: right.bytes, bZeroPoint: right.zeroPoint };
  if (!left.scale && !right.scale) return become("integerMatmul", factors, {});
  const scales = { aScale: left.scale, bScale: right.scale, bias: undefined };
  return become("scaledIntegerMatmul", { ...factors, ...scales }, {});
}

/** Removes casts of a product to int32 and back to float32, if they change nothing. */
const castIntegerMatmul = row(["cast"], ["dequantizeLinear"], (node, graph) => {
  const { input } = node.operands;
  const product = graph.producer(input, "integerMatmul") ?? castProduct(input, graph);
  if (!product || !graph.areInner(between(product, input, graph), node)) return undefined;
  const { dataType } = node.attributes;
  const { a, aZeroPoint, bZeroPoint } = product.operands;
  const isExact = a.shape.at(-1)! <= exactTerms(aZeroPoint, bZeroPoint, graph);
  const keeps = dataType === "float32" ||
    (dataType === "int32" && (isExact || product.outputs[0]!.dataType === "int32"));
  return keeps ? become("integerMatmul", product.operands, {}) : undefined;
});

/** The product that a cast converts to int32. */
function castProduct(value: Value, graph: GraphView): AnyNode<"integerMatmul"> | undefined {
  return graph.producer(graph.producer(value, "cast")?.operands.input, "integerMatmul");
}

function between(product: Node, value: Value, graph: GraphView): Node[] {
  const cast = graph.producer(value, "cast");
  return cast ? [product, cast] : [product];
}

/** A sum over parts of the inner dimension, each exact in float32 and cast to int32. */
const integerMatmulInParts = row(["add"], ["dequantizeLinear"], (node, graph) => {
  const [output] = node.outputs as [Value];
  if (output.dataType !== "int32") return undefined;
  const parts = partsOf(output, graph, partOf);
  const first = parts?.[0];
  if (!parts || !first || !graph.areInner(parts.flatMap(({ nodes }) => nodes), node)) return undefined;
  const { a, b } = first;
  const left = factorOf(a, undefined, graph);
  const right = left && factorOf(b, b.shape.length - 1, graph);
  if (!right || left.scale || right.scale) return undefined;
  const terms = exactTerms(left.zeroPoint, right.zeroPoint, graph);
  let end = 0;
  for (const part of parts.toSorted((x, y) => x.start - y.start)) {
    if (part.a !== a || part.b !== b || part.start !== end || part.count > terms) return undefined;
    end += part.count;
  }
  if (end !== a.shape.at(-1) || end > INT32_TERMS) return undefined;
  return integerProduct(left, right, b);
});

/** A part of a product: some columns of a times the same rows of b. */
interface Part {
  readonly a: Value;
  readonly b: Value;
  readonly start: number;
  readonly count: number;
  readonly nodes: readonly Node[];
}

function partOf(value: Value, graph: GraphView): Part | undefined {
  const cast = graph.producer(value, "cast");
  const product = graph.producer(cast?.operands.input, "matmul");
  if (!cast || !product) return undefined;
  const left = sliceAlong(product.operands.a, -1, graph);
  const right = sliceAlong(product.operands.b, -2, graph);
  if (!left || !right || left.start !== right.start) return undefined;
  const { start, count } = left;
  return { a: left.whole, b: right.whole, start, count, nodes: [cast, product, left.node, right.node] };
}

/** Reads a value as a slice along one axis only. */
function sliceAlong(value: Value, fromEnd: -1 | -2, graph: GraphView) {
  const node = graph.producer(value, "slice");
  if (!node) return undefined;
  const { operands: { input }, attributes: { sizes, starts, strides } } = node;
  const axis = input.shape.length + fromEnd;
  const isOnly = input.shape.every((size, i) => strides[i] === 1 && (i === axis || sizes[i] === size));
  return isOnly ? { whole: input, start: starts[axis]!, count: sizes[axis]!, node } : undefined;
}

/** A product of bytes times one scale, or one for each column. */
const integerMatmulScale = row(["mul"], ["dequantizeLinear"], (node, graph) => {
  const { a, b } = node.operands;
  for (const [value, factor] of [[a, b], [b, a]] as const) {
    const product = graph.producer(value, "integerMatmul", "scaledIntegerMatmul");
    if (!product || value.dataType !== "float32" || !graph.areInner([product], node)) continue;
    const none = { aScale: undefined, bScale: undefined, bias: undefined };
    const operands = { ...none, ...product.operands };
    if (operands.bias || !keepsShape(node, value)) continue;
    const pair = operands.aScale || operands.bScale ? undefined : scalesOf(factor, value, graph);
    if (pair) return become("scaledIntegerMatmul", { ...operands, ...pair }, {});
    if (!operands.aScale && elementCount(factor.shape) === 1) {
      return become("scaledIntegerMatmul", { ...operands, aScale: flat(factor, graph) }, {});
    }
    if (!operands.bScale && isOfColumns(factor, value)) {
      return become("scaledIntegerMatmul", { ...operands, bScale: flat(factor, graph) }, {});
    }
  }
  return undefined;
});

/** A factor that is the product of both scales. The engine multiplies them, with the same rounding. */
function scalesOf(factor: Value, product: Value, graph: GraphView) {
  const mul = elementCount(factor.shape) === 1 || isOfColumns(factor, product)
    ? graph.producer(factor, "mul")
    : undefined;
  if (!mul) return undefined;
  const { a, b } = mul.operands;
  for (const [one, other] of [[a, b], [b, a]] as const) {
    if (elementCount(one.shape) !== 1 || !isOfColumns(other, product)) continue;
    return { aScale: flat(one, graph), bScale: flat(other, graph) };
  }
  return undefined;
}

/** A scaled product of bytes plus a bias for each column. */
const integerMatmulBias = row(["add"], ["dequantizeLinear"], (node, graph) => {
  const { a, b } = node.operands;
  for (const [value, summand] of [[a, b], [b, a]] as const) {
    const product = graph.producer(value, "scaledIntegerMatmul");
    if (!product || product.operands.bias || !graph.areInner([product], node)) continue;
    const columns = value.shape.at(-1)!;
    if (!keepsShape(node, value) || !isOfColumns(summand, value) || elementCount(summand.shape) !== columns) continue;
    return become("scaledIntegerMatmul", { ...product.operands, bias: graph.reshaped(summand, [columns]) }, {});
  }
  return undefined;
});

function keepsShape(node: Node, value: Value): boolean {
  return sameShape(node.outputs[0]!.shape, value.shape);
}

/** Whether a value has one element, or one for each column. */
function isOfColumns({ shape }: Value, product: Value): boolean {
  const count = elementCount(shape);
  return count === 1 || (count === shape.at(-1) && count === product.shape.at(-1));
}

/** The rewrites to products of bytes. */
export const integerProducts = {
  dequantizedMatmul,
  dequantizedGemm,
  castIntegerMatmul,
  integerMatmulInParts,
  integerMatmulScale,
  integerMatmulBias,
};
