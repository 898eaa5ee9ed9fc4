/**
 * Creates sessions from ONNX graphs.
 *
 * The engine parses the bytes of a model in which large weights are inputs, and then gets the weights through the Model
 * Editor. No other way lets it take over memory that it frees after prepacking a weight.
 *
 * @module
 */

import { cString, cStringArray, int64Array, integerPointer, type Pointer, pointerArray } from "../../../ffi/memory.ts";
import { ElementType } from "../../../ffi/onnxruntime/enums.ts";
import { startStretch } from "../../event_loop.ts";
import { encodeModel } from "./model_proto.ts";
import { MIN_WEIGHT_BYTES, NativeBlock } from "./native_block.ts";
import { type OnnxGraph, type OnnxInitializer, type OnnxValueInfo, OPSET } from "./onnx.ts";
import type { OrtRuntime } from "./runtime.ts";

/**
 * The engine takes about 20 µs per node to parse a model and infer shapes. Up to this many nodes, that is not worth
 * another thread, which takes 0.1 to 0.2 ms to wake.
 */
const MAX_NODES_INLINE = 50;

/**
 * Creates a session on another thread; only a few milliseconds of the work are on the calling thread. The session takes
 * over blocks that are not shared, unless creating it fails before that.
 *
 * If sessions were created in one step, all weights would be in memory twice at the end: those of the model, and the
 * session's prepacked ones. Here, the model is freed before the last step, and each weight once it is prepacked.
 * @param packed the container of packed weights that sessions share
 */
export async function createSession(
  runtime: OrtRuntime,
  onnx: OnnxGraph,
  options: Pointer,
  packed: Pointer | null = null,
): Promise<Pointer> {
  const { api, modelEditor } = runtime;
  const [weights, others] = split(onnx);
  const inline = onnx.nodes.length <= MAX_NODES_INLINE;
  const session = inline ? load(runtime, others, options) : await loadAsync(runtime, others, options, weights);
  try {
    if (inline) giveWeights(runtime, session, onnx, weights);
    else await giveWeightsAsync(runtime, session, onnx, weights);
    await modelEditor.FinalizeModelEditorSessionAsync(session, options, packed);
    return session;
  } catch (error) {
    api.ReleaseSession(session);
    throw error;
  }
}

/** Creates a session like {@linkcode createSession}, on the calling thread. */
export function createSessionInline(
  runtime: OrtRuntime,
  onnx: OnnxGraph,
  options: Pointer,
  packed: Pointer | null = null,
): Pointer {
  const { api, modelEditor } = runtime;
  const [weights, others] = split(onnx);
  if (weights.length === 0 && packed === null) {
    const bytes = encodeModel(onnx);
    return api.CreateSessionFromArray(runtime.env, bytes, bytes.byteLength, options);
  }
  const session = load(runtime, others, options);
  try {
    giveWeights(runtime, session, onnx, weights);
    modelEditor.FinalizeModelEditorSession(session, options, packed);
    return session;
  } catch (error) {
    api.ReleaseSession(session);
    throw error;
  }
}

type Weight = OnnxInitializer & { readonly data: NativeBlock };

/** Splits a graph into its large weights, and the graph in which they are inputs. */
function split(onnx: OnnxGraph): [weights: readonly Weight[], others: OnnxGraph] {
  const weights = onnx.initializers.filter(isWeight);
  const initializers = onnx.initializers.filter((initializer) => !isWeight(initializer));
  return [weights, { ...onnx, inputs: [...onnx.inputs, ...weights], initializers }];
}

function isWeight(initializer: OnnxInitializer): initializer is Weight {
  const { data } = initializer;
  return data instanceof NativeBlock && data.byteLength >= MIN_WEIGHT_BYTES;
}

function load({ env, modelEditor }: OrtRuntime, onnx: OnnxGraph, options: Pointer): Pointer {
  const bytes = encodeModel(onnx);
  return modelEditor.CreateModelEditorSessionFromArray(env, bytes, bytes.byteLength, options);
}

/** {@linkcode load} on another thread. Meanwhile, this one makes the pending changes of the weights. */
async function loadAsync(
  runtime: OrtRuntime,
  onnx: OnnxGraph,
  options: Pointer,
  weights: readonly Weight[],
): Promise<Pointer> {
  const { env, modelEditor } = runtime;
  const bytes = NativeBlock.copy(runtime, encodeModel(onnx));
  try {
    const length = integerPointer(bytes.byteLength);
    const session = modelEditor.CreateModelEditorSessionFromArrayAsync(env, bytes.pointer, length, options);
    session.catch(() => {}); // It may fail before it is awaited.
    const stretch = startStretch();
    for (const { data } of weights) {
      data.settle();
      await stretch.pause();
    }
    return await session;
  } finally {
    bytes.release();
  }
}

