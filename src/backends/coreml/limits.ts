/**
 * The limits of Core ML, given what the lowering can do.
 *
 * @module
 */

import type { MLOperandDataType } from "../../data_type.ts";
import type { DeviceLimits } from "../../graph/limits.ts";

/**
 * Core ML has no 64-bit integers, and no uint32 arithmetic. Narrower integers are int32 inside a program, so every
 * operator supports them; the rows allow 4-bit integers only in quantisation.
 */
const DATA_TYPES: readonly MLOperandDataType[] = ["float32", "float16", "int32", "int8", "uint8", "int4", "uint4"];

/** The limits of Core ML on macOS 14 and newer. */
export const COREML_LIMITS: DeviceLimits = {
  maxTensorByteLength: 2 ** 31 - 1,
  maxRank: 5,
  preferredInputLayout: "nchw",
  dataTypes: DATA_TYPES,
  supports: (_operator, _operand, dataType) => DATA_TYPES.includes(dataType),
};
