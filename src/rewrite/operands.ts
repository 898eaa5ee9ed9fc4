/**
 * Operators that can do themselves what was done to their operands before: convolutions pad, products transpose.
 *
 * @module
 */

import { type Node, operandsOf, type Value } from "../graph/graph.ts";
import type { InputLayout } from "../graph/layout.ts";
import { become, type Surroundings } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { row } from "./row.ts";

/** A convolution of what was padded by 0. Of a filter with infinities, 0 times these would be lost. */
const paddedConvolution = row(["conv2d"], (node, graph) => {
  const pad = graph.made(node.operands.input, "pad");
  const added = pad && graph.areInner([pad], node) ? imagePadding(pad, node.attributes.inputLayout) : undefined;
  if (!pad || !added || !isFiniteConstant(node.operands.filter, graph)) {
    return undefined;
  }
  const padding = node.attributes.padding.map((size, i) => size + added[i]!);
  return become("conv2d", { ...node.operands, input: pad.operands.input }, { ...node.attributes, padding });
});

/** What a pad puts around the image of each channel, in the order of a convolution; `undefined` if it is more than that. */
function imagePadding({ attributes }: AnyNode<"pad">, layout: InputLayout): number[] | undefined {
  const { beginningPadding, endingPadding, mode, value } = attributes;
  if (mode !== "constant" || !Object.is(Number(value), 0)) return undefined;
  const around = (letter: string) => {
    const axis = layout.indexOf(letter);
    return [beginningPadding[axis]!, endingPadding[axis]!];
  };
  return [..."nc"].every((letter) => `${around(letter)}` === "0,0") ? [..."hw"].flatMap(around) : undefined;
}

/** Whether a value is a constant of floats without infinities and NaN: these have all bits of the exponent. */
function isFiniteConstant(value: Value, graph: Surroundings): boolean {
  const bytes = graph.bytes(value);
  if (!bytes) return false;
  const { buffer, byteLength, byteOffset } = bytes;
  return value.dataType === "float16"
    ? new Uint16Array(buffer, byteOffset, byteLength / 2).every((word) => (word & 0x7c00) !== 0x7c00)
    : new Uint32Array(buffer, byteOffset, byteLength / 4).every((word) => (word & 0x7f800000) !== 0x7f800000);
}

/** A product of a matrix that was transposed. */
const transposedGemm = row(["gemm"], (node, graph) => {
  const { a, b } = node.operands;
  const { aTranspose, bTranspose } = node.attributes;
  const left = transposeOf(a, node, graph);
  if (left) return become("gemm", { ...node.operands, a: left }, { ...node.attributes, aTranspose: !aTranspose });
  const right = transposeOf(b, node, graph);
  if (!right) return undefined;
  return become("gemm", { ...node.operands, b: right }, { ...node.attributes, bTranspose: !bTranspose });
});

/** What was transposed to an operand, which nothing else uses. */
function transposeOf(operand: Value, node: Node, graph: Surroundings): Value | undefined {
  const transpose = graph.made(operand, "transpose");
  const uses = operandsOf(node).filter((other) => other === operand).length;
  const isSwap = `${transpose?.attributes.permutation}` === "1,0";
  return transpose && isSwap && uses === 1 && graph.areInner([transpose], node) ? transpose.operands.input : undefined;
}

/** The rows of operators that take their operands as they were. */
export const operandRows = { paddedConvolution, transposedGemm };