function giveWeights(runtime: OrtRuntime, session: Pointer, onnx: OnnxGraph, weights: readonly Weight[]): void {
  if (weights.length === 0) return;
  const model = createModel(runtime, onnx, weights);
  try {
    runtime.modelEditor.ApplyModelToModelEditorSession(session, model);
  } finally {
    runtime.api.ReleaseModel(model);
  }
}

async function giveWeightsAsync(
  runtime: OrtRuntime,
  session: Pointer,
  onnx: OnnxGraph,
  weights: readonly Weight[],
): Promise<void> {
  if (weights.length === 0) return;
  const model = createModel(runtime, onnx, weights);
  try {
    await runtime.modelEditor.ApplyModelToModelEditorSessionAsync(session, model);
  } finally {
    runtime.api.ReleaseModel(model);
  }
}

/**
 * Creates a model of weights, with the other inputs and outputs of a graph. It takes over blocks that are not shared.
 */
function createModel(runtime: OrtRuntime, { inputs, outputs }: OnnxGraph, weights: readonly Weight[]): Pointer {
  const { api, modelEditor } = runtime;
  const model = modelEditor.CreateModel(cStringArray([""]), Int32Array.of(OPSET), 1);
  let graph: Pointer | undefined;
  try {
    const created = graph = modelEditor.CreateGraph();
    addValueInfos(runtime, inputs, (infos) => modelEditor.SetGraphInputs(created, infos, inputs.length));
    addValueInfos(runtime, outputs, (infos) => modelEditor.SetGraphOutputs(created, infos, outputs.length));
    for (const weight of weights) addWeight(runtime, created, weight);
    modelEditor.AddGraphToModel(model, created);
    return model;
  } catch (error) {
    if (graph) api.ReleaseGraph(graph);
    api.ReleaseModel(model);
    throw error;
  }
}

/** Creates value infos and passes them to `take`. Releases those that were not taken over. */
function addValueInfos(
  runtime: OrtRuntime,
  infos: readonly OnnxValueInfo[],
  take: (infos: BigUint64Array<ArrayBuffer>) => void,
): void {
  const pointers: Pointer[] = [];
  try {
    for (const info of infos) pointers.push(createValueInfo(runtime, info));
    take(pointerArray(pointers));
  } catch (error) {
    for (const pointer of pointers) runtime.api.ReleaseValueInfo(pointer);
    throw error;
  }
}

function createValueInfo({ api, modelEditor }: OrtRuntime, { name, dataType, shape }: OnnxValueInfo): Pointer {
  const tensorInfo = api.CreateTensorTypeAndShapeInfo();
  let typeInfo: Pointer | undefined;
  try {
    api.SetTensorElementType(tensorInfo, ElementType[dataType]);
    api.SetDimensions(tensorInfo, int64Array(shape), shape.length);
    typeInfo = modelEditor.CreateTensorTypeInfo(tensorInfo);
    return modelEditor.CreateValueInfo(cString(name), typeInfo);
  } finally {
    if (typeInfo) api.ReleaseTypeInfo(typeInfo);
    api.ReleaseTensorTypeAndShapeInfo(tensorInfo);
  }
}

function addWeight(runtime: OrtRuntime, graph: Pointer, weight: Weight): void {
  const { api, modelEditor } = runtime;
  const value = weightValue(runtime, weight);
  try {
    modelEditor.AddInitializerToGraph(graph, cString(weight.name), value, true);
  } catch (error) {
    api.ReleaseValue(value);
    throw error;
  }
}

/** A value over the memory of a block: borrowed if the block is shared, else taken over. */
function weightValue({ api, allocator, cpuMemory }: OrtRuntime, { dataType, shape, data: block }: Weight): Pointer {
  const layout = [int64Array(shape), shape.length, ElementType[dataType]] as const;
  const { pointer, byteLength } = block;
  if (block.isShared) return api.CreateTensorWithDataAsOrtValue(cpuMemory, pointer, byteLength, ...layout);
  const value = api.CreateTensorWithDataAndDeleterAsOrtValue(allocator, pointer, byteLength, ...layout);
  block.disown();
  return value;
}
