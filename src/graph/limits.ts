/**
 * What a device can take, and the dictionaries in which `opSupportLimits()` says it.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";

/** What a device can take. Where it says nothing, the standard's own limits hold. */
export interface DeviceLimits {
  /** The largest input, constant, intermediate value or output, in bytes. */
  readonly maxTensorByteLength: number;
  /** The largest rank of any operand. */
  readonly maxRank: number;
  /** The layout in which convolutions and pools are fastest. */
  readonly preferredInputLayout: "nchw" | "nhwc";
  /** The data types of inputs, constants and outputs of a graph. */
  readonly dataTypes: readonly MLOperandDataType[];
  /** Whether an operator's operand or output may have a data type that the standard allows there. */
  supports(operator: string, operand: string, dataType: MLOperandDataType): boolean;
}

/**
 * The ranks that are supported, both ends included.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlrankrange
 */
export interface MLRankRange {
  /** The least rank. */
  min: number;
  /** The greatest rank. */
  max: number;
}

/**
 * The data types and ranks that are supported for an operand.
 * @see https://www.w3.org/TR/webnn/#dictdef-mltensorlimits
 */
export interface MLTensorLimits {
  /** The data types. */
  dataTypes: MLOperandDataType[];
  /** The ranks. */
  rankRange: MLRankRange;
}
