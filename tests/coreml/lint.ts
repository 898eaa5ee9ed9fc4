/**
 * Checks an ML Program against coremltools' description of every operation (mil_schema.json): names, order, parameters
 * and their types, and the types of results if they are simple to infer. It needs no Python, so it runs in every test.
 * `deno task verify:coremltools` runs coremltools itself, which infers all shapes.
 *
 * @module
 */
import type { MilConstant, MilOperation, MilProgram, MilTensorType, MilValue } from "../../src/backends/coreml/mil.ts";
import { resultsOf } from "./lint_results.ts";
import schema from "./mil_schema.json" with { type: "json" };

/** coremltools' description of a parameter; see make_schema.py. */
interface Parameter {
  readonly types?: readonly string[];
  readonly domain?: string;
  readonly const?: boolean;
  readonly omittable?: boolean;
  readonly variadic?: boolean;
}

type Opset = "CoreML7" | "CoreML8";
type Parameters = Readonly<Record<string, Parameter>>;

const operations = schema.operations as Readonly<Record<string, Readonly<Partial<Record<Opset, Parameters>>>>>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MAX_RANK = 5;
const FEATURES = ["fp32", "fp16", "int32"];
const BITS = { fp32: 32, fp16: 16, int32: 32, int8: 8, uint8: 8, int4: 4, uint4: 4, bool: 8, string: 0 };

/** The problems of a program, one message each; empty if there are none. */
export function lint(program: MilProgram): string[] {
  const opset: Opset = program.specificationVersion === 8 ? "CoreML7" : "CoreML8";
  const problems: string[] = [];
  const values = new Map<string, MilValue>();
  const constants = new Set<string>();
  const results = new Set<string>();
  const define = (value: MilValue, where: string) => {
    if (values.has(value.name)) problems.push(`${where}: ${value.name} is defined twice`);
    values.set(value.name, value);
    problems.push(...lintType(value, where));
  };
  for (const input of program.inputs) {
    define(input, "input");
    problems.push(...lintFeature("input", input));
  }
  for (const constant of program.constants) {
    define(constant, "const");
    constants.add(constant.name);
    problems.push(...lintConstant(constant.name, constant, opset));
  }
  problems.push(...repeated([...program.constants, ...program.operations].map(({ name }) => name)));
  for (const operation of program.operations) {
    problems.push(...lintUses(operation, values), ...lintOperation(operation, opset, constants));
    for (const output of operation.outputs) {
      define(output, where(operation));
      (operation.type.startsWith("constexpr_") ? constants : results).add(output.name);
    }
  }
  for (const output of program.outputs) {
    problems.push(...lintFeature("output", output));
    if (!results.has(output.name)) problems.push(`output ${output.name}: no operation computes it`);
    else problems.push(...lintUse(output, values, "output"));
  }
  problems.push(...repeated(program.outputs.map(({ name }) => name)));
  if (program.inputs.length === 0 || program.outputs.length === 0) {
    problems.push("a model must have inputs and outputs");
  }
  return problems;
}

function lintOperation(operation: MilOperation, opset: Opset, constants: ReadonlySet<string>): string[] {
  const at = where(operation);
  if (!NAME.test(operation.name)) return [`${at}: a name must consist of letters, digits and _`];
  const parameters = parametersOf(operation.type, opset);
  if (typeof parameters === "string") return [`${at}: ${parameters}`];
  const given = { ...operation.inputs, ...operation.attributes };
  const problems = Object.entries(parameters)
    .filter(([name, { omittable }]) => given[name] === undefined && omittable !== true)
    .map(([name]) => `${at}: ${name} is missing`);
  for (const [name, value] of Object.entries(given)) {
    const parameter = parameters[name];
    if (parameter === undefined) problems.push(`${at}: there is no parameter ${name}`);
    else problems.push(...lintParameter(parameter, [value].flat(), `${at}: ${name}`, constants, operation));
  }
  problems.push(...lintDomains(given, parameters, at), ...lintAttributes(operation, opset));
  return problems.length > 0 ? problems : lintResults(operation);
}

/** The parameters of an operation, or why the opset does not have it. */
function parametersOf(type: string, opset: Opset): Parameters | string {
  const versions = operations[type];
  if (versions === undefined) return "there is no such operation";
  const parameters = (opset === "CoreML8" ? versions.CoreML8 : undefined) ?? versions.CoreML7;
  return parameters ?? "the operation needs CoreML8, specification version 9";
}

function lintParameter(
  parameter: Parameter,
  values: readonly MilValue[],
  at: string,
  constants: ReadonlySet<string>,
  { attributes = {} }: MilOperation,
): string[] {
  const problems: string[] = [];
  if (values.length !== 1 && parameter.variadic !== true) problems.push(`${at} takes one value, not ${values.length}`);
  if (values.length === 0) problems.push(`${at} takes at least one value`);
  const types = new Set(values.map(({ dataType }) => dataType));
  if (types.size > 1) problems.push(`${at} mixes ${[...types].join(" and ")}`);
  for (const { name, dataType } of values) {
    const isConstant = constants.has(name) || Object.values(attributes).some((attribute) => attribute.name === name);
    if (parameter.const === true && !isConstant) problems.push(`${at} must be a constant, ${name} is not`);
    if (parameter.types !== undefined && !parameter.types.includes(dataType)) {
      problems.push(`${at} cannot be ${dataType}, only ${parameter.types.join(", ")}`);
    }
  }
  return problems;
}

