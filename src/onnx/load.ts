/**
 * The importer, for any implementation of WebNN: it imports only the types of this one, so a bundle runs in a browser.
 *
 * @module
 */

import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLContext } from "../api/ml_context.ts";
import type { MLNamedOperands } from "../api/dictionaries.ts";
import type { MLOperand } from "../api/ml_operand.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import type { MLTensor } from "../api/ml_tensor.ts";
import { inTurns, startStretch } from "../event_loop.ts";
import { copiedConstant } from "./constants.ts";
import { NeedsElements } from "./errors.ts";
import type { KnownTensor, ModelProto, OnnxGraph, ValueInfo } from "./model.ts";
import { bodiesOf, neededNodes } from "./needed.ts";
import { OnnxModel, type RunInputs } from "./onnx_model.ts";
import {
  checkDimensionNames,
  checkDimensions,
  checkInput,
  fixDimensions,
  fixedShape,
  freeDimensions,
  knownInput,
  type ModelPort,
  portOf,
} from "./ports.ts";
import { type Material, Preparation, type Runtime, unsupportedError } from "./prepare.ts";
import type { LateFile } from "./protobuf.ts";
import { readModel } from "./read.ts";
import type { ExternalData } from "./tensor.ts";
import { isKnown, sizeOf } from "./value.ts";
import { storeWeights } from "./weights.ts";
import {
  isOperator,
  NO_SUCH_OPERATOR,
  operatorName,
  type UnsupportedNode,
  unsupportedNode,
  Walker,
  type WalkPlan,
  type WalkResult,
} from "./walk.ts";

/** The files with external data: by the location that the model specifies, or a function that returns each of them. */
export type ExternalFiles =
  | Readonly<Record<string, Uint8Array>>
  | ((location: string) => Uint8Array | Promise<Uint8Array>);

/** Options for loading a model. */
export interface LoadOptions {
  /** The sizes of free dimensions, by name. The inputs of each run determine the sizes that are not specified here. */
  dimensions?: Readonly<Record<string, number>>;
  /** The files with the weights that are not in the model file. */
  externalData?: ExternalFiles;
  /** The maximum number of graphs to keep; 4 by default. Each set of input shapes needs its own graph. */
  maxGraphs?: number;
}

/** The result of `inspectOnnx()`. */
export interface Inspection {
  /** The inputs of the model; those of unsupported types, such as strings, are in `unsupported` instead. */
  readonly inputs: readonly ModelPort[];
  /** The outputs of the model; those of unsupported types are in `unsupported` instead. */
  readonly outputs: readonly ModelPort[];
  /** The versions of the operator sets, by domain; ai.onnx is `""`. */
  readonly opsets: Readonly<Record<string, number>>;
  /** The number of nodes per operator, including nodes in the bodies of `If`, `Loop` and `Scan`. */
  readonly operators: Readonly<Record<string, number>>;
  /** The total size of the weights, in bytes. */
  readonly weightBytes: number;
  /** The number and total size of the weights, by ONNX element type. */
  readonly weights: Readonly<Record<string, WeightCount>>;
  /**
   * The nodes that WebNN cannot compute, and the inputs and outputs of unsupported types, with the operator `input` or
   * `output`. Empty if the model is supported.
   */
  readonly unsupported: readonly UnsupportedNode[];
  /** Free dimensions, and inputs whose elements determine shapes. If there are any, `unsupported` may be incomplete. */
  readonly missing: readonly string[];
}

/** The weights of one element type. */
export interface WeightCount {
  /** The number of tensors. */
  readonly tensors: number;
  /** Their total size in bytes. */
  readonly bytes: number;
}

/** The contents of a model file: bytes, or a file whose parts are read when they are needed. */
export type Contents = Uint8Array | LateFile;

/** Returns the contents of a file with external data. */
export type ReadExternal = (location: string) => Promise<Contents>;

/** Reads a model file twice if it has external files: first to learn their locations, then with their contents. */
export async function parse(
  contents: Contents,
  files: ExternalFiles | ReadExternal | undefined,
): Promise<ModelProto> {
  if (!isContents(contents)) throw new TypeError("The bytes of an ONNX model must be a Uint8Array.");
  const found = new Map<string, Contents>();
  const wanted = new Set<string>();
  const external: ExternalData = (location) => {
    const file = found.get(location);
    if (file === undefined) wanted.add(location);
    return file;
  };
  const model = await inTurns(readModel(contents, external));
  if (wanted.size === 0) return model;
  for (const location of wanted) found.set(location, await fileAt(location, files));
  return inTurns(readModel(contents, external));
}

