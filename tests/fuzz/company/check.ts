/**
 * Whether operators compute together what they compute alone: a program as one graph, beside each of its operators in a
 * graph of its own on the same engine, and the reference in float64.
 *
 * @module
 */

import { graphInfo, type MLContext, type MLGraph } from "../../../mod.ts";
import { isFloat, type RefTensor } from "../../reference/mod.ts";
import { unitInLastPlace } from "../../support/tolerance.ts";
import { type Program, resultsOf, runProgram, type Types } from "../programs.ts";
import { exactValues, roundedValues, type Values } from "./precision.ts";

/** What was compared. */
export interface CompanyTally {
  graphs: number;
  operators: number;
  elements: number;
  /** Graphs that were not all within some units of float64, so that their operators were run alone. */
  looked: number;
  /** Elements of those of which nothing is said: a jump or a tie is near, or the standard leaves them open. */
  openElements: number;
}

/** Nothing yet. */
export function newCompanyTally(): CompanyTally {
  return { graphs: 0, operators: 0, elements: 0, looked: 0, openElements: 0 };
}

/** Whether a context has all data types that the program's operators take and give. */
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

/** How much worse than the operators alone a graph may be. */
const TIMES = 4;
/** Units in the last place beside that. */
const UNITS = 8;

/** What is wrong with the program; `undefined` if nothing is. */
export async function checkCompany(
  context: MLContext,
  program: Program,
  seed: number,
  tally: CompanyTally,
): Promise<string | undefined> {
  tally.graphs++;
  tally.operators += program.steps.length;
  const outputs = resultsOf(program);
  let together: Values;
  try {
    together = await runProgram(context, program, outputs, checkEngine);
  } catch (error) {
    const alone = await runAlone(context, program);
    return typeof alone === "string" ? alone : `refused: ${describeError(error)}`;
  }
  const exact = exactValues(program);
  const isWithin = (others: readonly Values[]) => differenceOf(outputs, together, exact, others) === undefined;
  for (const id of outputs) tally.elements += exact.get(id)!.data.length;
  // The operators alone and other roundings allow for more, never for less: most graphs need none of them.
  if (isWithin([])) return undefined;
  tally.looked++;
  const rounded = roundedValues(program, seed);
  if (isWithin(rounded)) return undefined;
  const alone = await runAlone(context, program);
  return typeof alone === "string" ? alone : differenceOf(outputs, together, exact, [alone, ...rounded], tally);
}

/** Each operator in a graph of its own, on what the ones before it computed. */
async function runAlone(context: MLContext, { leaves, steps }: Program): Promise<Values | string> {
  const values = new Map(leaves.map(({ id, tensor }) => [id, tensor]));
  for (const step of steps) {
    const ids = new Set(Object.values(step.operands).flat());
    const inputs = [...ids].map((id) => ({ id, tensor: values.get(id)!, isConstant: false }));
    try {
      const results = await runProgram(context, { leaves: inputs, steps: [step] }, step.outputs);
      for (const [id, result] of results) values.set(id, result);
    } catch (error) {
      return `${step.operator} alone is refused: ${describeError(error)}`;
    }
  }
  return values;
}

/** An engine that was asked before and refused, and a retry elsewhere that nobody asked for, count as refusals. */
function checkEngine(graph: MLGraph): void {
  const { refusals = [] } = graphInfo(graph);
  if (refusals.length > 0) throw new Error(`${refusals[0]!.provider}: ${refusals[0]!.reason}`);
}

function describeError(error: unknown): string {
  const cause = error instanceof Error && error.cause ? `, because of ${error.cause}` : "";
  return `${error}${cause}`;
}

/** What an output is, and what float64 and others make of it. */
interface Compared {
  readonly together: RefTensor;
  readonly exact: RefTensor;
  /** Of the operators alone, and with other roundings. */
  readonly others: readonly RefTensor[];
}

/** The first element that is further from float64 than is allowed; `undefined` if there is none. */
function differenceOf(
  outputs: readonly number[],
  together: Values,
  exact: Values,
  others: readonly Values[],
  tally?: CompanyTally,
): string | undefined {
  for (const id of outputs) {
    const of = (values: Values) => values.get(id)!;
    const text = compare({ together: of(together), exact: of(exact), others: others.map(of) }, tally);
    if (text !== undefined) return `v${id}${text}`;
  }
  return undefined;
}

function compare({ together, exact, others }: Compared, tally?: CompanyTally): string | undefined {
  if (`${together.shape}` !== `${exact.shape}`) return ` has the shape [${together.shape}], not [${exact.shape}]`;
  for (const i of exact.data.keys()) {
    const [value, right] = [together.data[i]!, exact.data[i]!];
    const beside = others.map(({ data }) => data[i]!);
    const allowed = isFloat(exact.dataType)
      ? allowedError(exact.dataType, Number(right), beside.map(Number))
      : beside.every((other) => other === right)
      ? 0
      : undefined;
    if (allowed === undefined && tally) tally.openElements++;
    if (allowed !== undefined && !isNear(Number(value), Number(right), allowed)) {
      return `[${i}] is ${value} together, ${beside[0]} alone, ${right} in float64; ${allowed} allowed`;
    }
  }
  return undefined;
}

/** By how much a float may miss the exact value; `undefined` if that is uncertain or cannot be held in the type. */
function allowedError(dataType: "float32" | "float16", right: number, others: readonly number[]): number | undefined {
  const greatest = dataType === "float32" ? 3.4028234e38 : 65504;
  if (!Number.isFinite(right)) return others.every((other) => Object.is(other, right)) ? 0 : undefined;
  if (Math.abs(right) > greatest || !others.every(Number.isFinite)) return undefined;
  const errors = others.map((other) => Math.abs(other - right));
  return TIMES * Math.max(0, ...errors) + UNITS * unitInLastPlace(dataType, right);
}

function isNear(value: number, right: number, allowed: number): boolean {
  return Object.is(value, right) || Math.abs(value - right) <= allowed;
}
