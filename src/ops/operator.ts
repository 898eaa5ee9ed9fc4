/**
 * The type of a row in the operator table. A row holds everything about an operator that does not depend on a backend.
 * The conversion of arguments, `opSupportLimits()`, docs/operators.md and the fuzzer's grammar are derived from it.
 *
 * @module
 */

import { DATA_TYPES, FOUR_BIT_DATA_TYPES, type MLOperandDataType } from "../data_type.ts";
import type { Cost, Value } from "../graph/graph.ts";
import type { Descriptor } from "../shape.ts";
import type { DictionaryOf, Members } from "../webidl/converters.ts";
import type { CostedNode } from "./cost.ts";

/** The allowed ranks of an operand. Without `max`, the standard sets no limit. */
export interface RankRange {
  readonly min: number;
  readonly max?: number;
}

/** The allowed data types, or the operand whose data type this one must have. */
export type TypeRule = readonly MLOperandDataType[] | { readonly sameAs: string };

/** One line of the standard's table of tensor limits: an operand or output. */
export interface TensorRule {
  readonly types: TypeRule;
  readonly ranks: RankRange;
  /** The operand whose rank this one must have. */
  readonly rankAs?: string;
}

/** An operand: one, a list (`sequence<MLOperand>`), or an optional one, which is a member of the options. */
export interface OperandRule extends TensorRule {
  readonly kind: "one" | "list" | "optional";
}

/** The operands as passed to `resolve`. */
export type OperandsOf<Rules extends Readonly<Record<string, OperandRule>>> = {
  readonly [K in keyof Rules]: Rules[K]["kind"] extends "one" ? Value
    : Rules[K]["kind"] extends "list" ? readonly Value[]
    : Value | undefined;
};

/** What `resolve` returns: the attributes of the node, and one descriptor per output. */
export interface Resolved<Attributes> {
  readonly attributes: Attributes;
  readonly outputs: readonly Descriptor[];
}

/** A row of the operator table. */
export interface Operator<
  Name extends string,
  Operands extends Readonly<Record<string, OperandRule>>,
  Parameters extends Members,
  Options extends Members,
  Attributes extends object,
  Outputs extends Readonly<Record<string, TensorRule>>,
> {
  /** The name of the builder's method. */
  readonly name: Name;
  /** Operands in the order of the arguments; the optional ones are members of the options. */
  readonly operands: Operands;
  /** The rules of the outputs, for `opSupportLimits()`. `split` has one rule for all of its outputs. */
  readonly outputs: Outputs;
  /** Positional arguments after the operands. */
  readonly parameters: Parameters;
  /** Members of the options beside `label` and the optional operands. */
  readonly options: Options;
  /** Checks the arguments ({@linkcode refuse}), fills in defaults and computes the output descriptors. */
  resolve(operands: OperandsOf<Operands>, args: DictionaryOf<Parameters & Options>): Resolved<Attributes>;
  /** The cost of one run. */
  cost(node: CostedNode<OperandsOf<Operands>, Attributes>): Cost;
}

/** Any row. */
export interface AnyOperator {
  readonly name: string;
  readonly operands: Readonly<Record<string, OperandRule>>;
  readonly outputs: Readonly<Record<string, TensorRule>>;
  readonly parameters: Members;
  readonly options: Members;
  // deno-lint-ignore no-explicit-any -- the parameters of a method are contravariant: no other type admits every row
  resolve(operands: any, args: any): Resolved<object>;
  // deno-lint-ignore no-explicit-any -- for the same reason
  cost(node: any): Cost;
}

/** The attributes that a node of this row carries. */
export type AttributesOf<Row extends AnyOperator> = ReturnType<Row["resolve"]>["attributes"];

type NoMembers = Record<never, never>;

/** Defines a row. The argument types of `resolve` are inferred from operands, parameters and options. */
export function operator<
  const Name extends string,
  const Operands extends Readonly<Record<string, OperandRule>>,
  Attributes extends object,
  const Outputs extends Readonly<Record<string, TensorRule>>,
  Parameters extends Members = NoMembers,
  Options extends Members = NoMembers,
>(row: {
  name: Name;
  operands: Operands;
  outputs: Outputs;
  parameters?: Parameters;
  options?: Options;
  resolve(operands: OperandsOf<Operands>, args: DictionaryOf<Parameters & Options>): Resolved<Attributes>;
  cost(node: CostedNode<NoInfer<OperandsOf<Operands>>, NoInfer<Attributes>>): Cost;
}): Operator<Name, Operands, Parameters, Options, Attributes, Outputs> {
  return { parameters: {} as Parameters, options: {} as Options, ...row };
}

/** A required operand. */
export function one(types: TypeRule, ranks: RankRange = rank(0), rankAs?: string): OperandRule & { kind: "one" } {
  return { kind: "one", ...tensor(types, ranks, rankAs) };
}

/** A list of operands that all have the same data type and rank. */
export function list(types: TypeRule, ranks: RankRange = rank(0)): OperandRule & { kind: "list" } {
  return { kind: "list", ...tensor(types, ranks) };
}

/** An operand that is a member of the options. */
export function maybe(types: TypeRule, ranks: RankRange = rank(0)): OperandRule & { kind: "optional" } {
  return { kind: "optional", ...tensor(types, ranks) };
}

/** The rule of an output. */
export function tensor(types: TypeRule, ranks: RankRange = rank(0), rankAs?: string): TensorRule {
  return rankAs === undefined ? { types, ranks } : { types, ranks, rankAs };
}

/** `rank(2)`: at least 2 dimensions; `rank(4, 4)`: exactly 4. */
export function rank(min: number, max?: number): RankRange {
  return max === undefined ? { min } : { min, max };
}

/** The rule that two operands must have the same data type. */
export function sameAs(operand: string): TypeRule {
  return { sameAs: operand };
}

/** Every data type of the standard. */
export const ANY: readonly MLOperandDataType[] = DATA_TYPES;
/** Floating-point types. */
export const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];
/** Signed types: floats and signed integers. */
export const SIGNED: readonly MLOperandDataType[] = ["float32", "float16", "int64", "int32", "int8"];
/** Floating-point types and integers of 32 and 64 bits. */
export const WIDE: readonly MLOperandDataType[] = ["float32", "float16", "int32", "uint32", "int64", "uint64"];
/** Types of indices. */
export const INDICES: readonly MLOperandDataType[] = ["int32", "uint32", "int64"];
/** The type of booleans. */
export const UINT8: readonly MLOperandDataType[] = ["uint8"];
/** The types of quantised values, including the 4-bit extension. */
export const QUANTIZED: readonly MLOperandDataType[] = ["uint8", "int8", "uint32", "int32", ...FOUR_BIT_DATA_TYPES];