function isContents(value: unknown): value is Contents {
  return value instanceof Uint8Array || typeof value === "object" && value !== null && "readAll" in value;
}

async function fileAt(location: string, files: ExternalFiles | ReadExternal | undefined): Promise<Contents> {
  const file = typeof files === "function" ? await files(location) : files?.[location];
  if (!isContents(file)) {
    throw new TypeError(`The model has weights in ${JSON.stringify(location)}: pass that file as externalData.`);
  }
  return file;
}

function limitsOf({ context, limits }: Runtime): MLOpSupportLimits {
  return limits ?? context.opSupportLimits();
}

/** What a loaded model destroys or frees. */
export interface Ownership {
  /** Whether the model destroys its context when it is disposed. */
  readonly ownsContext?: boolean;
  /** Reads what was not read of the model and its external files. */
  readonly readFiles?: () => Promise<void>;
  /** Frees the bytes of the model and its external files; called when the model has copied what it needs. */
  readonly releaseFiles?: () => void;
}

/** A model that was read, and what it is run with. */
interface ReadModel extends Pick<Inspection, "inputs" | "outputs"> {
  readonly material: Material;
  readonly maxGraphs: number;
}

/** Options that may read external files later. */
export interface InnerOptions extends Omit<LoadOptions, "externalData"> {
  readonly externalData?: ExternalFiles | ReadExternal | undefined;
}

/** Reads a model. Rejects if it has inputs or outputs that WebNN does not support. */
async function read(runtime: Runtime, contents: Contents, options: InnerOptions, where: string): Promise<ReadModel> {
  const { dimensions = {}, maxGraphs = 4 } = options;
  checkDimensions(dimensions, where);
  if (!Number.isInteger(maxGraphs) || maxGraphs < 1) {
    throw new TypeError(`${where}: maxGraphs must be a positive integer, not ${maxGraphs}`);
  }
  const stretch = startStretch();
  const model = await parse(contents, options.externalData);
  await stretch.pause();
  const material: Material = { model, limits: limitsOf(runtime) };
  const ports = portsOf(material, dimensions, where);
  if (unsupportedPorts(material).length > 0) {
    throw unsupportedError((await survey(runtime, material, ports.inputs)).unsupported);
  }
  return { material, ...ports, maxGraphs };
}

/** Loads a model; see `loadOnnx()` in mod.ts. */
export async function loadModel(
  runtime: Runtime,
  contents: Contents,
  options: InnerOptions,
  { ownsContext = false, readFiles, releaseFiles = () => {} }: Ownership = {},
): Promise<OnnxModel> {
  const model = await read(runtime, contents, options, "loadOnnx");
  const loaded = new OnnxModel({ runtime, ...model, ownsContext, releaseFiles });
  if (await prepareFixed(loaded)) return loaded;
  checkOperators(model.material.model);
  await readFiles?.();
  await loaded.store();
  return loaded;
}

/** Builds the graph if all shapes are known. Returns whether it did. */
async function prepareFixed(model: OnnxModel): Promise<boolean> {
  const shapes = fixedShapes(model.inputs);
  if (!shapes) return false;
  try {
    await model.prepare(shapes);
    return true;
  } catch (error) {
    if (error instanceof NeedsElements) return false;
    throw error;
  }
}

/** Makes the constant tensor of another context with the same contents. */
export type ShareConstant = (tensor: MLTensor, context: MLContext) => MLTensor;

/** Loads a model on several contexts, which share its weights; see `loadOnnxInstances()` in mod.ts. */
export async function loadInstances(
  runtimes: readonly Runtime[],
  share: ShareConstant,
  contents: Contents,
  options: InnerOptions,
): Promise<OnnxModel[]> {
  const [first] = runtimes;
  if (!first) return [];
  const { material, ...parts } = await read(first, contents, options, "loadOnnxInstances");
  checkOperators(material.model);
  const { model, tensors } = await storeWeights(material.model, first.context, material.limits);
  const loaded: OnnxModel[] = [];
  try {
    for (const runtime of runtimes) {
      const { context } = runtime;
      const stored = runtime === first ? tensors : shareAll(tensors, context, share);
      const material = { model, limits: limitsOf(runtime), stored };
      loaded.push(new OnnxModel({ ...parts, runtime, material, ownsContext: false, releaseFiles() {} }));
    }
    for (const instance of loaded) await prepareFixed(instance);
    return loaded;
  } catch (error) {
    for (const instance of loaded) instance.dispose();
    throw error;
  }
}

