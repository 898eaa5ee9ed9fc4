/**
 * What is known of the least number that a value can hold.
 *
 * @module
 */

import { operandsOf, type Value } from "../../../graph/graph.ts";
import type { OnnxWriter } from "../writer.ts";

/** Operators whose results are greater than −Infinity, or NaN, whatever they are of. */
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

/** Operators that hand on some of their operands' elements, or a mean of them. */
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

/** Whether a value of floats cannot hold −Infinity, by the operators that made it. */
export function isAboveMinusInfinity(value: Value, onnx: OnnxWriter): boolean {
  const node = onnx.producerOf(value);
  if (!node) return false;
  if (node.operator === "clamp") return Number((node.attributes as { minValue?: number }).minValue) > -Infinity;
  if (BOUNDED.has(node.operator)) return true;
  if (!TRANSPARENT.has(node.operator)) return false;
  const check = (operand: Value) => isAboveMinusInfinity(operand, onnx);
  return node.operator === "max" ? operandsOf(node).some(check) : operandsOf(node).every(check);
}
