/**
 * Merges operators on operands into the operators that use them: pads into convolutions, transposes into products.
 *
 * @module
 */

import { type Node, operandsOf, type Value } from "../graph/graph.ts";
import type { InputLayout } from "../graph/layout.ts";
import { become, type GraphView } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { row } from "./row.ts";

/** A pad by 0 before a convolution. The filter must be finite: with a pad, 0 · ∞ gives NaN. */
const paddedConvolution = row(["conv2d"], ["pad"], (node, graph) => {
  const pad = graph.producer(node.operands.input, "pad");
  const added = pad && graph.areInner([pad], node) ? imagePadding(pad, node.attributes.inputLayout) : undefined;
  if (!pad || !added || !isFiniteConstant(node.operands.filter, graph)) {
    return undefined;
  }
  const padding = node.attributes.padding.map((size, i) => size + added[i]!);
  return become("conv2d", { ...node.operands, input: pad.operands.input }, { ...node.attributes, padding });
});

/** The padding of a pad as that of a convolution; `undefined` if it is not 0, or not only of height and width. */
function imagePadding({ attributes }: AnyNode<"pad">, layout: InputLayout): number[] | undefined {
  const { beginningPadding, endingPadding, mode, value } = attributes;
  if (mode !== "constant" || !Object.is(Number(value), 0)) return undefined;
  const around = (letter: string) => {
    const axis = layout.indexOf(letter);
    return [beginningPadding[axis]!, endingPadding[axis]!];
  };
  return [..."nc"].every((letter) => `${around(letter)}` === "0,0") ? [..."hw"].flatMap(around) : undefined;
}

/** Whether a value is a constant without infinities and NaNs: those are the numbers with all exponent bits set. */
function isFiniteConstant(value: Value, graph: GraphView): boolean {
  const bytes = graph.bytes(value);
  if (!bytes) return false;
  const { buffer, byteLength, byteOffset } = bytes;
  return value.dataType === "float16"
    ? new Uint16Array(buffer, byteOffset, byteLength / 2).every((word) => (word & 0x7c00) !== 0x7c00)
    : new Uint32Array(buffer, byteOffset, byteLength / 4).every((word) => (word & 0x7f800000) !== 0x7f800000);
}

/** A transpose before a product. */
const transposedGemm = row(["gemm"], ["transpose"], (node, graph) => {
  const { a, b } = node.operands;
  const { aTranspose, bTranspose } = node.attributes;
  const left = transposeOf(a, node, graph);
  if (left) return become("gemm", { ...node.operands, a: left }, { ...node.attributes, aTranspose: !aTranspose });
  const right = transposeOf(b, node, graph);
  if (!right) return undefined;
  return become("gemm", { ...node.operands, b: right }, { ...node.attributes, bTranspose: !bTranspose });
});

/** The input of the transpose that computes an operand, if nothing else uses the operand. */
function transposeOf(operand: Value, node: Node, graph: GraphView): Value | undefined {
  const transpose = graph.producer(operand, "transpose");
  const uses = operandsOf(node).filter((other) => other === operand).length;
  const isSwap = `${transpose?.attributes.permutation}` === "1,0";
  return transpose && isSwap && uses === 1 && graph.areInner([transpose], node) ? transpose.operands.input : undefined;
}

/** The rewrites of operands. */
export const operandRows = { paddedConvolution, transposedGemm };