/** Shares tensors with a context. If one cannot be shared, destroys those that were made for it. */
function shareAll(
  tensors: ReadonlyMap<KnownTensor, MLTensor>,
  context: MLContext,
  share: ShareConstant,
): ReadonlyMap<KnownTensor, MLTensor> {
  const shared = new Map<KnownTensor, MLTensor>();
  try {
    for (const [value, tensor] of tensors) shared.set(value, share(tensor, context));
    return shared;
  } catch (error) {
    for (const tensor of shared.values()) tensor.destroy();
    throw error;
  }
}

/** The inputs and outputs of types that WebNN supports; `unsupportedPorts` returns the others. */
function portsOf(
  { model: { graph }, limits }: Material,
  dimensions: Readonly<Record<string, number>>,
  where: string,
): Pick<Inspection, "inputs" | "outputs"> {
  checkDimensionNames(dimensions, graph, where);
  const ports = (infos: readonly ValueInfo[]) =>
    infos.flatMap((info): ModelPort[] => {
      const port = portOf(info, limits);
      return port ? [{ ...port, shape: fixDimensions(port.shape, dimensions) }] : [];
    });
  return { inputs: ports(graph.inputs), outputs: ports(graph.outputs) };
}

/** The inputs and outputs with types that WebNN does not support. */
function unsupportedPorts({ model: { graph }, limits }: Material): UnsupportedNode[] {
  const refused = (operator: string, infos: readonly ValueInfo[]) =>
    infos.filter((info) => !portOf(info, limits)).map(({ name, typeName }) => ({
      operator,
      name,
      reason: `WebNN does not support the type (${typeName})`,
    }));
  return [...refused("input", graph.inputs), ...refused("output", graph.outputs)];
}

/** The shapes of all inputs, if none has a free dimension. */
function fixedShapes(inputs: readonly ModelPort[]): Map<string, readonly number[]> | undefined {
  const shapes = new Map<string, readonly number[]>();
  for (const { name, shape } of inputs) {
    const fixed = fixedShape(shape);
    if (!fixed) return undefined;
    shapes.set(name, fixed);
  }
  return shapes;
}

/** Throws a NotSupportedError if the model has unknown operators. */
function checkOperators(model: ModelProto): void {
  const unsupported = unknownOperators(model);
  if (unsupported.length > 0) throw unsupportedError(unsupported);
}

/** The nodes of the main graph whose operators are unknown; finding them requires no shapes. */
function unknownOperators(model: ModelProto): UnsupportedNode[] {
  const needed = neededNodes(model.graph.nodes, model.graph.outputs.map(({ name }) => name));
  return needed.filter((node) => !isOperator(model, node)).map((node) => unsupportedNode(node, NO_SUCH_OPERATOR));
}

/** Describes a model without building a graph; see `inspectOnnx()` in mod.ts. */
export async function inspectModel(runtime: Runtime, contents: Contents, options: InnerOptions): Promise<Inspection> {
  const { dimensions = {} } = options;
  checkDimensions(dimensions, "inspectOnnx");
  const model = await parse(contents, options.externalData);
  const material: Material = { model, limits: limitsOf(runtime) };
  const { inputs, outputs } = portsOf(material, dimensions, "inspectOnnx");
  const operators: Record<string, number> = {};
  const graphs = [...withBodies(model.graph)];
  for (const name of graphs.flatMap(({ nodes }) => nodes.map(operatorName))) {
    operators[name] = (operators[name] ?? 0) + 1;
  }
  const weights = countWeights(graphs.flatMap(({ initializers }) => [...initializers.values()]));
  return {
    inputs,
    outputs,
    opsets: Object.fromEntries(model.opsets),
    operators,
    weightBytes: Object.values(weights).reduce((sum, { bytes }) => sum + bytes, 0),
    weights,
    ...await survey(runtime, material, inputs),
  };
}

/** A graph and all bodies in it, at any depth. */
function* withBodies(graph: OnnxGraph): Generator<OnnxGraph> {
  yield graph;
  for (const body of graph.nodes.flatMap(bodiesOf)) yield* withBodies(body);
}

function countWeights(initializers: Iterable<KnownTensor>): Record<string, WeightCount> {
  const counts: Record<string, WeightCount> = {};
  for (const value of initializers) {
    const { tensors, bytes } = counts[value.type] ?? { tensors: 0, bytes: 0 };
    counts[value.type] = { tensors: tensors + 1, bytes: bytes + sizeOf(value) };
  }
  return counts;
}

