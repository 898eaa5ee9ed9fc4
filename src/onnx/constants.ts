/**
 * Known values as constants of a builder.
 *
 * @module
 */

import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLOperand } from "../api/ml_operand.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import type { MLTensor } from "../api/ml_tensor.ts";
import { integerRange, isFloat, type MLOperandDataType } from "../data_type.ts";
import type { Known } from "./model.ts";
import { elementsOf, known, operandType, Unsupported } from "./value.ts";

/** Makes the constant of a known value in a builder. */
export type MakeConstant = (builder: MLGraphBuilder, value: Known, limits: MLOpSupportLimits) => MLOperand;

/** Values of at least so many bytes are weights: what is done with them is worth a thought. */
export const WEIGHT_BYTES = 4096;

/** Constants with a copy of their bytes. */
export const copiedConstant: MakeConstant = (builder, value, limits) => {
  const { type, shape, bytes } = asOperandType(value, limits);
  return builder.constant({ dataType: type, shape }, bytes);
};

/** Inputs in place of weights, to try a walk without copying one. */
export const placeholder: MakeConstant = (builder, value, limits) => {
  if (value.bytes.byteLength < WEIGHT_BYTES) return copiedConstant(builder, value, limits);
  return builder.input("a weight", { dataType: operandType(value.type, limits), shape: value.shape });
};

/** Constants of tensors that graphs share; what is missing there is copied. */
export function sharedConstants(tensors: ReadonlyMap<Known, MLTensor>): MakeConstant {
  return (builder, value, limits) => {
    const tensor = tensors.get(value);
    return tensor ? builder.constant(tensor) : copiedConstant(builder, value, limits);
  };
}

/** A known value in the type that WebNN holds it in. */
export function asOperandType(
  value: Known,
  limits: MLOpSupportLimits,
): Known & { readonly type: MLOperandDataType } {
  const type = operandType(value.type, limits);
  if (value.bytes.byteLength === 0) throw new Unsupported("a tensor without elements cannot be computed with");
  if (value.type === type) return { ...value, type };
  if (value.type === "bool") return { ...value, type };
  if (type === "int4" || type === "uint4") throw new Unsupported(`${value.type} does not become ${type}`);
  return { ...known(type, value.shape, clamped(value, type)), type };
}

/** Integers that a narrower type cannot hold become its bounds: such are the ends of open slices. */
function clamped(value: Known, type: MLOperandDataType): Iterable<number | bigint> {
  const elements = elementsOf(value);
  if (isFloat(type) || !(elements instanceof BigInt64Array || elements instanceof BigUint64Array)) return elements;
  const { min, max } = integerRange(type);
  return Array.from(elements, (element) => element < min ? min : element > max ? max : element);
}
