/**
 * Random graphs as plain data: creates them, runs them on the engine, and prints them as source text.
 *
 * @module
 */

import { type MLContext, type MLGraph, MLGraphBuilder, type MLOperand } from "../../mod.ts";
import { isList } from "../../src/graph/graph.ts";
import { type OperatorName, operators } from "../../src/ops/operators.ts";
import type { AnyOperator } from "../../src/ops/operator.ts";
import { encode, evaluate, type RefDataType, type RefTensor, sizeOf } from "../reference/mod.ts";
import { type Random, random } from "../../support/random.ts";
import { callOperator, runGraph } from "../support/run_operator.ts";
import { ARGUMENTS } from "./arguments.ts";
import { type Arguments, createDraft, MAX_ELEMENTS, MAX_RANK, type TypesOf, type Value } from "./draft.ts";

/** An input or a constant of a graph. */
export interface Leaf {
  readonly id: number;
  readonly tensor: RefTensor;
  readonly isConstant: boolean;
}

/** One operation; operands and outputs are ids of values. */
export interface Step {
  readonly operator: OperatorName;
  readonly operands: Readonly<Record<string, number | readonly number[]>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly outputs: readonly number[];
}

/** A graph. */
export interface Program {
  readonly leaves: readonly Leaf[];
  readonly steps: readonly Step[];
  /** By default, the values that no step uses. */
  readonly outputs?: readonly number[];
}

/** The data types that each operator's operands may have on a context. */
export type Types = Readonly<Record<OperatorName, TypesOf>>;

const NAMES = Object.keys(operators) as OperatorName[];
/** Operators that engines fuse, move and cancel. Half of the operations are chosen from them. */
const FUSIBLE: readonly OperatorName[] = [
  "add",
  "averagePool2d",
  "cast",
  "clamp",
  "concat",
  "conv2d",
  "convTranspose2d",
  "dequantizeLinear",
  "div",
  "erf",
  "gemm",
  "identity",
  "layerNormalization",
  "matmul",
  "maxPool2d",
  "mul",
  "pad",
  "pow",
  "quantizeLinear",
  "reduceMean",
  "relu",
  "reshape",
  "sigmoid",
  "slice",
  "softmax",
  "split",
  "sqrt",
  "sub",
  "tanh",
  "transpose",
];
const MAX_STEPS = 30;

/** The data types in `opSupportLimits()`. */
export function typesOf(context: MLContext): Types {
  const limits = context.opSupportLimits() as unknown as Record<string, Record<string, { dataTypes: RefDataType[] }>>;
  return Object.fromEntries(NAMES.map((name) => [
    name,
    Object.fromEntries(Object.entries(limits[name]!).map(([operand, { dataTypes }]) => [operand, dataTypes])),
  ])) as unknown as Types;
}

/** A random program of 1 to 30 operations. */
export function randomProgram(seed: number, types: Types): Program {
  const next = random(seed);
  const sketch = createSketch(next, types);
  // Prefers short programs, which find as many faults as long ones and are faster.
  const length = next.integer(1, next.pick([5, 15, MAX_STEPS]));
  while (sketch.steps.length < length) sketch.add(next.pick(next() < 0.5 ? FUSIBLE : NAMES));
  return sketch;
}

/** A random program of one operation. */
export function randomCall(seed: number, types: Types, operator: OperatorName): Program {
  const sketch = createSketch(random(seed), types);
  while (sketch.steps.length === 0) sketch.add(operator);
  return sketch;
}

