/**
 * The algorithms of MLGraphBuilder: convert arguments, add nodes, build the graph. Step numbers are those of the
 * standard; WebIDL's conversions come before step 1.
 *
 * @module
 */

import type { Block, FileRange } from "../backends/backend.ts";
import { invalidStateError, messageOf, unknownError } from "../errors.ts";
import { type Constant, type Graph, isList, type NamedValue, reachable, type Value } from "../graph/graph.ts";
import { applyOperator, methodMessage } from "../ops/apply.ts";
import { castNumber, castProblem, scalarBytes } from "../ops/ml_number.ts";
import type { AnyOperator } from "../ops/operator.ts";
import type { OperatorName } from "../ops/operators.ts";
import { dataType as dataTypeConverter } from "../ops/parameters.ts";
import type { Descriptor } from "../shape.ts";
import type { TimelineBlock } from "../timeline/timeline.ts";
import { allowSharedBufferSource, bytesForDescriptor } from "../webidl/buffers.ts";
import {
  type AnyMember,
  type Converter,
  dictionary,
  isObject,
  type Members,
  mlNumber,
  type NamedValues,
  optional,
  record,
  requireArguments,
  sequence,
  usvString,
  withDefault,
} from "../webidl/converters.ts";
import { operandDescriptor } from "./descriptors.ts";
import { checkDescriptor, checkNotLost, limitsOf, type MLContext } from "./ml_context.ts";
import { MLGraph } from "./ml_graph.ts";
import { MLOperand } from "./ml_operand.ts";
import {
  builderSlot,
  type BuilderState,
  contextSlot,
  graphSlot,
  isDestroyed,
  operandSlot,
  type OperandState,
  tensorSlot,
  type TensorState,
} from "./state.ts";

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-constructor */
export function createBuilderState(context: unknown): BuilderState {
  const state = contextSlot.convert(context, "MLGraphBuilder: context");
  // Step 1 checks whether a document may use the API; here, there is no document.
  // Step 2.
  checkNotLost(state, "MLGraphBuilder");
  // Steps 3 and 4.
  return { context: state, inputs: [], constants: [], nodes: [], nextId: 0, hasBuilt: false };
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-input */
export function createInput(builder: object, count: number, name: unknown, descriptor: unknown): MLOperand {
  const state = builderSlot.get(builder);
  const where = "MLGraphBuilder.input";
  requireArguments(count, 2, where);
  const inputName = usvString(name, `${where}: name`);
  const converted = operandDescriptor(descriptor, `${where}: descriptor`);
  // Step 1.
  checkCanBuild(state, where);
  // Step 2.
  if (inputName === "") throw new TypeError(`${where}: name must not be empty`);
  // Step 3 rejects a name that is already used. `build` does this, as WPT creates several inputs with the same name.
  // Step 4.
  checkDescriptor(state.context, converted, `${where}: descriptor`);
  // Step 5.
  const value = newValue(state, converted);
  state.inputs.push({ name: inputName, value });
  return createOperand(state, value, "input");
}

/**
 * The three overloads of `constant`: `(descriptor, buffer)`, `(dataType, value)` and `(tensor)`.
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-constant
 */
export function createConstant(builder: object, args: readonly unknown[]): MLOperand {
  const state = builderSlot.get(builder);
  const where = "MLGraphBuilder.constant";
  requireArguments(args.length, 1, where);
  const [first, second] = args;
  if (args.length === 1) return constantFromTensor(state, tensorSlot.convert(first, `${where}: tensor`), where);
  // WebIDL's overload resolution: an object, null or undefined is the dictionary; anything else is the string.
  return isObject(first) || first === null || first === undefined
    ? constantFromBuffer(state, first, second, where)
    : constantFromNumber(state, first, second, where);
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-constant-buffer */
function constantFromBuffer(state: BuilderState, first: unknown, second: unknown, where: string): MLOperand {
  const descriptor = operandDescriptor(first, `${where}: descriptor`);
  const buffer = allowSharedBufferSource(second, `${where}: buffer`);
  // Step 1.
  checkCanBuild(state, where);
  // Step 2.
  checkDescriptor(state.context, descriptor, `${where}: descriptor`);
  // Steps 3 and 4.
  return addConstant(state, descriptor, bytesForDescriptor(buffer, descriptor, `${where}: buffer`));
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-constant-datatype-value */
function constantFromNumber(state: BuilderState, first: unknown, second: unknown, where: string): MLOperand {
  const dataType = dataTypeConverter(first, `${where}: dataType`);
  const value = mlNumber(second, `${where}: value`);
  // Step 1.
  checkCanBuild(state, where);
  // Step 2. WPT: a BigInt is for 64-bit integers only.
  const problem = castProblem(value, dataType);
  if (problem) throw new TypeError(`${where}: value ${problem}`);
  // Steps 3 and 4.
  const descriptor = { dataType, shape: [] };
  checkDescriptor(state.context, descriptor, `${where}: dataType`);
  return addConstant(state, descriptor, scalarBytes(castNumber(value, dataType), dataType));
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-constant-tensor */
function constantFromTensor(state: BuilderState, tensor: TensorState, where: string): MLOperand {
  // Step 1.
  if (tensor.context !== state.context) throw new TypeError(`${where}: the tensor belongs to another context`);
  // Step 2.
  if (isDestroyed(tensor)) throw new TypeError(`${where}: the tensor is destroyed`);
  // Step 3.
  if (tensor.kind !== "constant") {
    throw new TypeError(`${where}: the tensor was not created by createConstantTensor()`);
  }
  // Step 4.
  checkCanBuild(state, where);
  // Step 5.
  const value = newValue(state, tensor.descriptor);
  state.constants.push({ value, block: tensor.storage, tensor });
  return createOperand(state, value, "constant");
}

/**
 * Like `constant(descriptor, buffer)`, for the right number of bytes, which may be in a file. Then another thread may
 * read them after {@linkcode startReading}, which must be done before the graph is built. Not in the standard.
 */
export function readConstant(
  builder: object,
  descriptor: Descriptor,
  contents: Uint8Array | FileRange,
): MLOperand {
  const state = builderSlot.get(builder);
  const where = "MLGraphBuilder.constant";
  checkCanBuild(state, where);
  checkDescriptor(state.context, descriptor, `${where}: descriptor`);
  return addConstant(state, descriptor, contents);
}

/**
 * Starts to read the constants of a context's builders that are not read yet. Throws an UnknownError if there is not
 * enough memory.
 */
export function startReading(context: MLContext): void {
  try {
    contextSlot.get(context).timeline.device.startReading?.();
  } catch (error) {
    throw unknownError(`The constants could not be read: ${messageOf(error)}`, error);
  }
}

function addConstant(state: BuilderState, descriptor: Descriptor, contents: Uint8Array | FileRange): MLOperand {
  const block = state.context.timeline.store(contents);
  const value = newValue(state, descriptor);
  state.constants.push({ value, block, tensor: undefined });
  return createOperand(state, value, "constant");
}

/**
 * Adds a node with one output.
 * @param args the method's arguments, in order
 * @param count how many of them the caller passed
 */
export function appendOne(
  builder: object,
  row: AnyOperator,
  args: readonly unknown[],
  count: number = args.length,
): MLOperand {
  return appendList(builder, row, args, count)[0]!;
}

/** Adds a node; returns its outputs. */
export function appendList(
  builder: object,
  row: AnyOperator,
  args: readonly unknown[],
  count: number = args.length,
): MLOperand[] {
  const state = builderSlot.get(builder);
  const { operands, values, label } = convertArguments(row, args, count);
  // The algorithms of all operators share these steps. Check that the builder can build.
  checkCanBuild(state, `MLGraphBuilder.${row.name}`);
  // Check that the operands belong to the builder.
  const valueOf = (operand: OperandState, name: string) => {
    if (operand.builder === state) return operand.value;
    throw new TypeError(methodMessage(row.name, label, `${name} belongs to another builder`));
  };
  const nodeOperands: Record<string, Value | readonly Value[] | undefined> = {};
  for (const name in operands) {
    const operand = operands[name];
    nodeOperands[name] = operand && isList(operand)
      ? operand.map((item, i) => valueOf(item, `${name}[${i}]`))
      : operand && valueOf(operand, name);
  }
  const { limits: { maxTensorByteLength } } = state.context.timeline.device;
  const limits = { operator: limitsOf(state.context, row.name as OperatorName), maxTensorByteLength };
  // Make the operator's own checks, and compute the descriptors of its outputs.
  const { attributes, outputs: descriptors } = applyOperator(row, nodeOperands, values, label, limits);
  // Connect the operator to the graph.
  const outputs = descriptors.map((descriptor) => newValue(state, descriptor));
  state.nodes.push({ operator: row.name, label, operands: nodeOperands, attributes, outputs });
  return outputs.map((output) => createOperand(state, output, "operator"));
}

/** The arguments of an operator, converted. */
interface OperatorArguments {
  readonly operands: Readonly<Record<string, OperandState | readonly OperandState[] | undefined>>;
  readonly values: object;
  readonly label: string;
}

type ArgumentConverter = (args: readonly unknown[], count: number) => OperatorArguments;

/** The argument converter of each row, made when the row is first used. */
const argumentConverters = new WeakMap<AnyOperator, ArgumentConverter>();

const convertArguments = (row: AnyOperator, args: readonly unknown[], count: number): OperatorArguments => {
  let convert = argumentConverters.get(row);
  if (!convert) argumentConverters.set(row, convert = argumentConverter(row));
  return convert(args, count);
};

/** An argument that is not an option. */
interface Positional {
  readonly name: string;
  readonly convert: Converter<unknown>;
  /** Names the argument in error messages. */
  readonly context: string;
  readonly isOperand: boolean;
}

const labelMember = { label: withDefault(usvString, "") };
const operandList = sequence(operandSlot.convert);

/**
 * Makes a row's converter. The order of the arguments is: operands, parameters, options. Optional operands are members
 * of the options.
 */
function argumentConverter(row: AnyOperator): ArgumentConverter {
  const where = `MLGraphBuilder.${row.name}`;
  const positional: Positional[] = [];
  const optionalMembers: Record<string, AnyMember> = {};
  for (const [name, { kind }] of Object.entries(row.operands)) {
    const convert = kind === "list" ? operandList : operandSlot.convert;
    if (kind === "optional") optionalMembers[name] = optional<unknown>(convert);
    else positional.push({ name, convert, context: `${where}: ${name}`, isOperand: true });
  }
  for (const [name, { converter }] of Object.entries(row.parameters)) {
    positional.push({ name, convert: converter, context: `${where}: ${name}`, isOperand: false });
  }
  const convertOptions = dictionary<Members, Members>({ ...row.options, ...optionalMembers }, labelMember);
  return (args, count) => {
    requireArguments(count, positional.length, where);
    const operands: Record<string, OperandState | readonly OperandState[] | undefined> = {};
    const values: Record<string, unknown> = {};
    for (let i = 0; i < positional.length; i++) {
      const { name, convert, context, isOperand } = positional[i]!;
      (isOperand ? operands : values)[name] = convert(args[i], context) as OperandState;
    }
    const options = convertOptions(args[positional.length], `${where}: options`) as Record<string, unknown>;
    for (const name in optionalMembers) operands[name] = options[name] as OperandState | undefined;
    for (const name in row.options) if (name in options) values[name] = options[name];
    return { operands, values, label: options.label as string };
  };
}

const operandRecord = record(operandSlot.convert);

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-build */
export async function buildGraph(builder: object, count: number, outputs: unknown): Promise<MLGraph> {
  const state = builderSlot.get(builder);
  const where = "MLGraphBuilder.build";
  requireArguments(count, 1, where);
  const named = operandRecord(outputs, `${where}: outputs`);
  // Step 2.
  checkCanBuild(state, where);
  // Steps 3 to 9.
  const graph = completeGraph(state, checkOutputs(state, named, where), where);
  releaseOthers(state, graph);
  // Steps 11 to 15.
  const { context } = state;
  const port = ({ name, value: { dataType, shape } }: NamedValue) => ({ name, descriptor: { dataType, shape } });
  const ports = { inputs: graph.inputs.map(port), outputs: graph.outputs.map(port) };
  const source = { ...graph, constants: graph.constants.map((constant) => ({ ...constant, block: undefined })) };
  // Step 16.
  state.hasBuilt = true;
  // Step 18.
  const compiled = await context.timeline.compile(graph);
  return graphSlot.create(MLGraph.prototype, { context, graph: compiled, ...ports, source });
}

const NOT_COMPUTED = { input: "an input", constant: "a constant" } as const;

/** Steps 3 and 4 of `build`. */
function checkOutputs(
  state: BuilderState,
  { names, values }: NamedValues<OperandState>,
  where: string,
): NamedValue[] {
  if (names.length === 0) throw new TypeError(`${where}: outputs must not be empty`);
  return values.map(({ builder, origin, value }, i) => {
    const name = names[i]!;
    const what = `${where}: outputs[${JSON.stringify(name)}]`;
    if (name === "") throw new TypeError(`${what} must not have an empty name`);
    if (builder !== state) throw new TypeError(`${what} belongs to another builder`);
    if (origin !== "operator") {
      throw new TypeError(`${what} is ${NOT_COMPUTED[origin]}; outputs must come from operators`);
    }
    return { name, value };
  });
}

/**
 * The graph that computes `outputs`, without building it. Its constants refer to blocks of the device, which stay valid
 * until the builder builds its graph.
 */
export function graphOf(outputs: unknown, where: string): Graph<Block> {
  const named = operandRecord(outputs, `${where}: outputs`);
  const [first] = named.values;
  if (first === undefined) throw new TypeError(`${where}: outputs must not be empty`);
  checkCanBuild(first.builder, where);
  const graph = completeGraph(first.builder, checkOutputs(first.builder, named, where), where);
  return { ...graph, constants: graph.constants.map((constant) => ({ ...constant, block: constant.block.block })) };
}

/** Steps 5 to 9 of `build`: the part of the graph that the outputs depend on. */
function completeGraph(state: BuilderState, outputs: readonly NamedValue[], where: string): Graph<TimelineBlock> {
  const { nodes, values } = reachable(state.nodes, outputs.map(({ value }) => value));
  const inputs = state.inputs.filter(({ value }) => values.has(value));
  const names = new Set<string>();
  for (const { name } of inputs) {
    // Step 3 of `input`, for the inputs that the graph uses.
    if (names.has(name)) throw new TypeError(`${where}: two inputs of the graph have the name ${JSON.stringify(name)}`);
    names.add(name);
  }
  const constants: Constant<TimelineBlock>[] = [];
  for (const { value, block, tensor } of state.constants) {
    if (!values.has(value)) continue;
    if (tensor && isDestroyed(tensor)) throw new TypeError(`${where}: a constant tensor of the graph is destroyed`);
    constants.push({ value, block, shared: tensor !== undefined });
  }
  return { inputs, constants, nodes, outputs };
}

/** Releases the blocks of constants that the graph does not depend on. */
function releaseOthers({ constants, context }: BuilderState, graph: Graph<TimelineBlock>): void {
  const used = new Set(graph.constants.map(({ value }) => value));
  for (const { value, block, tensor } of constants) {
    if (!tensor && !used.has(value)) context.timeline.destroyBlock(block);
  }
}

/** @see https://www.w3.org/TR/webnn/#mlgraphbuilder-can-build */
function checkCanBuild(state: BuilderState, where: string): void {
  checkNotLost(state.context, where);
  if (state.hasBuilt) throw invalidStateError(`${where}: the builder has already built its graph`);
}

function newValue(state: BuilderState, { dataType, shape }: Descriptor): Value {
  return { id: state.nextId++, dataType, shape: Object.freeze([...shape]) };
}

function createOperand(builder: BuilderState, value: Value, origin: OperandState["origin"]): MLOperand {
  return operandSlot.create(MLOperand.prototype, { builder, value, origin });
}
