/**
 * Validates one operation: computes a node's attributes and outputs from a row, operands and converted arguments.
 *
 * @module
 */

import { bitsOf } from "../data_type.ts";
import { type Descriptor, formatShape, MAX_DIMENSION } from "../shape.ts";
import { isList, type NodeOperands, type Value } from "../graph/graph.ts";
import type { MLTensorLimits } from "../graph/limits.ts";
import { InvalidArgument, refuse } from "./checks.ts";
import type { OperatorLimits } from "./limits.ts";
import type { AnyOperator, OperandRule, Resolved } from "./operator.ts";

/** The limits of one operation on a context. */
export interface ApplicableLimits {
  readonly operator: OperatorLimits;
  readonly maxTensorByteLength: number;
}

/**
 * Checks data types, ranks and the row's own conditions, then returns the attributes and output descriptors.
 * @throws {TypeError} if a check fails; the message names the method and the label
 */
export function applyOperator(
  row: AnyOperator,
  operands: NodeOperands,
  args: object,
  label: string,
  limits: ApplicableLimits,
): Resolved<object> {
  try {
    for (const name in row.operands) {
      const operand = operands[name];
      if (operand !== undefined) checkOperand(name, operand, row.operands[name]!, operands, limits.operator[name]!);
    }
    const resolved = row.resolve(operands, args);
    checkOutputs(row, resolved.outputs, limits);
    return resolved;
  } catch (error) {
    if (error instanceof InvalidArgument) throw new TypeError(methodMessage(row.name, label, error.message));
    throw error;
  }
}

/** Prefixes a message with method and label: `MLGraphBuilder.conv2d: [stem] filter must have rank 4, not 3`. */
export function methodMessage(method: string, label: string, message: string): string {
  return `MLGraphBuilder.${method}: ${label === "" ? "" : `[${label}] `}${message}`;
}

function checkOperand(
  name: string,
  operand: Value | readonly Value[],
  rule: OperandRule,
  operands: NodeOperands,
  limits: MLTensorLimits,
): void {
  if (!isList(operand)) return checkValue(name, operand, rule, operands, limits);
  operand.forEach((value, i) => {
    checkValue(`${name}[${i}]`, value, rule, operands, limits);
    checkAlike(`${name}[${i}]`, value, `${name}[0]`, operand[0]!);
  });
}

function checkValue(
  name: string,
  value: Value,
  rule: OperandRule,
  operands: NodeOperands,
  { dataTypes, rankRange: { min, max } }: MLTensorLimits,
): void {
  if (!dataTypes.includes(value.dataType)) {
    if (dataTypes.length === 0) refuse(`${name} is not supported by this context`);
    refuse(`${name} must be ${dataTypes.join(" or ")}, not ${value.dataType}`);
  }
  if ("sameAs" in rule.types) {
    const other = operands[rule.types.sameAs] as Value;
    if (value.dataType !== other.dataType) {
      refuse(`${name} must be ${other.dataType} like ${rule.types.sameAs}, not ${value.dataType}`);
    }
  }
  const rank = value.shape.length;
  if (rank < min || rank > max) refuse(`${name} must have rank ${rankText(min, max)}, not ${rank}`);
  if (rule.rankAs !== undefined) {
    const expected = (operands[rule.rankAs] as Value).shape.length;
    if (rank !== expected) refuse(`${name} must have rank ${expected} like ${rule.rankAs}, not ${rank}`);
  }
}

function rankText(min: number, max: number): string {
  return min === max ? `${min}` : `${min} to ${max}`;
}

/** The items of a list must have the data type and rank of the first. */
function checkAlike(name: string, value: Value, firstName: string, first: Value): void {
  if (value.dataType !== first.dataType) {
    refuse(`${name} must be ${first.dataType} like ${firstName}, not ${value.dataType}`);
  }
  if (value.shape.length !== first.shape.length) {
    refuse(`${name} must have rank ${first.shape.length} like ${firstName}, not ${value.shape.length}`);
  }
}

function checkOutputs(row: AnyOperator, outputs: readonly Descriptor[], limits: ApplicableLimits): void {
  const rules = Object.keys(row.outputs);
  for (let i = 0; i < outputs.length; i++) {
    const { dataType, shape } = outputs[i]!;
    const { dataTypes, rankRange: { max } } = limits.operator[rules[i] ?? rules[0]!]!;
    if (!dataTypes.includes(dataType)) refuse(`the output would be ${dataType}, which is not supported`);
    if (shape.length > max) refuse(`the output would have rank ${shape.length}; at most ${max} is supported`);
    const problem = dimensionProblem(outputs[i]!, limits.maxTensorByteLength);
    if (problem) refuse(`the output ${problem}`);
  }
}

/**
 * Why no tensor can have this descriptor; `undefined` if one can.
 * @see https://www.w3.org/TR/webnn/#mloperanddescriptor-check-dimensions
 */
export function dimensionProblem(descriptor: Descriptor, maxTensorByteLength: number): string | undefined {
  const { dataType, shape } = descriptor;
  let count = 1;
  for (let i = 0; i < shape.length; i++) {
    const dimension = shape[i]!;
    if (!(dimension >= 1 && dimension <= MAX_DIMENSION)) {
      return `shape ${formatShape(shape)} has a dimension that is not between 1 and ${MAX_DIMENSION}`;
    }
    count *= dimension;
  }
  if (count > MAX_DIMENSION) return `shape ${formatShape(shape)} has more than ${MAX_DIMENSION} elements`;
  const bytes = Math.ceil(count * bitsOf(dataType) / 8);
  if (bytes <= maxTensorByteLength) return undefined;
  return `shape ${
    formatShape(shape)
  } of ${dataType} takes ${bytes} bytes; at most ${maxTensorByteLength} are supported`;
}
