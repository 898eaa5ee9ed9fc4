/**
 * Converts the scripts of the numeric web platform tests to data: `wpt/cases/OPERATOR.json`.
 *
 * The scripts are evaluated, so numbers and tolerances are exactly those of the tests. That is safe, because the caller
 * checks their checksums.
 */
import { parseCase, type RawCase, type RawOperator, type RawTensor } from "../wpt_cases/cases.ts";
import { interpretAll } from "../wpt_cases/interpret.ts";

/** A test in a script. */
interface ScriptTest {
  readonly name: string;
  readonly graph: {
    readonly inputs: Readonly<Record<string, RawTensor>>;
    readonly operators: readonly RawOperator[];
    readonly expectedOutputs: Readonly<Record<string, RawTensor>>;
  };
}

interface Tolerance {
  readonly metricType: "ULP" | "ATOL";
  readonly value: number | undefined;
}

type ToleranceFunction = (graph: ScriptTest["graph"], intermediates: Readonly<Record<string, unknown>>) => Tolerance;

/** The result of evaluating a script: its tests, and whether implementations must support a test. */
interface Collected {
  readonly calls: { readonly tests: readonly ScriptTest[]; readonly tolerance: ToleranceFunction }[];
  isRequired(test: ScriptTest): boolean;
}

/** Scripts that test several operators together; their cases have the name of the script. */
const NAMED_BY_SCRIPT = ["subgraph", "qdq_subgraph", "constant-reshape-optimization", "mlNumber"];

/** The paths of files that all scripts use. */
export const UTILITIES = "webnn/resources/utils.js";
export const MINIMUM_DATA_TYPES = "webnn/resources/minimum_datatype_set.json";

/** The cases of all scripts, by the names of their files without `.json`. `texts` has the scripts by their paths. */
export function convertScripts(texts: ReadonlyMap<string, string>): Map<string, RawCase[]> {
  const [utilities, minimumDataTypes] = [texts.get(UTILITIES)!, texts.get(MINIMUM_DATA_TYPES)!];
  const cases = new Map<string, RawCase[]>();
  for (const [path, script] of texts) {
    if (path === UTILITIES || path === MINIMUM_DATA_TYPES) continue;
    const { calls, isRequired } = evaluate(utilities, minimumDataTypes, script);
    for (const { tests, tolerance } of calls) {
      for (const test of tests) {
        const operator = operatorOf(path, test);
        const converted = convertTest(operator, test, isRequired(test), tolerance);
        cases.set(operator, [...cases.get(operator) ?? [], converted]);
      }
    }
  }
  return cases;
}

/** Evaluates a script after the utilities that it uses. */
function evaluate(utilities: string, minimumDataTypes: string, script: string): Collected {
  const calls: Collected["calls"] = [];
  const collect = (tests: readonly ScriptTest[], _build: unknown, tolerance: ToleranceFunction) =>
    void calls.push({ tests, tolerance });
  const renamed = script.replaceAll("webnn_conformance_test(", "collect(");
  const body =
    `${utilities}\n${renamed}\nreturn (limits, test) => { minimumDataTypeSet = limits; return isMinimumTest(test); };`;
  const isMinimum = new Function("collect", "location", "test", body)(collect, { search: "?cpu" });
  const limits = JSON.parse(minimumDataTypes.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, ""));
  return { calls, isRequired: (test) => isMinimum(limits, test) };
}

function operatorOf(path: string, { graph }: ScriptTest): string {
  const script = /([^/]+)\.https\.any\.js$/.exec(path)![1]!;
  const names = graph.operators.map(({ name }) => name);
  const camelCase = script.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (NAMED_BY_SCRIPT.includes(script)) return script;
  return names.includes(camelCase) ? camelCase : names[0]!;
}

function convertTest(operator: string, test: ScriptTest, required: boolean, tolerance: ToleranceFunction): RawCase {
  const { inputs, operators, expectedOutputs } = test.graph;
  const graph = {
    inputs: convertTensors(inputs),
    operators: operators.map(convertOperator),
    expectedOutputs: convertTensors(expectedOutputs),
  };
  const raw = { name: test.name, required, tolerance: { metricType: "ULP" as const, value: 0 }, graph };
  // Tolerances may depend on the shapes of intermediate results.
  const intermediates = operators.length > 1 ? Object.fromEntries(interpretAll(parseCase(operator, raw))) : {};
  const { metricType, value } = tolerance(test.graph, intermediates);
  return { ...raw, tolerance: { metricType, value: Number.isFinite(value) ? value! : 0 } };
}

function convertTensors(tensors: Readonly<Record<string, RawTensor>>): RawCase["graph"]["inputs"] {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, descriptor, constant }]) => {
      const { dataType, shape } = descriptor;
      // 64-bit integers are written with all digits; `${2 ** 63}` would print another number.
      const exact = (value: unknown) => /^u?int64$/.test(dataType) ? `${BigInt(value as number)}` : toJson(value);
      const converted = Array.isArray(data) ? data.map(exact) : exact(data);
      return [name, { data: converted, descriptor: { shape, dataType }, ...(constant && { constant }) }];
    }),
  ) as RawCase["graph"]["inputs"];
}

/** Converts an operator to one argument per object; the scripts sometimes have two in one. */
function convertOperator({ name, arguments: list, outputs }: RawOperator): RawCase["graph"]["operators"][number] {
  const single = list.flatMap((argument) =>
    Object.entries(argument).map(([key, value]) => ({ [key]: toJson(value, true) }))
  );
  return { name, arguments: single, outputs };
}

/** Converts numbers that JSON does not have: to strings in data, to objects in arguments. */
function toJson(value: unknown, isArgument = false): unknown {
  if (typeof value === "bigint") return isArgument ? { $bigint: `${value}` } : `${value}`;
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
    const text = Object.is(value, -0) ? "-0" : `${value}`;
    return isArgument ? { $number: text } : text;
  }
  if (Array.isArray(value)) return value.map((item) => toJson(item, isArgument));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toJson(member, isArgument)]));
}
