/**
 * Bitwise operators. WebNN has none, so integers are split into bits, and arithmetic on the bits gives the results.
 *
 * @module
 */

import { bitsOf } from "../../data_type.ts";
import type { NodeView } from "../node.ts";
import { type Operand, range, stack } from "../operand.ts";
import { type Build, type Row, rows } from "../row.ts";
import { unsupported } from "../errors.ts";

/** The number of bits per element. Rejects types that are not integers of WebNN with at least 8 bits. */
function widthOf({ type, dataType, isFloat }: Operand): number {
  if (type !== dataType || isFloat || bitsOf(dataType) < 8) {
    unsupported(`bitwise operators on ${type} are not supported`);
  }
  return bitsOf(dataType);
}

/** A power of two in the type of `x`; a bigint, because the type may have 64 bits. */
function power(x: Operand, exponent: number): Operand {
  return x.scalar(2n ** BigInt(exponent));
}

/** The bits, lowest first, each 0 or 1. A cast to the unsigned type of the same width keeps the bits of integers. */
function split(x: Operand): Operand[] {
  const width = widthOf(x);
  let rest = x.cast(`uint${width}` as "uint8");
  return range(0, width).map(() => {
    const half = rest.div(2);
    const bit = rest.sub(half.mul(2));
    rest = half;
    return bit;
  });
}

const bitwise = (combine: (a: Operand, b: Operand) => Operand): Build => (_, a, b) => {
  const others = split(b);
  const terms = split(a).map((bit, i) => combine(bit, others[i]!).mul(power(bit, i)));
  return terms.reduce((sum, term) => sum.add(term)).cast(a.type);
};

/** ~x is −1 − x for signed types, and the largest integer of the type − x for unsigned types. */
function bitwiseNot(_: NodeView, x: Operand): Operand {
  const width = widthOf(x);
  return x.scalar(x.isUnsigned ? 2n ** BigInt(width) - 1n : -1).sub(x);
}

/** Shifts multiply or divide by a power of two. The result of a shift by at least the width is undefined. */
function bitShift(node: NodeView, x: Operand, by: Operand): Operand {
  const width = widthOf(x);
  const powers = stack(range(0, width).map((i) => power(x, i)), 0);
  const factor = powers.gather(by.cast(width === 64 ? "int64" : "int32"), 0);
  return node.string("direction") === "LEFT" ? x.mul(factor) : x.div(factor);
}

export const bits: Row[] = rows("", {
  BitShift: [11, 2, bitShift],
  BitwiseAnd: [18, 2, bitwise((a, b) => a.mul(b))],
  BitwiseNot: [18, 1, bitwiseNot],
  BitwiseOr: [18, 2, bitwise((a, b) => a.max(b))],
  BitwiseXor: [18, 2, bitwise((a, b) => a.notEqual(b).cast(a.type))],
});
