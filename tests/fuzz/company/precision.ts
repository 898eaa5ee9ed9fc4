/**
 * What a program computes in float64, and what float32 or float16 may make of it: every operator rounds its results, and
 * where it does so is for the engine to choose.
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
/** So near to a tie, in steps, quantisation may go either way. */
const TIE = 1e-4;
/** How many computations with other roundings are looked at. */
const TRIALS = 6;

/** All values of a program in float64. */
export function exactValues(program: Program): Values {
  return compute(program, (step, operands) => unrounded(() => evaluate(step.operator, operands, step.attributes)));
}

/** All values of a program, computed several times with roundings at random. */
export function roundedValues(program: Program, seed: number): Values[] {
  return Array.from({ length: TRIALS }, (_, trial) => {
    const next = random(seed * TRIALS + trial);
    const lean = trial % 2 === 0 ? 1 : -1;
    return compute(program, (step, operands) => {
      const leaning = step.operator === "quantizeLinear" ? leanOver(operands, lean) : operands;
      const results = unrounded(() => evaluate(step.operator, leaning, step.attributes));
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

/** Whether an operator only moves or compares: then it has neither a tolerance nor the bounds of a sum. */
function isExact({ operator }: Step, results: readonly RefTensor[]): boolean {
  return OPERATORS[operator]!.tolerance === undefined && results.every(({ magnitudes }) => magnitudes === undefined);
}

/**
 * Moved to either side, each element by up to what its type and its sum may lose. It is not rounded after that: engines
 * compute float16 in float32, and leave out what a cast to float16 before that would round.
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

/** The operands of a quantisation, its input moved by the width of a tie. */
function leanOver(operands: Operands, lean: number): Operands {
  const { input, scale } = operands as { readonly input: RefTensor; readonly scale: RefTensor };
  const ones: RefTensor = { dataType: "int32", shape: input.shape, data: new Array(sizeOf(input.shape)).fill(1) };
  const zeroPoint: RefTensor = { dataType: "int32", shape: scale.shape, data: scale.data.map(() => 0) };
  const [steps] = unrounded(() => evaluate("dequantizeLinear", { input: ones, scale, zeroPoint })) as [RefTensor];
  const unit = isFloat(input.dataType) ? UNIT_ROUNDOFF[input.dataType] : 0;
  const moved = input.data.map((element, i) => {
    const [value, step] = [Number(element), Math.abs(Number(steps.data[i]))];
    return value + lean * Math.max(TIE * step, 4 * unit * Math.abs(value));
  });
  return { ...operands, input: { ...input, data: moved } };
}
