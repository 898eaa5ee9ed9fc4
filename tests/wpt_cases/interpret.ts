/**
 * Runs a case with the reference, operator by operator.
 *
 * @module
 */

import { type Attributes, evaluate, type Operands, type RefTensor, tensor } from "../reference/mod.ts";
import { positionalNames } from "../support/rows.ts";
import { type CaseOperator, type CaseTensor, resolveOperands, resolveOptions, type WptCase } from "./cases.ts";
import { comparedElements } from "./compare.ts";

/** The reference's results, by the names of the expected outputs. */
export function interpret(wptCase: WptCase): Map<string, RefTensor> {
  const values = interpretAll(wptCase);
  return new Map(Object.keys(wptCase.expectedOutputs).map((name) => [name, values.get(name)!]));
}

/** Inputs and all results, by their names. */
export function interpretAll(wptCase: WptCase): Map<string, RefTensor> {
  const values = new Map(Object.entries(wptCase.inputs).map(([name, input]) => [name, toTensor(input)]));
  for (const operator of wptCase.operators) {
    const results = interpretOperator(operator, values);
    if (results.length < operator.outputs.length) {
      throw new RangeError(`${operator.name} made ${results.length} outputs, not ${operator.outputs.length}`);
    }
    operator.outputs.forEach((name, i) => values.set(name, results[i]!));
  }
  return values;
}

/** Limits a filled tensor, which only element-wise cases have, to the elements that are compared. */
function toTensor(input: CaseTensor): RefTensor {
  if (!input.fill) return tensor(input.dataType, input.shape, input.data);
  const count = comparedElements(input);
  return tensor(input.dataType, [count], Array.from({ length: count }, () => input.data[0]!));
}

function interpretOperator(operator: CaseOperator, values: ReadonlyMap<string, RefTensor>): RefTensor[] {
  const names = positionalNames(operator.name);
  const positional = operator.arguments.map((value, i) => [names[i]!, resolveOperands(value, values)]);
  const options = Object.entries(resolveOptions(operator.options ?? {}, values));
  const all = [...positional, ...options] as [string, unknown][];
  const operands = Object.fromEntries(all.filter(([, value]) => isOperand(value))) as Operands;
  const attributes: Attributes = Object.fromEntries(all.filter(([, value]) => !isOperand(value)));
  return evaluate(operator.name, operands, attributes);
}

/** Whether an argument is a tensor, or the list of tensors of concat. */
function isOperand(value: unknown): boolean {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "object" && first !== null && "dataType" in first;
}
