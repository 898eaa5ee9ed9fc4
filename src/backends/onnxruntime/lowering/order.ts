/**
 * Minimum and maximum. On x86-64, ONNX Runtime's Min, Max, Clip, Relu, Sign, ReduceMin and ReduceMax compare only the
 * low half of an int64, as a signed number, so they find 2³¹ less than 0 (measured with 1.30.0). Its comparisons are
 * right, and so are the kernels of all other types.
 *
 * @module
 */

import type { MLOperandDataType } from "../../../data_type.ts";
import type { OnnxWriter, Operand } from "../writer.ts";

/** Combines two operands of one data type. */
export type Combine = (dataType: MLOperandDataType, a: Operand, b: Operand, onnx: OnnxWriter) => Operand;

/** `min(a, b)`. */
export const lesserOf: Combine = (dataType, a, b, onnx) =>
  dataType === "int64" ? onnx.node("Where", [onnx.node("Less", [a, b]), a, b]) : onnx.node("Min", [a, b]);

/** `max(a, b)`. */
export const greaterOf: Combine = (dataType, a, b, onnx) =>
  dataType === "int64" ? onnx.node("Where", [onnx.node("Greater", [a, b]), a, b]) : onnx.node("Max", [a, b]);
