/**
 * What is multiplied in products of integers: bytes less a zero point, times a scale.
 *
 * Factors leave here as unsigned bytes. The engine's kernels for signed ones add pairs of products in 16 bits on
 * processors without VNNI, and saturate.
 *
 * @module
 */

import { elementCount, type Shape } from "../shape.ts";
import type { Node, Value } from "../graph/graph.ts";
import type { Surroundings } from "./editor.ts";

/** Unsigned bytes with their zero point and scale. */
export interface Factor {
  readonly bytes: Value;
  /** uint8, of the scale's shape or of one element. */
  readonly zeroPoint: Value;
  /** float32; `undefined` if it is 1. */
  readonly scale: Value | undefined;
}

/** Turns the sign bits of four bytes, which adds 128 to each. */
const SIGNS = 0x80808080;

/**
 * A dequantised operand with one scale and one zero point, or one for each index along `axis`.
 * @returns `undefined` if the value is something else, or consists of signed bytes that are no constant
 */
export function factorOf(value: Value, axis: number | undefined, graph: Surroundings): Factor | undefined {
  const reshape = graph.made(value, "reshape");
  if (reshape) return reshapedFactor(reshape.operands.input, value, axis, graph);
  const dequantize = graph.made(value, "dequantizeLinear");
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

/** A factor in another shape, in which the axis is the same: the first one of as many elements, or none. */
function reshapedFactor(
  before: Value,
  value: Value,
  axis: number | undefined,
  graph: Surroundings,
): Factor | undefined {
  const isFirst = axis === 0 && before.shape[0] === value.shape[0];
  const factor = factorOf(before, isFirst ? 0 : undefined, graph);
  return factor && { ...factor, bytes: graph.reshaped(factor.bytes, value.shape) };
}

/** Whether blocks lie along one axis only, each of one index. */
function isAlong(blocks: Shape, axis: number, shape: Shape): boolean {
  return blocks.every((count, i) => count === (i === axis ? shape[i] : 1));
}

/** A value of bytes as unsigned ones, which of signed ones only constants become. */
export function unsigned(value: Value, graph: Surroundings): Value | undefined {
  if (value.dataType === "uint8") return value;
  const bytes = value.dataType === "int8" ? graph.bytes(value) : undefined;
  if (!bytes) return undefined;
  const descriptor = { dataType: "uint8", shape: value.shape } as const;
  return graph.remember(value, "unsigned", () => graph.constant(descriptor, (turned) => turnSigns(bytes, turned)));
}

function turnSigns(bytes: Uint8Array, turned: Uint8Array): void {
  const whole = bytes.length >> 2;
  const [from, to] = [bytes, turned].map(({ buffer, byteOffset }) => new Uint32Array(buffer, byteOffset, whole));
  for (let i = 0; i < whole; i++) to![i] = from![i]! ^ SIGNS;
  for (let i = whole << 2; i < bytes.length; i++) turned[i] = bytes[i]! ^ 0x80;
}

/** How many products of bytes, less these zero points, add up to what float32 holds without rounding. */
export function exactTerms(aZeroPoint: Value, bZeroPoint: Value, graph: Surroundings): number {
  return Math.floor(2 ** 24 / (largestDifference(aZeroPoint, graph) * largestDifference(bZeroPoint, graph)));
}

/** Between a byte and its zero point. */
function largestDifference(zeroPoint: Value, graph: Surroundings): number {
  const bytes = graph.bytes(zeroPoint);
  return bytes ? bytes.reduce((most, byte) => Math.max(most, byte, 255 - byte), 0) : 255;
}

/** A parameter without dimensions of 1, which a computed one of one dimension may have. */
export function flat(value: Value, graph: Surroundings): Value {
  const before = graph.made(value, "reshape")?.operands.input;
  if (before && before.shape.length < 2) return before;
  const count = elementCount(value.shape);
  if (value.shape.length === 1 && (count > 1 || !graph.bytes(value))) return value;
  return graph.reshaped(value, count === 1 ? [] : [count]);
}

/** So many products of two bytes less their zero points add up to what int32 holds. */
export const INT32_TERMS: number = Math.floor((2 ** 31 - 1) / (255 * 255));

/**
 * The parts of a sum, in order, the additions among the nodes of the first one; a value that is no sum is one part.
 * @param partOf reads a part
 * @returns `undefined` if it finds none somewhere
 */
export function partsOf<P extends { readonly nodes: readonly Node[] }>(
  value: Value,
  graph: Surroundings,
  partOf: (value: Value, graph: Surroundings) => P | undefined,
): P[] | undefined {
  const sum = graph.made(value, "add");
  if (!sum) {
    const part = partOf(value, graph);
    return part && [part];
  }
  const a = partsOf(sum.operands.a, graph, partOf);
  const b = a && partsOf(sum.operands.b, graph, partOf);
  const [first] = a ?? [];
  return b && first && [{ ...first, nodes: [...first.nodes, sum] }, ...a.slice(1), ...b];
}
