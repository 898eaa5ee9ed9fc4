/**
 * Compares a random graph with the reference.
 *
 * @module
 */

import type { MLContext } from "../../mod.ts";
import { evaluate, integerLimits, isFloat, type RefTensor } from "../reference/mod.ts";
import { difference, unitInLastPlace } from "../support/tolerance.ts";
import { propagate, type Uncertain } from "./errors.ts";
import { computedBy, type Leaf, mapOperands, type Program, resultsOf, runProgram, type Step } from "./programs.ts";

/** The number of comparisons. */
export interface GraphTally {
  graphs: number;
  operators: number;
  /** Elements of intermediate values; and those that the standard does not define, or that are near a tie. */
  elements: number;
  undefinedElements: number;
  /** Elements of the outputs of the second run; those that must be bit-identical; and those too near to a jump. */
  outputs: number;
  exactOutputs: number;
  uncertainOutputs: number;
}

/** A tally of no comparisons. */
export function newGraphTally(): GraphTally {
  return {
    graphs: 0,
    operators: 0,
    elements: 0,
    undefinedElements: 0,
    outputs: 0,
    exactOutputs: 0,
    uncertainOutputs: 0,
  };
}

/**
 * Runs a program twice: with all intermediate values as outputs, which are compared with the reference operator by
 * operator; and without them, so that the engine may fuse operators. Returns what is wrong; `undefined` if nothing is.
 */
export async function checkProgram(
  context: MLContext,
  program: Program,
  tally: GraphTally,
): Promise<string | undefined> {
  tally.graphs++;
  tally.operators += program.steps.length;
  try {
    const all = await runProgram(context, program, computedBy(program));
    const values = new Map([...program.leaves.map(({ id, tensor }) => [id, tensor] as const), ...all]);
    const checked = checkSteps(program, values, tally);
    if (typeof checked === "string") return checked;
    return checkOutputs(await runProgram(context, program, resultsOf(program)), checked, tally);
  } catch (error) {
    return describeError(error);
  }
}

function describeError(error: unknown): string {
  const cause = error instanceof Error && error.cause ? `, because of ${error.cause}` : "";
  return `${error}${cause}`;
}

/** Compares each operator with the reference. Returns all values with their possible errors, or what is wrong. */
function checkSteps(
  { leaves, steps }: Program,
  values: ReadonlyMap<number, RefTensor>,
  tally: GraphTally,
): string | Map<number, Uncertain> {
  const known = new Map<number, Uncertain>(leaves.map(({ id, tensor }: Leaf) => [id, exactly(tensor)]));
  const inputs = new Set(leaves.map(({ id }) => id));
  for (const step of steps) {
    const expected = evaluateStep(step, values);
    const errors = expected && propagate(
      step.operator,
      mapOperands(step.operands, (id) => known.get(id)!),
      step.attributes,
      expected,
    );
    const unrounded = expected && errorsOfUnrounded(step, values, inputs, expected);
    for (const [i, id] of step.outputs.entries()) {
      const output = values.get(id)!;
      const carried = unrounded?.[i];
      const open = output.data.map((_, j) =>
        expected === undefined || carried?.[j] === Infinity || isOpen(step, values, expected[i]!, output, j)
      );
      tally.elements += output.data.length;
      tally.undefinedElements += open.filter((isOpen) => isOpen).length;
      const text = expected && difference(step.operator, output, forgive(expected[i]!, output, open, carried));
      if (text) return `${step.operator} of ${typesOf(step, values)}: v${id} ${text}`;
      known.set(id, { tensor: output, errors: open.map((isOpen, j) => isOpen ? Infinity : errors![i]![j]!) });
    }
  }
  return known;
}

function exactly(tensor: RefTensor): Uncertain {
  return { tensor, errors: tensor.data.map(() => 0) };
}

/**
 * The errors of results because the real operands differ from the values that are outputs: ONNX Runtime computes
 * float16 in float32 without rounding between two operators, and it scales a matrix product instead of its factors.
 * `undefined` if there are none.
 */
function errorsOfUnrounded(
  { operator, operands, attributes }: Step,
  values: ReadonlyMap<number, RefTensor>,
  inputs: ReadonlySet<number>,
  expected: readonly RefTensor[],
): number[][] | undefined {
  const units = { float16: 0.5, float32: operator === "matmul" ? 2 : 0 };
  const unitsOf = (id: number) => {
    const { dataType } = values.get(id)!;
    return isFloat(dataType) && !inputs.has(id) ? units[dataType] : 0;
  };
  if (!Object.values(operands).flat().some((id) => unitsOf(id) > 0)) return undefined;
  const unrounded = mapOperands(operands, (id): Uncertain => {
    const tensor = values.get(id)!;
    const { dataType, data } = tensor;
    if (!isFloat(dataType) || unitsOf(id) === 0) return exactly(tensor);
    const errorOf = (x: number) => Number.isFinite(x) ? unitsOf(id) * unitInLastPlace(dataType, x) : Infinity;
    return { tensor, errors: data.map((x) => errorOf(Number(x))) };
  });
  return propagate(operator, unrounded, attributes, expected);
}

