/**
 * Checks that a graph of several operators has the same results as the operators one by one. A program runs as one
 * graph, and each of its operators also in a graph of its own on the same engine. Both are compared with a float64
 * reference.
 *
 * @module
 */

import { graphInfo, type MLContext, type MLGraph } from "../../../mod.ts";
import { isFloat, type RefTensor } from "../../reference/mod.ts";
import { unitInLastPlace } from "../../support/tolerance.ts";
import { type Program, resultsOf, runProgram, type Types } from "../programs.ts";
import { exactValues, roundedValues, type Values } from "./precision.ts";

/** The number of comparisons. */
export interface CombinationTally {
  graphs: number;
  operators: number;
  elements: number;
  /** Graphs that differed from float64 by more than some units, so they were checked in more detail. */
  inspected: number;
  /** Elements that were skipped: they are near a jump or a tie, or the standard does not define them. */
  skippedElements: number;
}

/** A tally of no comparisons. */
export function newCombinationTally(): CombinationTally {
  return { graphs: 0, operators: 0, elements: 0, inspected: 0, skippedElements: 0 };
}

/** Whether a context supports the data types of all operands and results of a program. */
export function isSupported(context: MLContext, types: Types, program: Program): boolean {
  const values = exactValues(program);
  const { input: { dataTypes } } = context.opSupportLimits();
  const all: readonly string[] = dataTypes;
  return program.steps.every(({ operator, operands, outputs }) =>
    outputs.every((id) => all.includes(values.get(id)!.dataType)) &&
    Object.entries(operands).every(([name, ids]) =>
      [ids].flat().every((id) => types[operator][name]!.includes(values.get(id)!.dataType))
    )
  );
}

/** The error of a graph may be this many times that of the operators alone, … */
const MAX_RATIO = 4;
/** … plus this many units in the last place. */
const UNITS = 8;

/** What is wrong with the results of the program; `undefined` if nothing is. */
export async function checkCombination(
  context: MLContext,
  program: Program,
  seed: number,
  tally: CombinationTally,
): Promise<string | undefined> {
  tally.graphs++;
  tally.operators += program.steps.length;
  const outputs = resultsOf(program);
  let together: Values;
  try {
    together = await runProgram(context, program, outputs, checkEngine);
  } catch (error) {
    const alone = await runAlone(context, program);
    return typeof alone === "string" ? alone : `rejected: ${describeError(error)}`;
  }
  const exact = exactValues(program);
  const isWithin = (others: readonly Values[]) => differenceOf(outputs, together, exact, others) === undefined;
  for (const id of outputs) tally.elements += exact.get(id)!.data.length;
  // Running the operators alone, and other roundings, only make the check more tolerant. Most graphs pass without them.
  if (isWithin([])) return undefined;
  tally.inspected++;
  const rounded = roundedValues(program, seed);
  if (isWithin(rounded)) return undefined;
  const alone = await runAlone(context, program);
  return typeof alone === "string" ? alone : differenceOf(outputs, together, exact, [alone, ...rounded], tally);
}

/** Runs each operator in a graph of its own, on the results of the operators before it. */
async function runAlone(context: MLContext, { leaves, steps }: Program): Promise<Values | string> {
  const values = new Map(leaves.map(({ id, tensor }) => [id, tensor]));
  for (const step of steps) {
    const ids = new Set(Object.values(step.operands).flat());
    const inputs = [...ids].map((id) => ({ id, tensor: values.get(id)!, isConstant: false }));
    try {
      const results = await runProgram(context, { leaves: inputs, steps: [step] }, step.outputs);
      for (const [id, result] of results) values.set(id, result);
    } catch (error) {
      return `${step.operator} alone is rejected: ${describeError(error)}`;
    }
  }
  return values;
}

/** Throws if an engine refused the graph, even if another one has built it. */
function checkEngine(graph: MLGraph): void {
  const { refusals = [] } = graphInfo(graph);
  if (refusals.length > 0) throw new Error(`${refusals[0]!.provider}: ${refusals[0]!.reason}`);
}

function describeError(error: unknown): string {
  const cause = error instanceof Error && error.cause ? `, because of ${error.cause}` : "";
  return `${error}${cause}`;
}

/** An output, with the float64 result and those of other computations. */
interface Compared {
  readonly together: RefTensor;
  readonly exact: RefTensor;
  /** The results of the operators alone, and with other roundings. */
  readonly others: readonly RefTensor[];
}

/** Describes the first element whose difference from float64 is too large; `undefined` if there is none. */
function differenceOf(
  outputs: readonly number[],
  together: Values,
  exact: Values,
  others: readonly Values[],
  tally?: CombinationTally,
): string | undefined {
  for (const id of outputs) {
    const of = (values: Values) => values.get(id)!;
    const text = compare({ together: of(together), exact: of(exact), others: others.map(of) }, tally);
    if (text !== undefined) return `v${id}${text}`;
  }
  return undefined;
}

function compare({ together, exact, others }: Compared, tally?: CombinationTally): string | undefined {
  if (`${together.shape}` !== `${exact.shape}`) return ` has the shape [${together.shape}], not [${exact.shape}]`;
  for (const i of exact.data.keys()) {
    const [value, right] = [together.data[i]!, exact.data[i]!];
    const otherValues = others.map(({ data }) => data[i]!);
    const allowed = isFloat(exact.dataType)
      ? allowedError(exact.dataType, Number(right), otherValues.map(Number))
      : otherValues.every((other) => other === right)
      ? 0
      : undefined;
    if (allowed === undefined && tally) tally.skippedElements++;
    if (allowed !== undefined && !isNear(Number(value), Number(right), allowed)) {
      return `[${i}] is ${value} together, ${otherValues[0]} alone, ${right} in float64; ${allowed} allowed`;
    }
  }
  return undefined;
}

/** The allowed error of a float; `undefined` if the exact value is uncertain or exceeds the range of the type. */
function allowedError(dataType: "float32" | "float16", right: number, others: readonly number[]): number | undefined {
  const max = dataType === "float32" ? 3.4028234e38 : 65504;
  if (!Number.isFinite(right)) return others.every((other) => Object.is(other, right)) ? 0 : undefined;
  if (Math.abs(right) > max || !others.every(Number.isFinite)) return undefined;
  const errors = others.map((other) => Math.abs(other - right));
  return MAX_RATIO * Math.max(0, ...errors) + UNITS * unitInLastPlace(dataType, right);
}

function isNear(value: number, right: number, allowed: number): boolean {
  return Object.is(value, right) || Math.abs(value - right) <= allowed;
}
