/**
 * WPT's numeric conformance cases as data, read from their files. `wpt/cases/README.md` of the test data describes the
 * format.
 *
 * @module
 */

import { type Element, type RefDataType, sizeOf } from "../reference/mod.ts";

/** An input, constant or expected output of a case. */
export interface CaseTensor {
  readonly dataType: RefDataType;
  readonly shape: readonly number[];
  /** Whether it is created with `builder.constant`. */
  readonly constant: boolean;
  /** All elements; one element if `fill` is set. */
  readonly data: readonly Element[];
  /** Whether the one element fills the whole tensor. */
  readonly fill: boolean;
}

/** A call of a builder method. Strings may be names of operands: see {@linkcode resolveOperands}. */
export interface CaseOperator {
  readonly name: string;
  /** The positional arguments, without options. */
  readonly arguments: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>> | undefined;
  readonly outputs: readonly string[];
}

/** How much an element may differ from the expected one. */
export interface Tolerance {
  readonly metricType: "ULP" | "ATOL";
  readonly value: number;
}

/** A conformance case: a graph, its inputs and the expected outputs. */
export interface WptCase {
  /** The operator of the case's file; a name such as `subgraph` for several operators. */
  readonly operator: string;
  readonly name: string;
  /** Whether WPT runs it regardless of `opSupportLimits()`. */
  readonly required: boolean;
  readonly tolerance: Tolerance;
  readonly inputs: Readonly<Record<string, CaseTensor>>;
  readonly operators: readonly CaseOperator[];
  readonly expectedOutputs: Readonly<Record<string, CaseTensor>>;
}

/** A tensor in the format of WPT's scripts. */
export interface RawTensor {
  readonly data: unknown;
  readonly descriptor: { readonly dataType: RefDataType; readonly shape: readonly number[] };
  readonly constant?: boolean;
}

/** A call of an operator in the format of WPT's scripts. */
export interface RawOperator {
  readonly name: string;
  readonly arguments: readonly Readonly<Record<string, unknown>>[];
  readonly outputs: string | readonly string[];
}

/** A case in the format of the file. */
export interface RawCase {
  readonly name: string;
  readonly required: boolean;
  readonly tolerance: Tolerance;
  readonly graph: {
    readonly inputs: Readonly<Record<string, RawTensor>>;
    readonly operators: readonly RawOperator[];
    readonly expectedOutputs: Readonly<Record<string, RawTensor>>;
  };
}

/** All cases in a folder, in the order of file names; with `operator`, only those of that operator. */
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

/** Reads a case of an operator's file. */
export function parseCase(operator: string, { name, required, tolerance, graph }: RawCase): WptCase {
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

/** Decodes numbers that JSON does not have: `{"$bigint": "5"}` and `{"$number": "NaN"}`. */
function reviveNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reviveNumbers);
  if (typeof value !== "object" || value === null) return value;
  if ("$bigint" in value) return BigInt(String(value.$bigint));
  if ("$number" in value) return Number(value.$number);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, reviveNumbers(member)]));
}

/** Replaces names of operands in an argument, single or in a list, by the operands. */
export function resolveOperands<T>(value: unknown, operands: ReadonlyMap<string, T>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveOperands(item, operands));
  return typeof value === "string" && operands.has(value) ? operands.get(value) : value;
}

/** Replaces names of operands in options by the operands. */
export function resolveOptions<T>(
  options: Readonly<Record<string, unknown>>,
  operands: ReadonlyMap<string, T>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, resolveOperands(value, operands)]));
}
