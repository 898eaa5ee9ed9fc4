/**
 * The factors of integer products: `(byte - zero point) · scale`.
 *
 * Factors are converted to unsigned bytes. On processors without VNNI, the engine's kernels for signed bytes add pairs
 * of products in 16 bits, which saturates.
 *
 * @module
 */

import { elementCount, type Shape } from "../shape.ts";
import type { Node, Value } from "../graph/graph.ts";
import type { GraphView } from "./editor.ts";

/** Unsigned bytes with a zero point and a scale. */
export interface Factor {
  readonly bytes: Value;
  /** uint8, with the shape of the scale or with one element. */
  readonly zeroPoint: Value;
  /** float32; `undefined` if it is 1. */
  readonly scale: Value | undefined;
}

/**
 * Reads a value as a dequantised factor with one scale and one zero point, or one for each index along `axis`.
 * @returns `undefined` if the value is something else, or if its bytes are signed and not constant
 */
export function factorOf(value: Value, axis: number | undefined, graph: GraphView): Factor | undefined {
  const reshape = graph.producer(value, "reshape");
  if (reshape) return reshapedFactor(reshape.operands.input, value, axis, graph);
  const dequantize = graph.producer(value, "dequantizeLinear");
  if (!dequantize || value.dataType !== "float32") return undefined;
  const { input, scale, zeroPoint } = dequantize.operands;
  const isOne = elementCount(scale.shape) === 1;
  if (!isOne && (axis === undefined || !isAlong(scale.shape, axis, input.shape))) return undefined;
  const bytes = unsigned(input, graph);
  const unsignedZeroPoint = bytes && unsigned(zeroPoint, graph);
  if (!bytes || !unsignedZeroPoint) return undefined;
  return {
    bytes,
    zeroPoint: flat(unsignedZeroPoint, graph),
    scale: graph.uniform(scale) === 1 ? undefined : flat(scale, graph),
  };
}

/** Reads a reshaped factor. Keeps parameters along axis 0 if its size stays the same; others must have one element. */
function reshapedFactor(
  before: Value,
  value: Value,
  axis: number | undefined,
  graph: GraphView,
): Factor | undefined {
  const isFirst = axis === 0 && before.shape[0] === value.shape[0];
  const factor = factorOf(before, isFirst ? 0 : undefined, graph);
  return factor && { ...factor, bytes: graph.reshaped(factor.bytes, value.shape) };
}

/** Whether each index along an axis has a block of its own, and no other dimension is divided into blocks. */
function isAlong(blocks: Shape, axis: number, shape: Shape): boolean {
  return blocks.every((count, i) => count === (i === axis ? shape[i] : 1));
}

/** Converts bytes to unsigned; `undefined` if they are signed and not constant. */
export function unsigned(value: Value, graph: GraphView): Value | undefined {
  if (value.dataType === "uint8") return value;
  return value.dataType === "int8" && graph.isConstant(value) ? graph.unsigned(value) : undefined;
}

/** The number of products of bytes with these zero points whose sum float32 always represents exactly. */
export function exactTerms(aZeroPoint: Value, bZeroPoint: Value, graph: GraphView): number {
  return Math.floor(2 ** 24 / (largestDifference(aZeroPoint, graph) * largestDifference(bZeroPoint, graph)));
}

/** The largest difference between a byte and its zero point. */
function largestDifference(zeroPoint: Value, graph: GraphView): number {
  const bytes = graph.bytes(zeroPoint);
  return bytes ? bytes.reduce((most, byte) => Math.max(most, byte, 255 - byte), 0) : 255;
}

/** Removes dimensions of size 1 from a parameter. A computed one-dimensional parameter keeps its shape. */
export function flat(value: Value, graph: GraphView): Value {
  const before = graph.producer(value, "reshape")?.operands.input;
  if (before && before.shape.length < 2) return before;
  const count = elementCount(value.shape);
  if (value.shape.length === 1 && (count > 1 || !graph.isConstant(value))) return value;
  return graph.reshaped(value, count === 1 ? [] : [count]);
}

/** The number of products of bytes with any zero points whose sum always fits into int32. */
export const INT32_TERMS: number = Math.floor((2 ** 31 - 1) / (255 * 255));

/**
 * Splits a sum into its terms, in order. The nodes of the additions are added to those of the first term.
 * @param partOf reads a term; `undefined` if it is something else
 * @returns `undefined` if a term is something else
 */
export function partsOf<P extends { readonly nodes: readonly Node[] }>(
  value: Value,
  graph: GraphView,
  partOf: (value: Value, graph: GraphView) => P | undefined,
): P[] | undefined {
  const sum = graph.producer(value, "add");
  if (!sum) {
    const part = partOf(value, graph);
    return part && [part];
  }
  const a = partsOf(sum.operands.a, graph, partOf);
  const b = a && partsOf(sum.operands.b, graph, partOf);
  const [first] = a ?? [];
  return b && first && [{ ...first, nodes: [...first.nodes, sum] }, ...a.slice(1), ...b];
}