/** Creates an empty program, to which calls are added. */
function createSketch(next: Random, types: Types) {
  const pool: Value[] = [];
  const leaves: Leaf[] = [];
  const steps: Step[] = [];
  // Chains become longer if most new values have the same type.
  const favourite = next.pick<RefDataType>(["float32", "float32", "float16", "int32", "int64", "uint8"]);
  let count = 0;
  return { leaves, steps, add };

  /** Adds a call, unless there are no valid arguments or its results are too large. */
  function add(operator: OperatorName): void {
    const added: Leaf[] = [];
    const draft = createDraft(next, pool, types[operator], favourite, (tensor) => {
      added.push({ id: count, tensor, isConstant: next() < 0.3 });
      return { id: count++, tensor };
    });
    const call = ARGUMENTS[operator](draft);
    const results = call && outputsOf(operator, call);
    if (!results) return;
    leaves.push(...added);
    pool.push(...added.map(({ id, tensor }) => ({ id, tensor })));
    const outputs = results.map((tensor) => ({ id: count++, tensor }));
    pool.push(...outputs);
    steps.push({
      operator,
      operands: mapOperands(call.operands, ({ id }) => id),
      attributes: call.attributes ?? {},
      outputs: outputs.map(({ id }) => id),
    });
  }
}

/** The reference's results of a call; `undefined` if they are too large. */
function outputsOf(operator: OperatorName, { operands, attributes }: Arguments): RefTensor[] | undefined {
  const outputs = evaluate(operator, mapOperands(operands, ({ tensor }) => tensor), attributes);
  const isSmall = ({ shape }: RefTensor) => shape.length <= MAX_RANK && sizeOf(shape) <= MAX_ELEMENTS;
  return outputs.every(isSmall) ? outputs : undefined;
}

/** Maps the operands, which may be lists. */
export function mapOperands<From, To>(
  operands: Readonly<Record<string, From | readonly From[]>>,
  map: (operand: From) => To,
): Record<string, To | readonly To[]> {
  return Object.fromEntries(
    Object.entries(operands).map(([name, operand]) => [
      name,
      isList(operand) ? operand.map(map) : map(operand),
    ]),
  );
}

/** The ids of a program's outputs. */
export function resultsOf({ outputs, steps }: Program): readonly number[] {
  if (outputs) return outputs;
  const used = new Set(steps.flatMap(({ operands }) => Object.values(operands).flat()));
  return steps.flatMap(({ outputs }) => outputs).filter((id) => !used.has(id));
}

/** All values that a program computes. */
export function computedBy({ steps }: Program): number[] {
  return steps.flatMap(({ outputs }) => outputs);
}

/** Builds the graph of a program with these outputs, and runs it. Returns the values of the outputs by id. */
export async function runProgram(
  context: MLContext,
  { leaves, steps }: Program,
  outputs: readonly number[],
  inspect?: (graph: MLGraph) => void,
): Promise<Map<number, RefTensor>> {
  const builder = new MLGraphBuilder(context);
  const values = new Map<number, MLOperand>();
  const inputs: Record<string, RefTensor> = {};
  for (const { id, tensor, isConstant } of leaves) {
    const { dataType, shape, data } = tensor;
    const descriptor = { dataType, shape };
    if (isConstant) values.set(id, builder.constant(descriptor, encode(dataType, data)));
    else values.set(id, builder.input(`v${id}`, descriptor));
  }
  for (const { operator, operands, attributes, outputs } of steps) {
    const results = callOperator(builder, operator, mapOperands(operands, (id) => values.get(id)!), attributes);
    outputs.forEach((id, i) => values.set(id, results[i]!));
  }
  // A graph has only the inputs that its outputs depend on.
  const needed = neededBy({ leaves, steps }, outputs);
  for (const { id, tensor, isConstant } of leaves) {
    if (!isConstant && needed.has(id)) inputs[`v${id}`] = tensor;
  }
  const results = await runGraph(context, builder, inputs, outputs.map((id) => values.get(id)!), inspect);
  return new Map(outputs.map((id, i) => [id, results[i]!]));
}

/** These values, and all values that they depend on. */
function neededBy({ steps }: Program, ids: readonly number[]): Set<number> {
  const needed = new Set(ids);
  for (const { operands, outputs } of steps.toReversed()) {
    if (!outputs.some((id) => needed.has(id))) continue;
    for (const id of Object.values(operands).flat()) needed.add(id);
  }
  return needed;
}