/** Parameters of the same domain must have the same type. */
function lintDomains(given: MilOperation["inputs"], parameters: Parameters, at: string): string[] {
  const first = new Map<string, readonly [name: string, dataType: string]>();
  const problems: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const domain = parameters[name]?.domain;
    const dataType = [value].flat()[0]?.dataType;
    if (domain === undefined || dataType === undefined) continue;
    const [other, expected] = first.get(domain) ?? [name, dataType];
    if (dataType !== expected) problems.push(`${at}: ${name} is ${dataType}, but ${other} is ${expected}`);
    first.set(domain, [other, expected]);
  }
  return problems;
}

/** Only `constexpr_` operations have attributes, and all their parameters are attributes. */
function lintAttributes({ type, name, inputs, attributes = {} }: MilOperation, opset: Opset): string[] {
  const isConstexpr = type.startsWith("constexpr_");
  const misplaced = Object.keys(isConstexpr ? inputs : attributes);
  const what = isConstexpr ? "must be an attribute" : "cannot be an attribute";
  return [
    ...misplaced.map((key) => `${type} ${name}: ${key} ${what}`),
    ...Object.entries(attributes).flatMap(([key, value]) => lintConstant(`${type} ${name}: ${key}`, value, opset)),
  ];
}

function lintResults(operation: MilOperation): string[] {
  const expected = resultsOf(operation);
  if (expected === undefined) return operation.outputs.length > 0 ? [] : [`${where(operation)}: it has no output`];
  if (typeof expected === "string") return [`${where(operation)}: ${expected}`];
  const declared = operation.outputs.map(format).join(", ");
  const inferred = expected.map(format).join(", ");
  return declared === inferred ? [] : [`${where(operation)}: its results are ${inferred}, not ${declared}`];
}

function lintUses(operation: MilOperation, values: ReadonlyMap<string, MilValue>): string[] {
  return Object.entries(operation.inputs).flatMap(([name, input]) =>
    [input].flat().flatMap((value) => lintUse(value, values, `${where(operation)}: ${name}`))
  );
}

function lintUse(value: MilValue, values: ReadonlyMap<string, MilValue>, at: string): string[] {
  const defined = values.get(value.name);
  if (defined === undefined) return [`${at}: ${value.name} is used before it is defined`];
  return format(defined) === format(value) ? [] : [`${at}: ${value.name} is ${format(defined)}, not ${format(value)}`];
}

function lintType({ name, dataType, shape }: MilValue, at: string): string[] {
  const problems: string[] = [];
  if (!NAME.test(name)) problems.push(`${at}: the name "${name}" must consist of letters, digits and _`);
  if (shape.length > MAX_RANK) problems.push(`${at}: ${name} has rank ${shape.length}, more than ${MAX_RANK}`);
  if (!shape.every((dimension) => Number.isInteger(dimension) && dimension > 0)) {
    problems.push(`${at}: ${name} has a dimension that is not positive: [${shape}]`);
  }
  if (dataType === "string" && shape.length > 0) problems.push(`${at}: ${name} is a list of strings`);
  return problems;
}

function lintFeature(kind: string, { name, dataType, shape }: MilValue): string[] {
  if (!FEATURES.includes(dataType)) {
    return [`${kind} ${name}: a feature cannot be ${dataType}, only ${FEATURES.join(", ")}`];
  }
  return shape.length === 0 ? [`${kind} ${name}: a feature must have at least one dimension`] : [];
}

function lintConstant(at: string, { dataType, shape, data }: MilConstant, opset: Opset): string[] {
  if (dataType.endsWith("int4") && opset === "CoreML7") return [`${at}: ${dataType} needs CoreML8`];
  if ((dataType === "string") !== (typeof data === "string")) return [`${at}: the data are not of type ${dataType}`];
  if (typeof data === "string") return [];
  const expected = Math.ceil(shape.reduce((count, dimension) => count * dimension, 1) * BITS[dataType] / 8);
  if (data.length !== expected) return [`${at}: ${data.length} bytes for ${format({ dataType, shape })}`];
  return dataType === "bool" && data.some((byte) => byte > 1) ? [`${at}: a bool must be 0 or 1`] : [];
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.has(name) || !seen.add(name)).map((name) => `the name ${name} is used twice`);
}

function format({ dataType, shape }: MilTensorType): string {
  return `${dataType}[${shape}]`;
}

function where({ type, name }: MilOperation): string {
  return `${type} ${name}`;
}
