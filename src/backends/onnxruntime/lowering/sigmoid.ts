/**
 * The sigmoid function.
 *
 * @module
 */

import type { MLOperandDataType } from "../../../data_type.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import { hasFlaw } from "./kernels.ts";

/** Above this, the result is 1, and the exponential could overflow. */
const MAX_INPUT = 30;

/**
 * `1 / (1 + e⁻ˣ)`, as `e / (1 + |e|)` with `e = eˣ`: exact to 2 units in the last place over the whole range. On the
 * CPU it takes twice as long as the engine's approximation, which is precise enough for float16.
 */
export function sigmoid(input: Operand, dataType: MLOperandDataType, onnx: OnnxWriter): Operand {
  if (dataType !== "float32" || !hasFlaw("roughSigmoid", onnx)) return onnx.node("Sigmoid", [input]);
  const bounded = onnx.node("Min", [input, onnx.scalar(dataType, MAX_INPUT)]);
  return onnx.node("Softsign", [onnx.node("Exp", [bounded])]);
}
