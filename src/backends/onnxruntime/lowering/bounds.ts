/**
 * Whether a value can be −Infinity.
 *
 * @module
 */

import { isFloat } from "../../../data_type.ts";
import { operandsOf, type Value } from "../../../graph/graph.ts";
import type { NodeOf, OperatorName } from "../../../ops/operators.ts";
import { sameShape } from "../../../shape.ts";
import type { OnnxWriter } from "../writer.ts";

/** Operators whose results are always greater than −Infinity, or NaN. */
const BOUNDED: ReadonlySet<string> = new Set([
  "abs",
  "exp",
  "gelu",
  "geluByTanh",
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
  if (!isFloat(value.dataType)) return true;
  const node = onnx.producerOf(value);
  if (!node) return numbersOf(value, onnx)?.every((number) => number !== -Infinity) ?? false;
  const check = (operand: Value) => isAboveMinusInfinity(operand, onnx);
  const clamp = made("clamp", value, onnx);
  if (clamp) return Number(clamp.attributes.minValue) > -Infinity;
  if (made("max", value, onnx)) return operandsOf(node).some(check);
  if (isShrunk(value, onnx) || BOUNDED.has(node.operator)) return true;
  return TRANSPARENT.has(node.operator) && operandsOf(node).every(check);
}

/** Whether a value is a product or quotient that cannot be −Infinity, because its constants keep size and sign. */
function isShrunk(value: Value, onnx: OnnxWriter): boolean {
  const mul = made("mul", value, onnx);
  if (mul) {
    const { a, b } = mul.operands;
    return isGated(a, b, onnx) || isGated(b, a, onnx) || areBetween(b, 0, 1, onnx) && isAboveMinusInfinity(a, onnx);
  }
  const div = made("div", value, onnx);
  return div !== undefined && areBetween(div.operands.b, 1, LARGE, onnx) && isAboveMinusInfinity(div.operands.a, onnx);
}

/**
 * Whether the product of a value `x` and `gate` is `x · clamp(x + c, 0, max)`, as programs write hard swish. If the
 * gate is not 0, `x` is at least `-c`; if it is 0, the product is 0 or NaN.
 */
function isGated(x: Value, gate: Value, onnx: OnnxWriter): boolean {
  const clamp = made("clamp", gate, onnx);
  const sum = clamp && made("add", clamp.operands.input, onnx);
  if (!sum || sum.operands.a !== x || !sameShape(x.shape, gate.shape)) return false;
  const { minValue, maxValue } = clamp.attributes;
  return Number(minValue) === 0 && Number(maxValue) <= LARGE && areBetween(sum.operands.b, -LARGE, LARGE, onnx);
}

/** The square of this number is finite in every data type. */
const LARGE = 100;

/** Whether a value is a constant with all its elements in a range. */
function areBetween(value: Value, min: number, max: number, onnx: OnnxWriter): boolean {
  return numbersOf(value, onnx)?.every((number) => number >= min && number <= max) ?? false;
}

/** The elements of a float constant. */
function numbersOf(value: Value, onnx: OnnxWriter): Float16Array | Float32Array | undefined {
  const bytes = onnx.constantBytes(value);
  if (!bytes) return undefined;
  const { buffer, byteLength, byteOffset } = bytes;
  return value.dataType === "float16"
    ? new Float16Array(buffer, byteOffset, byteLength / 2)
    : new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** The node that computes a value, if its operator has this name. */
function made<Name extends OperatorName>(name: Name, value: Value, onnx: OnnxWriter): NodeOf<Name> | undefined {
  const node = onnx.producerOf(value);
  return node?.operator === name ? node as NodeOf<Name> : undefined;
}
