/**
 * Integer arithmetic that ONNX Runtime's CPU provider lacks, or that could crash the process.
 *
 * @module
 */

import { bitsOf, isUnsigned, type MLOperandDataType } from "../../../data_type.ts";
import type { Value } from "../../../graph/graph.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import { lesserOf } from "./order.ts";

/**
 * The quotient, rounded toward zero. Processors trap on a division by 0, and of the smallest integer by −1, which would
 * crash the process. So a division by 0, which the standard does not define, gives the dividend, and a division by −1
 * negates it.
 */
export function integerDiv(a: Value, b: Value, onnx: OnnxWriter): Operand {
  if (isSafeDivisor(b, onnx)) return onnx.node("Div", [a, b]);
  const { dataType } = b;
  const scalar = (value: number) => onnx.scalar(dataType, value);
  const isZero = onnx.cast(onnx.node("Equal", [b, scalar(0)]), dataType);
  const nonZero = onnx.node("Add", [b, isZero]);
  if (isUnsigned(dataType)) return onnx.node("Div", [a, nonZero]);
  const isMinusOne = onnx.cast(onnx.node("Equal", [b, scalar(-1)]), dataType);
  const two = onnx.node("Add", [isMinusOne, isMinusOne]);
  const quotient = onnx.node("Div", [a, onnx.node("Add", [nonZero, two])]);
  return onnx.node("Mul", [quotient, onnx.node("Sub", [scalar(1), two])]);
}

/** Whether a divisor is a constant without 0 and −1, whose bytes are all 0 and all 255. */
function isSafeDivisor(divisor: Value, onnx: OnnxWriter): boolean {
  const bytes = onnx.constantBytes(divisor);
  if (!bytes) return false;
  const width = bitsOf(divisor.dataType) / 8;
  for (let start = 0; start < bytes.length; start += width) {
    const first = bytes[start]!;
    if (first !== 0 && first !== 255) continue;
    if (bytes.subarray(start, start + width).every((byte) => byte === first)) return false;
  }
  return true;
}

/** The number of exponent bits that matter: see below. */
const EXPONENT_BITS = 6;

/**
 * The power, by squaring and multiplying; it wraps like products do. ONNX Runtime's Pow computes in double precision. A
 * negative exponent gives 0, except for the bases 1 and −1.
 *
 * An exponent of 64 or more is reduced to 64 to 127 with the same low bits. That does not change the result for the
 * bases 0, 1 and −1, nor for even bases, whose power wraps to 0. It does for other odd bases in 32 and 64 bits, whose
 * power is far beyond the range of the type.
 */
export function integerPow(a: Value, b: Value, onnx: OnnxWriter): Operand {
  const dataType = workingType(a.dataType);
  const scalar = (value: number) => onnx.scalar(dataType, value);
  const base = onnx.cast(a, dataType);
  const reduced = onnx.cast(reduceExponent(b, onnx), dataType);
  let power: Operand;
  let square: Operand = base;
  for (let bit = 0; bit <= EXPONENT_BITS; bit++) {
    const isSet = onnx.cast(onnx.node("BitwiseAnd", [reduced, scalar(2 ** bit)]), "bool");
    const factor = onnx.node("Where", [isSet, square, scalar(1)]);
    power = power === undefined ? factor : onnx.node("Mul", [power, factor]);
    square = onnx.node("Mul", [square, square]);
  }
  if (!isUnsigned(a.dataType)) {
    const isWhole = onnx.node("Or", [
      onnx.node("GreaterOrEqual", [reduced, scalar(0)]),
      onnx.node("Equal", [onnx.node("Abs", [base]), scalar(1)]),
    ]);
    power = onnx.node("Where", [isWhole, power, scalar(0)]);
  }
  return onnx.cast(power, a.dataType);
}

function reduceExponent(exponent: Value, onnx: OnnxWriter): Operand {
  const scalar = (value: number) => onnx.scalar(exponent.dataType, value);
  const limit = 2 ** EXPONENT_BITS;
  const low = onnx.node("BitwiseAnd", [exponent, scalar(limit - 1)]);
  return lesserOf(exponent.dataType, exponent, onnx.node("Add", [low, scalar(limit)]), onnx);
}

/** A signed type in which a product has the same low bits. */
function workingType(dataType: MLOperandDataType): "int32" | "int64" {
  return bitsOf(dataType) === 64 ? "int64" : "int32";
}
