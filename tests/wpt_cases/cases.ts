/**
 * The numeric conformance cases of WPT as data: their files read into plain objects. The format is described beside the
 * cases, in `wpt/cases/README.md` of the test data.
 *
 * @module
 */

import { type Element, type RefDataType, sizeOf } from "../reference/mod.ts";

/** An input, constant or expected output of a case. */
export interface CaseTensor {
  readonly dataType: RefDataType;
  readonly shape: readonly number[];
  /** Whether it is built with `builder.constant`. */
  readonly constant: boolean;
  /** All elements; only one where `fill` is set. */
  readonly data: readonly Element[];
  /** Whether the one element stands for all of them. */
  readonly fill: boolean;
}

/** One call of a builder method. Strings may name operands: see {@linkcode resolveOperands}. */
export interface CaseOperator {
  readonly name: string;
  /** Positional arguments, without the options. */
  readonly arguments: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>> | undefined;
  readonly outputs: readonly string[];
}

/** How far an actual element may lie from the expected one. */
export interface Tolerance {
  readonly metricType: "ULP" | "ATOL";
  readonly value: number;
}

/** One conformance case: a graph, its inputs and what must come out. */
export interface WptCase {
  /** The operator that the case is filed under; of several, a name such as `subgraph`. */
  readonly operator: string;
  readonly name: string;
  /** Whether WPT runs it whatever `opSupportLimits()` says. */
  readonly required: boolean;
  readonly tolerance: Tolerance;
  readonly inputs: Readonly<Record<string, CaseTensor>>;
  readonly operators: readonly CaseOperator[];
  readonly expectedOutputs: Readonly<Record<string, CaseTensor>>;
}

interface RawTensor {
  readonly data: unknown;
  readonly descriptor: { readonly dataType: RefDataType; readonly shape: readonly number[] };
  readonly constant?: boolean;
}

interface RawOperator {
  readonly name: string;
  readonly arguments: readonly Readonly<Record<string, unknown>>[];
  readonly outputs: string | readonly string[];
}

interface RawCase {
  readonly name: string;
  readonly required: boolean;
  readonly tolerance: Tolerance;
  readonly graph: {
    readonly inputs: Readonly<Record<string, RawTensor>>;
    readonly operators: readonly RawOperator[];
    readonly expectedOutputs: Readonly<Record<string, RawTensor>>;
  };
}

/** All cases in a folder, in the order of file names; of one operator if `operator` is given. */
export async function loadCases(folder: string, operator?: string): Promise<WptCase[]> {
  const files = (await Array.fromAsync(Deno.readDir(folder)))
    .map((entry) => entry.name)
    .filter((name) => name.endsWith(".json") && name !== "INDEX.json")
    .filter((name) => operator === undefined || name === `${operator}.json`)
    .sort();
  const read = async (file: string) => {
    const { op, cases } = JSON.parse(await Deno.readTextFile(`${folder}/${file}`)) as { op: string; cases: RawCase[] };
    return cases.map((raw) => parseCase(op, raw));
  };
  return (await Promise.all(files.map(read))).flat();
}

function parseCase(operator: string, { name, required, tolerance, graph }: RawCase): WptCase {
  const tensors = (raw: Readonly<Record<string, RawTensor>>) =>
    Object.fromEntries(Object.entries(raw).map(([name, tensor]) => [name, parseTensor(tensor)]));
  return {
    operator,
    name,
    required,
    tolerance,
    inputs: tensors(graph.inputs),
    operators: graph.operators.map(parseOperator),
    expectedOutputs: tensors(graph.expectedOutputs),
  };
}

function parseTensor({ data, descriptor: { dataType, shape }, constant = false }: RawTensor): CaseTensor {
  const fill = !Array.isArray(data) && sizeOf(shape) > 1;
  const elements: unknown[] = Array.isArray(data) ? data : [data];
  return { dataType, shape, constant, fill, data: elements.map((element) => parseElement(dataType, element)) };
}

function parseElement(dataType: RefDataType, element: unknown): Element {
  return dataType === "int64" || dataType === "uint64" ? BigInt(String(element)) : Number(element);
}

function parseOperator({ name, arguments: list, outputs }: RawOperator): CaseOperator {
  const named = list.map((argument) => Object.entries(argument)[0]!);
  const options = named.find(([name]) => name === "options")?.[1];
  return {
    name,
    arguments: named.filter(([name]) => name !== "options").map(([, value]) => reviveNumbers(value)),
    options: options === undefined ? undefined : reviveNumbers(options) as Record<string, unknown>,
    outputs: typeof outputs === "string" ? [outputs] : outputs,
  };
}

/** Undo the spelling of what JSON cannot hold: `{"$bigint": "5"}` and `{"$number": "NaN"}`. */
function reviveNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reviveNumbers);
  if (typeof value !== "object" || value === null) return value;
  if ("$bigint" in value) return BigInt(String(value.$bigint));
  if ("$number" in value) return Number(value.$number);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, reviveNumbers(member)]));
}

/** An argument with every name of an operand, alone or in a list, replaced by that operand. */
export function resolveOperands<T>(value: unknown, operands: ReadonlyMap<string, T>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveOperands(item, operands));
  return typeof value === "string" && operands.has(value) ? operands.get(value) : value;
}

/** The options with every name of an operand replaced by that operand. */
export function resolveOptions<T>(
  options: Readonly<Record<string, unknown>>,
  operands: ReadonlyMap<string, T>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, resolveOperands(value, operands)]));
}
