/**
 * What ONNX Runtime can take.
 *
 * @module
 */

import type { DeviceLimits } from "../../graph/limits.ts";
import { DATA_TYPES, FOUR_BIT_DATA_TYPES, type MLOperandDataType } from "../../data_type.ts";

/**
 * The CPU execution provider, and with it every other one: what that does not take runs on the CPU in the same session.
 */
export const LIMITS: DeviceLimits = {
  // WPT makes an input of a quarter of this in float32 elements.
  maxTensorByteLength: 2147483647,
  // Kernels are written for any rank; WPT wants rank 10 refused, and eight dimensions are what anybody has used.
  maxRank: 8,
  preferredInputLayout: "nchw",
  dataTypes: [...DATA_TYPES, ...FOUR_BIT_DATA_TYPES],
  supports: () => true,
};

/** Without a data type, be it of an input, an output or a value between. */
export function withoutDataType(missing: MLOperandDataType): DeviceLimits {
  return {
    ...LIMITS,
    dataTypes: LIMITS.dataTypes.filter((dataType) => dataType !== missing),
    supports: (_operator, _operand, dataType) => dataType !== missing,
  };
}
