/**
 * Operands for the samples of operators, within the limits of Core ML.
 *
 * @module
 */

import { COREML_LIMITS } from "../../src/backends/coreml/limits.ts";
import type { MLOperandDataType } from "../../src/data_type.ts";
import type { RefTensor } from "../reference/mod.ts";

/** The ranks that Core ML supports. */
export const RANKS = [0, 1, 2, 3, 4, 5];

/** The data types of operands, by name. */
export type Types = Readonly<Record<string, MLOperandDataType>>;

/** Whether Core ML supports all outputs. */
export function areSupported(outputs: readonly RefTensor[]): boolean {
  return outputs.every(({ dataType, shape }) =>
    COREML_LIMITS.dataTypes.includes(dataType) && shape.length <= COREML_LIMITS.maxRank
  );
}
