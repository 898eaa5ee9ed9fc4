/**
 * The results of a program in float64, and possible results in float32 or float16. Each operator rounds its results,
 * but the engine chooses where exactly.
 *
 * @module
 */

import { evaluate, isFloat, OPERATORS, type RefTensor, sizeOf, unrounded } from "../../reference/mod.ts";
import { type Random, random } from "../../../support/random.ts";
import { mapOperands, type Program, type Step } from "../programs.ts";

/** Values of a program by id. */
export type Values = ReadonlyMap<number, RefTensor>;

/** Half the distance between 1 and the next number. */
const UNIT_ROUNDOFF = { float32: 2 ** -24, float16: 2 ** -11 };
/** This near to a tie, as a part of a step, quantisation may round to either side. */
const TIE = 1e-4;
/** The number of computations with random roundings. */
const TRIALS = 6;

/** All values of a program in float64. */
export function exactValues(program: Program): Values {
  return compute(program, (step, operands) => unrounded(() => evaluate(step.operator, operands, step.attributes)));
}

/** All values of a program, computed several times with random roundings. */
export function roundedValues(program: Program, seed: number): Values[] {
  return Array.from({ length: TRIALS }, (_, trial) => {
    const next = random(seed * TRIALS + trial);
    const direction = trial % 2 === 0 ? 1 : -1;
    return compute(program, (step, operands) => {
      const moved = step.operator === "quantizeLinear" ? movePastTies(operands, direction) : operands;
      const results = unrounded(() => evaluate(step.operator, moved, step.attributes));
      return isExact(step, results) ? results : results.map((result) => perturbed(result, next));
    });
  });
}

type Operands = Readonly<Record<string, RefTensor | readonly RefTensor[]>>;

function compute({ leaves, steps }: Program, run: (step: Step, operands: Operands) => RefTensor[]): Values {
  const values = new Map(leaves.map(({ id, tensor }) => [id, tensor]));
  for (const step of steps) {
    const results = run(step, mapOperands(step.operands, (id) => values.get(id)!));
    step.outputs.forEach((id, i) => values.set(id, results[i]!));
  }
  return values;
}

/** Whether an operator does not round, such as data movement: it has neither a tolerance nor the bounds of a sum. */
function isExact({ operator }: Step, results: readonly RefTensor[]): boolean {
  return OPERATORS[operator]!.tolerance === undefined && results.every(({ magnitudes }) => magnitudes === undefined);
}

/**
 * Adds a random error to each element, up to the rounding error of its type and of its sum. The result is not rounded,
 * because engines may compute float16 in float32 and skip the rounding between two operators.
 */
function perturbed(result: RefTensor, next: Random): RefTensor {
  const { dataType, shape, data, magnitudes, terms = 0 } = result;
  if (!isFloat(dataType)) return result;
  const unit = UNIT_ROUNDOFF[dataType];
  const elements = data.map((element, i) => {
    const value = Number(element);
    const loss = Math.abs(value) + Math.sqrt(terms) * (magnitudes?.[i] ?? 0);
    return Number.isFinite(loss) ? value + (2 * next() - 1) * unit * loss : value;
  });
  return { dataType, shape, data: elements };
}

/**
 * The operands of a quantisation, with the input moved in a direction, so that elements near a tie round to that side.
 */
function movePastTies(operands: Operands, direction: number): Operands {
  const { input, scale } = operands as { readonly input: RefTensor; readonly scale: RefTensor };
  const ones: RefTensor = { dataType: "int32", shape: input.shape, data: new Array(sizeOf(input.shape)).fill(1) };
  const zeroPoint: RefTensor = { dataType: "int32", shape: scale.shape, data: scale.data.map(() => 0) };
  const [steps] = unrounded(() => evaluate("dequantizeLinear", { input: ones, scale, zeroPoint })) as [RefTensor];
  const unit = isFloat(input.dataType) ? UNIT_ROUNDOFF[input.dataType] : 0;
  const moved = input.data.map((element, i) => {
    const [value, step] = [Number(element), Math.abs(Number(steps.data[i]))];
    return value + direction * Math.max(TIE * step, 4 * unit * Math.abs(value));
  });
  return { ...operands, input: { ...input, data: moved } };
}
