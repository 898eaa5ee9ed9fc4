/**
 * The lesser and the greater of int64 numbers. On x86-64, ONNX Runtime's Min, Max, Clip, Relu, Sign, ReduceMin and ReduceMax
 * take the low half of an int64 for a signed number, and so find 2³¹ less than 0 (measured with 1.30.0). Its comparisons
 * are right, as are all kernels of uint64.
 *
 * @module
 */

import type { OnnxWriter, Operand } from "../writer.ts";

/** `min(a, b)` of int64. */
export function lesserOf(a: Operand, b: Operand, onnx: OnnxWriter): Operand {
  return onnx.node("Where", [onnx.node("Less", [a, b]), a, b]);
}

/** `max(a, b)` of int64. */
export function greaterOf(a: Operand, b: Operand, onnx: OnnxWriter): Operand {
  return onnx.node("Where", [onnx.node("Greater", [a, b]), a, b]);
}
