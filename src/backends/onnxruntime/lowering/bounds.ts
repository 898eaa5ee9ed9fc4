/**
 * Whether a value can be −Infinity.
 *
 * @module
 */

import { operandsOf, type Value } from "../../../graph/graph.ts";
import type { OnnxWriter } from "../writer.ts";

/** Operators whose results are always greater than −Infinity, or NaN. */
const BOUNDED: ReadonlySet<string> = new Set([
  "abs",
  "exp",
  "gelu",
  "hardSigmoid",
  "hardSwish",
  "l2Pool2d",
  "relu",
  "scaledSilu",
  "sigmoid",
  "softmax",
  "softplus",
  "softsign",
  "tanh",
]);

/** Operators that pass on elements of their operands, or means of them. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  "averagePool2d",
  "concat",
  "expand",
  "gather",
  "identity",
  "max",
  "maxPool2d",
  "reshape",
  "resample2d",
  "reverse",
  "slice",
  "split",
  "tile",
  "transpose",
]);

/** Whether a float value cannot be −Infinity, judging by the operators that computed it. */
export function isAboveMinusInfinity(value: Value, onnx: OnnxWriter): boolean {
  const node = onnx.producerOf(value);
  if (!node) return false;
  if (node.operator === "clamp") return Number((node.attributes as { minValue?: number }).minValue) > -Infinity;
  if (BOUNDED.has(node.operator)) return true;
  if (!TRANSPARENT.has(node.operator)) return false;
  const check = (operand: Value) => isAboveMinusInfinity(operand, onnx);
  return node.operator === "max" ? operandsOf(node).some(check) : operandsOf(node).every(check);
}
