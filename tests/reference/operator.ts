/**
 * Types of the reference's operators, and functions to read operands and attributes.
 *
 * @module
 */

import { roundTo } from "./round.ts";
import type { RefTensor } from "./tensor.ts";

/** Operands by name; `inputs` of concat is a list. */
export type Operands = Readonly<Record<string, RefTensor | readonly RefTensor[] | undefined>>;

/** Positional parameters and options by name; missing ones have their defaults. */
export type Attributes = Readonly<Record<string, unknown>>;

/** WPT's tolerance: units in the last place, or an absolute error, for float32 and float16. */
export interface Tolerance {
  readonly metric: "ULP" | "ATOL";
  readonly float32: number;
  readonly float16: number;
}

/** The computation of one operator. */
export interface Compute {
  (operands: Operands, attributes: Attributes): RefTensor[];
  /** The tolerance of engines. Without one, the operator is exact, or its sums have error bounds. */
  readonly tolerance?: Tolerance;
  /** The inputs for which the tolerance applies; all by default. */
  readonly domain?: readonly [least: number, greatest: number];
}

/** A tolerance in units in the last place. */
export function ulp(float32: number, float16: number = float32): Tolerance {
  return { metric: "ULP", float32, float16 };
}

/** An absolute tolerance. */
export function atol(float32: number, float16: number): Tolerance {
  return { metric: "ATOL", float32, float16 };
}

/** A computation with a tolerance, and the inputs for which it applies. */
export function within(tolerance: Tolerance, compute: Compute, domain?: readonly [number, number]): Compute {
  const row: Compute = (operands, attributes) => compute(operands, attributes);
  return Object.assign(row, { tolerance, ...(domain && { domain }) });
}

/** Operators by name. */
export type Rows = Readonly<Record<string, Compute>>;

/** A required operand. */
export function operand(operands: Operands, name: string): RefTensor {
  const value = optionalOperand(operands, name);
  if (value === undefined) throw new TypeError(`operand ${name} is missing`);
  return value;
}

/** An operand that may be left out. */
export function optionalOperand(operands: Operands, name: string): RefTensor | undefined {
  const value = operands[name];
  if (value !== undefined && !("dataType" in value)) throw new TypeError(`operand ${name} is a list`);
  return value;
}

/** An operand that is a list. */
export function operandList(operands: Operands, name: string): readonly RefTensor[] {
  const value = operands[name];
  if (!Array.isArray(value)) throw new TypeError(`operand ${name} is not a list`);
  return value;
}

/** An attribute, or its default if it is missing. The caller is responsible for the type. */
export function attribute<T>(attributes: Attributes, name: string, fallback: T): T {
  const value = attributes[name];
  return value === undefined ? fallback : value as T;
}

/** A positional parameter, which has no default. */
export function parameter<T>(attributes: Attributes, name: string): T {
  if (attributes[name] === undefined) throw new TypeError(`parameter ${name} is missing`);
  return attributes[name] as T;
}

/** A `double` attribute, [cast](https://www.w3.org/TR/webnn/#algorithms-casting) to the data type of the input. */
export function floatAttribute(attributes: Attributes, name: string, fallback: number, input: RefTensor): number {
  return Number(roundTo(input.dataType, attribute(attributes, name, fallback)));
}
