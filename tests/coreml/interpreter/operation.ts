/**
 * The rows of the interpreter, and how they read the parameters of an operation.
 *
 * @module
 */

import type { MilConstant, MilOperation, MilValue } from "../../../src/backends/coreml/mil.ts";
import { sameShape } from "../../../src/shape.ts";
import { formatType, type Tensor } from "./tensor.ts";

/** A MIL operation. Each parameter must be present, and there may be no others. */
export interface Row {
  /** Parameters that may be results of other operations. */
  readonly values: readonly string[];
  /** Parameters that must be constants or results of `constexpr_*` operations. */
  readonly constants: readonly string[];
  /** Optional parameters, those for which coremltools has no default either. */
  readonly optional?: readonly string[];
  /** Whether the constants are attributes of the operation, as for `constexpr_*`. */
  readonly attributes?: boolean;
  /** Computes the outputs, in order. */
  readonly compute: (parameters: Parameters) => Tensor | readonly Tensor[];
}

/** Rows by their MIL names. */
export type Rows = Readonly<Record<string, Row>>;

/** A value of the running program. */
export interface Value {
  readonly content: Tensor | string;
  /** Whether it is a constant or the result of a `constexpr_*` operation. */
  readonly constant: boolean;
}

/** The parameters of one operation, by name. */
export interface Parameters {
  /** A tensor. */
  tensor(name: string): Tensor;
  /** An optional tensor. */
  optional(name: string): Tensor | undefined;
  /** A parameter that takes several tensors. */
  list(name: string): readonly Tensor[];
  /** The elements of a tensor of rank 1. */
  numbers(name: string): number[];
  /** The value of a scalar. */
  number(name: string): number;
  /** The value of a scalar of type `bool`. */
  flag(name: string): boolean;
  /** A string, one of those allowed. */
  text<T extends string>(name: string, allowed: readonly T[]): T;
  /** Whether a parameter is a constant. */
  isConstant(name: string): boolean;
}

/** A row whose parameters may all be results of other operations. */
export function row(values: string, compute: Row["compute"]): Row {
  return { values: names(values), constants: [], compute };
}

/** The names in `"x y"`. */
export function names(list: string): string[] {
  return list.split(" ").filter((name) => name !== "");
}

/** Rows of operations that differ in one function. */
export function family<F>(functions: Readonly<Record<string, F>>, make: (compute: F) => Row): Rows {
  return Object.fromEntries(Object.entries(functions).map(([name, compute]) => [name, make(compute)]));
}

/** Checks the parameters of an operation, and passes them to its row. */
export function parametersOf(operation: MilOperation, row: Row, valueOf: (value: MilValue) => Value): Parameters {
  const given = row.attributes ? { ...operation.inputs, ...operation.attributes } : operation.inputs;
  checkNames(operation, row);
  for (const name of row.constants) checkConstant(name, given[name], valueOf, row);

  const content = (name: string): Tensor | string => {
    const value = given[name];
    if (value === undefined) throw new TypeError(`parameter ${name} is missing`);
    if (isList(value)) throw new TypeError(`parameter ${name} takes one value, not a list`);
    return contentOf(value, valueOf);
  };
  const tensor = (name: string): Tensor => asTensor(name, content(name));
  const scalar = (name: string): Tensor => {
    const value = tensor(name);
    if (value.shape.length !== 0) throw new TypeError(`parameter ${name} must be a scalar, not ${formatType(value)}`);
    return value;
  };
  return {
    tensor,
    optional: (name) => given[name] === undefined ? undefined : tensor(name),
    list: (name) => {
      const values = given[name];
      if (values === undefined || !isList(values)) throw new TypeError(`parameter ${name} takes a list of values`);
      return values.map((value) => asTensor(name, contentOf(value, valueOf)));
    },
    numbers: (name) => {
      const value = tensor(name);
      if (value.shape.length !== 1) throw new TypeError(`parameter ${name} must have rank 1, not ${formatType(value)}`);
      return [...value.data];
    },
    number: (name) => scalar(name).data[0]!,
    flag: (name) => {
      const value = scalar(name);
      if (value.dataType !== "bool") throw new TypeError(`parameter ${name} must be a bool, not ${value.dataType}`);
      return value.data[0] !== 0;
    },
    text: (name, allowed) => {
      const value = content(name);
      const found = allowed.find((text) => text === value);
      if (found === undefined) throw new TypeError(`parameter ${name} must be one of ${allowed.join(", ")}`);
      return found;
    },
    isConstant: (name) => {
      const value = given[name];
      return value !== undefined && !isList(value) && isConstant(value, valueOf);
    },
  };
}

/** Whether a parameter has several values. */
export function isList(value: MilValue | readonly MilValue[]): value is readonly MilValue[] {
  return Array.isArray(value);
}

function checkNames(operation: MilOperation, row: Row): void {
  const optional = row.optional ?? [];
  const inputs = row.attributes ? row.values : [...row.values, ...row.constants];
  checkSet("parameter", Object.keys(operation.inputs), inputs, optional);
  checkSet("attribute", Object.keys(operation.attributes ?? {}), row.attributes ? row.constants : [], optional);
}

function checkSet(kind: string, given: string[], known: readonly string[], optional: readonly string[]): void {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`has no ${kind} ${unknown}`);
  const missing = known.find((name) => !given.includes(name) && !optional.includes(name));
  if (missing !== undefined) throw new TypeError(`${kind} ${missing} is missing`);
}

function checkConstant(
  name: string,
  value: MilValue | readonly MilValue[] | undefined,
  valueOf: (value: MilValue) => Value,
  row: Row,
): void {
  if (value === undefined || row.attributes) return;
  if (isList(value) || !isConstant(value, valueOf)) throw new TypeError(`parameter ${name} must be a constant`);
}

function isConstant(value: MilValue, valueOf: (value: MilValue) => Value): boolean {
  return "data" in value || valueOf(value).constant;
}

/** The content of a value, which must have the type that the operation declares. */
function contentOf(value: MilValue, valueOf: (value: MilValue) => Value): Tensor | string {
  const { content } = valueOf(value);
  const actual = typeof content === "string" ? { dataType: "string" as const, shape: [] } : content;
  if (actual.dataType !== value.dataType || !sameShape(actual.shape, value.shape)) {
    throw new TypeError(`reads ${value.name} as ${formatType(value)}, but it is ${formatType(actual)}`);
  }
  return content;
}

function asTensor(name: string, content: Tensor | string): Tensor {
  if (typeof content === "string") throw new TypeError(`parameter ${name} must be a tensor, not a string`);
  return content;
}

/** A constant inside an operation, such as an attribute. */
export function isInlineConstant(value: MilValue): value is MilConstant {
  return "data" in value;
}
