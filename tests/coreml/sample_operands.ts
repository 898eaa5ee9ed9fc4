/**
 * Operands for the samples of operators, within the limits of Core ML.
 *
 * @module
 */

import { COREML_LIMITS } from "../../src/backends/coreml/limits.ts";
import type { MLOperandDataType } from "../../src/data_type.ts";
import type { RefTensor } from "../reference/mod.ts";
import { operandValues, PLAIN } from "../support/operand_values.ts";
import type { Sample } from "../support/operator_samples.ts";

/** The ranks that Core ML supports. */
export const RANKS = [0, 1, 2, 3, 4, 5];

/** The data types of operands, by name. */
export type Types = Readonly<Record<string, MLOperandDataType>>;

/** Operands of these types for a sample, by name. */
export function operandsOf(sample: Sample, types: Types): Record<string, RefTensor | RefTensor[]> {
  return Object.fromEntries(
    Object.entries(sample.shapes).map(([name, shape], i) => {
      const values = (shape: readonly number[], seed: number) =>
        operandValues(types[name]!, shape, sample.domains?.[name] ?? PLAIN, seed);
      return [name, isList(shape) ? shape.map((item, j) => values(item, 100 * i + j)) : values(shape, 100 * i)];
    }),
  );
}

function isList(shape: Sample["shapes"][string]): shape is readonly (readonly number[])[] {
  return Array.isArray(shape[0]);
}

/** Whether Core ML supports all outputs. */
export function areSupported(outputs: readonly RefTensor[]): boolean {
  return outputs.every(({ dataType, shape }) =>
    COREML_LIMITS.dataTypes.includes(dataType) && shape.length <= COREML_LIMITS.maxRank
  );
}
