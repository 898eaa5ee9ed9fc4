/**
 * The limits of a context: those of the standard (the rows), intersected with those of the device.
 *
 * @module
 */

import type { AnyOperator, TensorRule } from "./operator.ts";
import type { DeviceLimits, MLTensorLimits } from "../graph/limits.ts";
import type { MLOperandDataType } from "../data_type.ts";

/** The limits of one operator, by operand and output. */
export type OperatorLimits = Readonly<Record<string, MLTensorLimits>>;

/** The limits of each operand and output of a row on a device, in lexicographic order, as WebIDL returns them. */
export function operatorLimits(row: AnyOperator, device: DeviceLimits): OperatorLimits {
  const rules: Record<string, TensorRule> = { ...row.operands, ...row.outputs };
  const limits: Record<string, MLTensorLimits> = {};
  for (const name of Object.keys(rules).sort()) {
    const rule = rules[name]!;
    limits[name] = {
      dataTypes: allowedTypes(rule, rules).filter((type) => device.supports(row.name, name, type)),
      rankRange: { min: rule.ranks.min, max: Math.min(rule.ranks.max ?? device.maxRank, device.maxRank) },
    };
  }
  return limits;
}

/** The limits of inputs, constants and outputs of a graph on a device. */
export function graphLimits(device: DeviceLimits): MLTensorLimits {
  return {
    dataTypes: [...device.dataTypes],
    rankRange: { min: 0, max: device.maxRank },
  };
}

function allowedTypes(rule: TensorRule, rules: Record<string, TensorRule>): readonly MLOperandDataType[] {
  if (!("sameAs" in rule.types)) return rule.types;
  const referred = rules[rule.types.sameAs];
  if (!referred) throw new Error(`A rule refers to the operand ${rule.types.sameAs}, which the row does not have`);
  return allowedTypes(referred, rules);
}
