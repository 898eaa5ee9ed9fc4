/**
 * The limits of ONNX Runtime.
 *
 * @module
 */

import type { DeviceLimits } from "../../graph/limits.ts";
import { DATA_TYPES, FOUR_BIT_DATA_TYPES, type MLOperandDataType } from "../../data_type.ts";

/**
 * The limits of the CPU provider, and of all others, because the CPU runs what they do not support in the same session.
 */
export const LIMITS: DeviceLimits = {
  // WPT creates inputs with a quarter of this many float32 elements.
  maxTensorByteLength: 2147483647,
  // Kernels support any rank; WPT requires rank 10 to be rejected, and no one uses more than 8 dimensions.
  maxRank: 8,
  preferredInputLayout: "nchw",
  dataTypes: [...DATA_TYPES, ...FOUR_BIT_DATA_TYPES],
  supports: () => true,
};

/** The limits without a data type. */
export function withoutDataType(missing: MLOperandDataType): DeviceLimits {
  return {
    ...LIMITS,
    dataTypes: LIMITS.dataTypes.filter((dataType) => dataType !== missing),
    supports: (_operator, _operand, dataType) => dataType !== missing,
  };
}