/** The source text of a program that builds and runs the same graph. */
export function sourceOf(program: Program): string {
  const { leaves, steps } = program;
  const inputs = leaves.filter(({ isConstant }) => !isConstant);
  const results = resultsOf(program);
  const names = results.map((id) => `v${id}`).join(", ");
  return [
    'import { createContext, MLGraphBuilder } from "@webnn/deno";',
    'const context = await createContext({ device: "cpu", threads: 1 });',
    "const builder = new MLGraphBuilder(context);",
    ...leaves.map(leafSource),
    ...steps.map(stepSource),
    `const graph = await builder.build({ ${names} });`,
    "const inputs = {};",
    ...inputs.flatMap(({ id, tensor }) => [
      `inputs.v${id} = await context.createTensor({ ...${descriptorSource(tensor)}, writable: true });`,
      `context.writeTensor(inputs.v${id}, ${arraySource(tensor)});`,
    ]),
    "const outputs = {};",
    `for (const [name, { dataType, shape }] of Object.entries({ ${names} })) {`,
    "  outputs[name] = await context.createTensor({ dataType, shape, readable: true });",
    "}",
    "context.dispatch(graph, inputs, outputs);",
    "for (const [name, tensor] of Object.entries(outputs)) {",
    "  console.log(name, tensor.dataType, tensor.shape, await context.readTensor(tensor));",
    "}",
  ].join("\n");
}

/** The statement that creates an input or a constant. */
export function leafSource({ id, tensor, isConstant }: Leaf): string {
  return isConstant
    ? `const v${id} = builder.constant(${descriptorSource(tensor)}, ${arraySource(tensor)});`
    : `const v${id} = builder.input("v${id}", ${descriptorSource(tensor)});`;
}

/** The arguments of a step's call as source text: the positional ones, and the members of the options. */
export function argumentsOf({ operator, operands, attributes }: Step) {
  const row: AnyOperator = operators[operator];
  const isOptional = (name: string) => row.operands[name]?.kind === "optional";
  const operandSource = (name: string) => {
    const ids = operands[name];
    return typeof ids === "number" ? `v${ids}` : `[${ids!.map((id) => `v${id}`).join(", ")}]`;
  };
  const parameters = Object.keys(row.parameters);
  const args = [
    ...Object.keys(row.operands).filter((name) => !isOptional(name)).map(operandSource),
    ...parameters.map((name) => valueSource(attributes[name])),
  ];
  const options: Record<string, string> = Object.fromEntries([
    ...Object.keys(operands).filter(isOptional).map((name) => [name, operandSource(name)]),
    ...Object.entries(attributes).filter(([name]) => !parameters.includes(name))
      .map(([name, value]) => [name, valueSource(value)]),
  ]);
  return { args, options };
}

/** The operators that return a list of operands. */
const LISTS: ReadonlySet<OperatorName> = new Set(["gru", "lstm", "lstmCell", "split"]);

function stepSource(step: Step): string {
  const { args, options } = argumentsOf(step);
  const members = Object.entries(options).map(([name, value]) => `${name}: ${value}`);
  if (members.length > 0) args.push(`{ ${members.join(", ")} }`);
  const outputs = step.outputs.map((id) => `v${id}`).join(", ");
  const target = LISTS.has(step.operator) ? `[${outputs}]` : outputs;
  return `const ${target} = builder.${step.operator}(${args.join(", ")});`;
}

function descriptorSource({ dataType, shape }: RefTensor): string {
  return `{ dataType: "${dataType}", shape: [${shape.join(", ")}] }`;
}

function arraySource({ dataType, data }: RefTensor): string {
  const array = encode(dataType, data) as ArrayBufferView & Iterable<number | bigint>;
  return `${array.constructor.name}.of(${[...array].map(valueSource).join(", ")})`;
}

function valueSource(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(valueSource).join(", ")}]`;
  return Object.is(value, -0) ? "-0" : typeof value === "string" ? JSON.stringify(value) : String(value);
}
