/**
 * Helpers that are derived from the rows of operators.
 *
 * @module
 */

import type { AnyOperator } from "../../src/ops/operator.ts";
import { type OperatorName, operators } from "../../src/ops/operators.ts";

/** The arguments of a row, except the label. */
type ArgumentOf<Row extends AnyOperator> = keyof Row["operands"] | keyof Row["parameters"] | keyof Row["options"];

/** Operators with one operand and no other arguments, for which tests derive everything from the rows. */
export type UnaryName = {
  [Name in OperatorName]: [ArgumentOf<(typeof operators)[Name]>] extends ["input"] | ["a"] ? Name : never;
}[OperatorName];

/** Calls a function for each operator of {@linkcode UnaryName}, with the name of its operand. Returns the results by name. */
export function forEachUnary<T>(make: (name: UnaryName, operand: string) => T): Readonly<Record<UnaryName, T>> {
  const rows = Object.values(operators) as AnyOperator[];
  const unary = rows.filter(({ operands, parameters, options }) =>
    Object.keys({ ...operands, ...parameters, ...options }).length === 1 && Object.keys(operands).length === 1
  );
  const entries = unary.map(({ name, operands }) => [name, make(name as UnaryName, Object.keys(operands)[0]!)]);
  return Object.fromEntries(entries) as Record<UnaryName, T>;
}

/** The positional arguments of a builder's method, in order, without `options`. */
export function positionalNames(name: string): readonly string[] {
  const row = (operators as Readonly<Record<string, AnyOperator>>)[name];
  if (row === undefined) throw new TypeError(`there is no operator ${name}`);
  const operands = Object.keys(row.operands).filter((operand) => row.operands[operand]!.kind !== "optional");
  return [...operands, ...Object.keys(row.parameters)];
}
