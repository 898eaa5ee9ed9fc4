/**
 * Checks the operands of a case against `opSupportLimits()`.
 *
 * @module
 */

import { positionalNames } from "../support/rows.ts";

/** The data type and shape of an operand, or of a tensor of a case. */
export interface Described {
  readonly dataType: string;
  readonly shape: readonly number[];
}

/** `MLTensorLimits`, with data types that need not be in the enumeration. */
interface TensorLimits {
  readonly dataTypes: readonly string[];
  readonly rankRange: { readonly min: number; readonly max: number };
}

/** The members of `MLOpSupportLimits` used here: `input`, `constant`, `output`, and one per operator. */
export type Limits = Readonly<Record<string, TensorLimits | Readonly<Record<string, TensorLimits>>>>;

/** A case needs what the context does not support. */
export class NotInLimits extends Error {
  constructor(detail: string) {
    super(`not in opSupportLimits: ${detail}`);
  }
}

/** @throws {NotInLimits} if a graph may not have such an input, constant or output */
export function checkGraphLimits(limits: Limits, role: "input" | "constant" | "output", tensor: Described): void {
  checkTensor(limits[role] as TensorLimits, role, tensor);
}

/** The operands of a call by name, from positional arguments and options. */
export function namedOperands<T extends Described>(
  operator: string,
  positional: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
  isOperand: (value: unknown) => value is T,
): [name: string, operand: T][] {
  const names = positionalNames(operator);
  const named = [
    ...positional.map((value, i) => [names[i]!, value] as const),
    ...Object.entries(options),
  ];
  return named.flatMap(([name, value]) =>
    [value].flat().filter(isOperand).map((operand): [string, T] => [name, operand])
  );
}

/** @throws {NotInLimits} if the operator may not have such an operand */
export function checkOperandLimits(limits: Limits, operator: string, name: string, operand: Described): void {
  const operands = limits[operator] as Readonly<Record<string, TensorLimits>> | undefined;
  if (operands === undefined) throw new NotInLimits(operator);
  checkTensor(operands[name], `${operator}.${name}`, operand);
}

/** @throws {NotInLimits} if the operator may not have such outputs */
export function checkOutputLimits(limits: Limits, operator: string, outputs: readonly Described[]): void {
  const operands = limits[operator] as Readonly<Record<string, TensorLimits>> | undefined;
  outputs.forEach((output, i) => {
    const name = ["output", "outputs", `output${i}`].find((name) => operands?.[name] !== undefined) ?? "output";
    checkOperandLimits(limits, operator, name, output);
  });
}

function checkTensor(limits: TensorLimits | undefined, where: string, { dataType, shape }: Described): void {
  if (limits === undefined) throw new NotInLimits(where);
  const { dataTypes, rankRange: { min, max } } = limits;
  if (!dataTypes.includes(dataType)) throw new NotInLimits(`${where} ${dataType}`);
  if (shape.length < min || shape.length > max) throw new NotInLimits(`${where} rank ${shape.length}`);
}
