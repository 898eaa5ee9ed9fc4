/**
 * Creates constants of a builder from known values.
 *
 * @module
 */

import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLOperand } from "../api/ml_operand.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import { integerRange, isFloat, type MLOperandDataType } from "../data_type.ts";
import type { KnownTensor } from "./model.ts";
import { operandType } from "./element_type.ts";
import { unsupported } from "./errors.ts";
import { elementsOf, knownTensor, sizeOf } from "./value.ts";

/** Creates the constant for a known value. */
export type MakeConstant = (builder: MLGraphBuilder, value: KnownTensor, limits: MLOpSupportLimits) => MLOperand;

/** Values of at least this many bytes are weights, which are copied only when necessary. */
export const WEIGHT_BYTES = 4096;

/** Creates a constant with a copy of the bytes. */
export const copiedConstant: MakeConstant = (builder, value, limits) => {
  const { type, shape, bytes } = asOperandType(value, limits);
  return builder.constant({ dataType: type, shape }, bytes);
};

/** Creates a builder input in place of a weight, so that a trial walk copies no weights. */
export const placeholder: MakeConstant = (builder, value, limits) => {
  if (sizeOf(value) < WEIGHT_BYTES) return copiedConstant(builder, value, limits);
  return builder.input("a weight", { dataType: operandType(value.type, limits), shape: value.shape });
};

/** Converts a known value to the data type that WebNN uses for it. */
export function asOperandType(
  value: KnownTensor,
  limits: MLOpSupportLimits,
): KnownTensor & { readonly type: MLOperandDataType } {
  const type = operandType(value.type, limits);
  if (sizeOf(value) === 0) unsupported("WebNN does not support tensors without elements");
  if (value.type === type) return value as KnownTensor & { readonly type: MLOperandDataType };
  if (value.type === "bool") return { ...value, type };
  if (type === "int4" || type === "uint4") unsupported(`${value.type} cannot be converted to ${type}`);
  return { ...knownTensor(type, value.shape, clamped(value, type)), type };
}

/** Clamps integers to the narrower type: models use the largest int64 as the end of a slice without a limit. */
function clamped(value: KnownTensor, type: MLOperandDataType): Iterable<number | bigint> {
  const elements: Iterable<number | bigint> = elementsOf(value);
  if (isFloat(type)) return elements;
  const { min, max } = integerRange(type);
  return Array.from(elements, (element) => element < min ? min : element > max ? max : element);
}