async function survey(
  runtime: Runtime,
  material: Material,
  inputs: readonly ModelPort[],
): Promise<Pick<Inspection, "unsupported" | "missing">> {
  const refused = unsupportedPorts(material);
  const shapes = fixedShapes(inputs);
  if (!shapes) {
    return { unsupported: [...refused, ...unknownOperators(material.model)], missing: freeDimensions(inputs) };
  }
  try {
    const preparation = new Preparation(runtime, material, { shapes, elements: () => undefined });
    return { unsupported: [...refused, ...(await preparation.survey()).unsupported], missing: [] };
  } catch (error) {
    if (!(error instanceof NeedsElements)) throw error;
    return { unsupported: [...refused, ...unknownOperators(material.model)], missing: error.inputs };
  }
}

/** Options for adding a model to a graph. */
export interface BuildOptions {
  /** The sizes of free dimensions, by name. Required for each input that has free dimensions and no operand. */
  dimensions?: Readonly<Record<string, number>>;
  /** Operands to use as inputs of the model. The other inputs become inputs of the graph, with the same names. */
  inputs?: MLNamedOperands;
  /**
   * The elements of inputs, as for a run. If the elements of an input determine shapes, they become part of the graph,
   * and the graph does not have that input; an example is a sampling rate. Other elements are ignored.
   */
  elements?: RunInputs;
  /** The files with the weights that are not in the model file. */
  externalData?: ExternalFiles;
}

/**
 * Adds a model to the graph of a builder.
 * @returns the operands of the outputs by name; rejects as `loadOnnx()` does
 */
export async function buildOnnx(
  context: MLContext,
  builder: MLGraphBuilder,
  contents: Contents,
  options: Omit<BuildOptions, "externalData"> & Pick<InnerOptions, "externalData"> = {},
): Promise<Record<string, MLOperand>> {
  const { dimensions = {}, inputs: operands = {} } = options;
  checkDimensions(dimensions, "buildOnnx");
  const model = await parse(contents, options.externalData);
  const limits = context.opSupportLimits();
  const { inputs } = portsOf({ model, limits }, dimensions, "buildOnnx");
  const shapes = new Map<string, readonly number[]>();
  for (const { name, shape } of inputs) {
    const fixed = operands[name]?.shape ?? fixedShape(shape);
    if (!fixed) {
      throw new TypeError(`buildOnnx: the input ${JSON.stringify(name)} has free dimensions; pass their sizes`);
    }
    shapes.set(name, fixed);
  }
  const known = new Map<string, KnownTensor>();
  const plan = { model, builder, limits, makeConstant: copiedConstant, shapes, operands, known };
  const elementsOf = (name: string): KnownTensor | undefined => {
    const [value, port] = [options.elements?.[name], inputs.find((input) => input.name === name)];
    const info = model.graph.inputs.find((input) => input.name === name);
    return value && port && info && knownInput(info, port, checkInput(port, value, new Map(), "buildOnnx"));
  };
  const { outputs, leaves, unsupported: nodes, demandedInputs, demandedConstants } = await walkWith(plan, elementsOf);
  const unsupported = [...unsupportedPorts({ model, limits }), ...nodes];
  if (unsupported.length > 0) throw unsupportedError(unsupported);
  const demanded = [...demandedInputs, ...demandedConstants.keys()];
  if (demanded.length > 0) {
    throw new NeedsElements("buildOnnx", demanded);
  }
  return Object.fromEntries(
    Array.from(outputs, ([name, value]) => {
      const operand = isKnown(value) ? copiedConstant(builder, value, limits) : value.operand;
      // An input or constant cannot be an output of a graph, but its copy can.
      return [name, isKnown(value) || leaves.has(operand) ? builder.identity(operand) : operand];
    }),
  );
}

/** Repeats the walk with the elements it demands, until it demands none or `elementsOf` does not have them all. */
async function walkWith(
  plan: WalkPlan & { readonly known: Map<string, KnownTensor> },
  elementsOf: (input: string) => KnownTensor | undefined,
): Promise<WalkResult> {
  for (;;) {
    const result = await inTurns(new Walker(plan).run());
    const elements = [...result.demandedInputs].map((name) => [name, elementsOf(name)] as const);
    if (elements.length === 0 || elements.some(([, value]) => value === undefined)) return result;
    for (const [name, value] of elements) plan.known.set(name, value!);
  }
}
