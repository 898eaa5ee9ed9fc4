/**
 * Bitwise operators. WebNN has none, so integers are split into bits, and the results are combined.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { MLOperandDataType } from "../../data_type.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { calculate, isUnsigned, range, stack } from "./calculation.ts";

const WIDTHS: Partial<Record<MLOperandDataType, number>> = {
  int8: 8,
  uint8: 8,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
};

function widthOf(node: NodeView, x: MLOperand): number {
  if (node.type(0) !== x.dataType) node.refuse(`bitwise operators on ${node.type(0)}`);
  return WIDTHS[x.dataType] ?? node.refuse(`bitwise operators on ${x.dataType}`);
}

/** The unsigned type of the same width, to which casts wrap. */
function unsigned(node: NodeView, x: MLOperand): MLOperand {
  if (isUnsigned(x)) return x;
  return node.cast(x, x.dataType === "int8" ? "uint8" : x.dataType === "int32" ? "uint32" : "uint64");
}

/** A power of two in an unsigned type; 64-bit constants are bigints. */
function power(node: NodeView, type: MLOperandDataType, exponent: number): MLOperand {
  return node.scalar(type, type === "uint64" ? 2n ** BigInt(exponent) : 2 ** exponent);
}

/** The bits, lowest first, each as 0 or 1. */
function bitsOf(node: NodeView, x: MLOperand, width: number): MLOperand[] {
  const { sub, mul } = calculate(node);
  let rest = unsigned(node, x);
  const two = power(node, rest.dataType, 1);
  return range(0, width).map(() => {
    const half = node.builder.div(rest, two);
    const bit = sub(rest, mul(half, two));
    rest = half;
    return bit;
  });
}

const bitwise = (combine: (node: NodeView, a: MLOperand, b: MLOperand) => MLOperand) => (node: NodeView): RowResult => {
  const [a, b] = [node.input(0), node.input(1)];
  const width = widthOf(node, a);
  const [left, right] = [bitsOf(node, a, width), bitsOf(node, b, width)];
  const sum = left.map((bit, i) => node.builder.mul(combine(node, bit, right[i]!), power(node, bit.dataType, i)))
    .reduce((sum, term) => node.builder.add(sum, term));
  return node.cast(sum, a.dataType);
};

/** ~x is −1 − x for signed types, and max − x for unsigned ones. */
function bitwiseNot(node: NodeView): RowResult {
  const x = node.input(0);
  const width = widthOf(node, x);
  if (!isUnsigned(x)) return calculate(node).sub(-1, x);
  const greatest = width === 64 ? 2n ** 64n - 1n : 2 ** width - 1;
  return node.builder.sub(node.scalar(x, greatest), x);
}

/** Shifts multiply or divide by a power of two. The result of a shift by at least the width is undefined. */
function bitShift(node: NodeView): RowResult {
  const [x, by] = [node.input(0), node.input(1)];
  const width = widthOf(node, x);
  const powers = stack(node, range(0, width).map((i) => power(node, x.dataType, i)), 0);
  const factor = node.builder.gather(powers, node.cast(by, width === 64 ? node.integer : "int32"));
  return node.string("direction") === "LEFT" ? node.builder.mul(x, factor) : node.builder.div(x, factor);
}

export const bits: Row[] = rows("", {
  BitShift: [[11], bitShift],
  BitwiseAnd: [[18], bitwise(({ builder }, a, b) => builder.mul(a, b))],
  BitwiseNot: [[18], bitwiseNot],
  BitwiseOr: [[18], bitwise(({ builder }, a, b) => builder.max(a, b))],
  BitwiseXor: [[18], bitwise((node, a, b) => node.cast(node.builder.notEqual(a, b), a.dataType))],
});