/** The reference's results for the engine's operands; `undefined` if they are not defined. */
function evaluateStep(step: Step, values: ReadonlyMap<number, RefTensor>): RefTensor[] | undefined {
  try {
    return evaluate(step.operator, mapOperands(step.operands, (id) => values.get(id)!), step.attributes);
  } catch (error) {
    // A division by an integer 0, which was cast from an uncertain float.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Whether the engine may choose an element: a cast of a float outside of the integer's range, or one of equal extremes.
 */
function isOpen(
  { operator, operands, attributes }: Step,
  values: ReadonlyMap<number, RefTensor>,
  expected: RefTensor,
  actual: RefTensor,
  i: number,
): boolean {
  const input = values.get(operands.input as number);
  if (operator === "cast" && isFloat(input!.dataType) && !isFloat(expected.dataType)) {
    const { min, max } = integerLimits(expected.dataType);
    const x = Math.trunc(Number(input!.data[i]));
    return !(x >= min && x <= max);
  }
  if ((operator === "argMin" || operator === "argMax") && expected.data[i] !== actual.data[i]) {
    return extremeAt(input!, attributes.axis as number, i, expected) ===
      extremeAt(input!, attributes.axis as number, i, actual);
  }
  return false;
}

/** The element of the input at the i-th position of argMin or argMax. */
function extremeAt({ shape, data }: RefTensor, axis: number, i: number, positions: RefTensor) {
  const inner = shape.slice(axis + 1).reduce((product, dimension) => product * dimension, 1);
  const outer = Math.floor(i / inner);
  return data[(outer * shape[axis]! + Number(positions.data[i])) * inner + i % inner];
}

/** The expected output, with the engine's elements where it may choose, or where the error is allowed. */
function forgive(
  expected: RefTensor,
  actual: RefTensor,
  open: readonly boolean[],
  errors: readonly number[] | undefined,
): RefTensor {
  const isForgiven = (i: number) =>
    open[i] || (errors && Math.abs(Number(actual.data[i]) - Number(expected.data[i])) <= errors[i]!);
  return { ...expected, data: expected.data.map((element, i) => isForgiven(i) ? actual.data[i]! : element) };
}

function typesOf({ operands }: Step, values: ReadonlyMap<number, RefTensor>): string {
  return Object.entries(operands).map(([name, ids]) =>
    `${name} ${[ids].flat().map((id) => `${values.get(id)!.dataType}[${values.get(id)!.shape}]`).join(" ")}`
  ).join(", ");
}

/** Compares the outputs of the second run with those of the first. */
function checkOutputs(
  outputs: ReadonlyMap<number, RefTensor>,
  known: ReadonlyMap<number, Uncertain>,
  tally: GraphTally,
): string | undefined {
  for (const [id, { dataType, data }] of outputs) {
    const { tensor, errors } = known.get(id)!;
    tally.outputs += data.length;
    for (const [i, error] of errors.entries()) {
      if (error === Infinity) tally.uncertainOutputs++;
      if (error === 0) tally.exactOutputs++;
      const [first, second] = [tensor.data[i]!, data[i]!];
      if (Object.is(first, second) || error === Infinity) continue;
      if (Math.abs(Number(first) - Number(second)) <= error && isFloat(dataType) && error > 0) continue;
      return `v${id}[${i}] is ${second} without intermediate outputs and ${first} with them, ${error} allowed`;
    }
  }
  return undefined;
}

/**
 * Finds steps that can be left out of a program that fails: tries to leave out each step, as long as the rest fails.
 * @returns the indices of these steps, ascending
 */
export async function shrink(
  program: Program,
  isWrong: (removed: readonly number[]) => Promise<boolean>,
): Promise<number[]> {
  let removed: number[] = [];
  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false;
    for (const i of [...program.steps.keys()].reverse()) {
      const candidate = [...removed, i].sort((a, b) => a - b);
      if (removed.includes(i) || candidate.length === program.steps.length || !await isWrong(candidate)) continue;
      removed = candidate;
      hasShrunk = true;
    }
  }
  return removed;
}

/** The program without some of its steps. The outputs of these steps become inputs with the reference's values. */
export function withoutSteps(program: Program, removed: readonly number[]): Program {
  const steps = program.steps.filter((_, i) => !removed.includes(i));
  const values = referenceValues(program);
  const added = removed.flatMap((i) => program.steps[i]!.outputs)
    .map((id) => ({ id, tensor: values.get(id)!, isConstant: false }));
  const used = new Set(steps.flatMap(({ operands }) => Object.values(operands).flat()));
  const computed = new Set(computedBy({ leaves: [], steps }));
  const outputs = program.outputs?.filter((id) => computed.has(id));
  // Values that only removed steps used become outputs.
  const ends = resultsOf({ leaves: [], steps });
  return {
    leaves: [...program.leaves, ...added].filter(({ id }) => used.has(id)),
    steps,
    ...outputs && { outputs: [...new Set([...outputs, ...ends])] },
  };
}

function referenceValues({ leaves, steps }: Program): Map<number, RefTensor> {
  const values = new Map(leaves.map(({ id, tensor }) => [id, tensor]));
  for (const { operator, operands, attributes, outputs } of steps) {
    const results = evaluate(operator, mapOperands(operands, (id) => values.get(id)!), attributes);
    outputs.forEach((id, i) => values.set(id, results[i]!));
  }
  return values;
}
