/**
 * What a program of Core ML can take, by what the lowering makes of it.
 *
 * @module
 */

import type { MLOperandDataType } from "../../data_type.ts";
import type { DeviceLimits } from "../../graph/limits.ts";

/**
 * Core ML knows no integers of 64 bits, and no arithmetic of uint32. All narrower ones are int32 inside a program, so that
 * every operator takes them; those of 4 bits occur where the rows allow them, in quantisation.
 */
const DATA_TYPES: readonly MLOperandDataType[] = ["float32", "float16", "int32", "int8", "uint8", "int4", "uint4"];

/** Core ML from macOS 14 on. */
export const COREML_LIMITS: DeviceLimits = {
  maxTensorByteLength: 2 ** 31 - 1,
  maxRank: 5,
  preferredInputLayout: "nchw",
  dataTypes: DATA_TYPES,
  supports: (_operator, _operand, dataType) => DATA_TYPES.includes(dataType),
};
