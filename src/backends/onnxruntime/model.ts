/**
 * Writes an ONNX graph as a model of ONNX Runtime's Model Editor: no protobuf, no file.
 *
 * @module
 */

import { cString, cStringArray, int64Array, type Pointer, pointerArray } from "../../../ffi/memory.ts";
import { AttributeType, ElementType } from "../../../ffi/onnxruntime/enums.ts";
import { NativeBlock } from "./native_block.ts";
import {
  Float,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxValueInfo,
  OPSET,
} from "./onnx.ts";
import type { OrtRuntime } from "./runtime.ts";
import { createValue } from "./value.ts";

/** Below this size in bytes ONNX Runtime wants to copy an initializer. */
const MIN_EXTERNAL_BYTES = 128;

/** An ONNX file without nodes: what a session begins with that gets its graph later. */
const EMPTY_MODEL = Uint8Array.of(
  ...[0x08, 10], // ir_version: 10, the one of our opset
  ...[0x3a, 3, 0x12, 1, 0x67], // graph: { name: "g" }
  ...[0x42, 2, 0x10, OPSET], // opset_import: [{ version: OPSET }]
);

/**
 * Makes a session. Blocks that are not shared are given to it, if it does not refuse the options already.
 *
 * The way from a model to a session in one step has all weights two times at its end, the model's and those that the
 * session has put in its own order. Here the session has them alone, and frees each once it has put it in order.
 * @param packed the container of packed weights that the session shares with others
 */
export async function createSession(
  runtime: OrtRuntime,
  onnx: OnnxGraph,
  options: Pointer,
  packed: Pointer | null = null,
): Promise<Pointer> {
  const { api, env, modelEditor } = runtime;
  const session = modelEditor.CreateModelEditorSessionFromArray(env, EMPTY_MODEL, EMPTY_MODEL.byteLength, options);
  try {
    const model = createModel(runtime, onnx);
    try {
      await modelEditor.ApplyModelToModelEditorSessionAsync(session, model);
    } finally {
      api.ReleaseModel(model);
    }
    await modelEditor.FinalizeModelEditorSessionAsync(session, options, packed);
    return session;
  } catch (error) {
    api.ReleaseSession(session);
    throw error;
  }
}

/** Makes an OrtModel, which the caller releases. Blocks that are not shared are given to it. */
export function createModel(runtime: OrtRuntime, onnx: OnnxGraph): Pointer {
  const { api, modelEditor } = runtime;
  const model = modelEditor.CreateModel(cStringArray([""]), Int32Array.of(OPSET), 1);
  let graph: Pointer | undefined;
  try {
    graph = modelEditor.CreateGraph();
    fillGraph(runtime, graph, onnx);
    modelEditor.AddGraphToModel(model, graph);
    return model;
  } catch (error) {
    if (graph) api.ReleaseGraph(graph);
    api.ReleaseModel(model);
    throw error;
  }
}

function fillGraph(runtime: OrtRuntime, graph: Pointer, onnx: OnnxGraph): void {
  const { modelEditor } = runtime;
  addValueInfos(runtime, onnx.inputs, (infos) => modelEditor.SetGraphInputs(graph, infos, onnx.inputs.length));
  addValueInfos(runtime, onnx.outputs, (infos) => modelEditor.SetGraphOutputs(graph, infos, onnx.outputs.length));
  for (const initializer of onnx.initializers) addInitializer(runtime, graph, initializer);
  for (const node of onnx.nodes) addNode(runtime, graph, node);
}

/** Makes value infos and hands them over by `take`; what has not been taken is released. */
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

function addInitializer(runtime: OrtRuntime, graph: Pointer, initializer: OnnxInitializer): void {
  const { api, modelEditor } = runtime;
  const isExternal = initializer.data instanceof NativeBlock && initializer.data.byteLength >= MIN_EXTERNAL_BYTES;
  const value = isExternal
    ? externalValue(runtime, initializer, initializer.data as NativeBlock)
    : copiedValue(runtime, initializer);
  try {
    modelEditor.AddInitializerToGraph(graph, cString(initializer.name), value, isExternal);
  } catch (error) {
    api.ReleaseValue(value);
    throw error;
  }
}

/** A value over the memory of a block: borrowed if others use the block too, else taken from it. */
function externalValue(
  { api, allocator, cpuMemory }: OrtRuntime,
  { dataType, shape }: OnnxValueInfo,
  block: NativeBlock,
): Pointer {
  const layout = [int64Array(shape), shape.length, ElementType[dataType]] as const;
  const { pointer, byteLength } = block;
  if (block.isShared) return api.CreateTensorWithDataAsOrtValue(cpuMemory, pointer, byteLength, ...layout);
  const value = api.CreateTensorWithDataAndDeleterAsOrtValue(allocator, pointer, byteLength, ...layout);
  block.disown();
  return value;
}

function copiedValue(runtime: OrtRuntime, { dataType, shape, data }: OnnxInitializer): Pointer {
  const source = data instanceof Uint8Array ? data : data.bytes;
  const { value, bytes } = createValue(runtime, dataType, shape, source.byteLength);
  bytes.set(source);
  return value;
}

function addNode(
  { api, modelEditor }: OrtRuntime,
  graph: Pointer,
  { op, domain, name, inputs, outputs, attributes }: OnnxNode,
): void {
  const attributePointers: Pointer[] = [];
  let node: Pointer;
  try {
    for (const [key, value] of Object.entries(attributes)) {
      if (value === undefined) continue;
      const { data, length, type } = encodeAttribute(value);
      attributePointers.push(api.CreateOpAttr(cString(key), data, length, type));
    }
    node = modelEditor.CreateNode(
      cString(op),
      cString(domain),
      cString(name),
      cStringArray(inputs),
      inputs.length,
      cStringArray(outputs),
      outputs.length,
      pointerArray(attributePointers),
      attributePointers.length,
    );
  } catch (error) {
    for (const pointer of attributePointers) api.ReleaseOpAttr(pointer);
    throw error;
  }
  try {
    modelEditor.AddNodeToGraph(graph, node);
  } catch (error) {
    api.ReleaseNode(node);
    throw error;
  }
}

function encodeAttribute(value: OnnxAttribute): { data: BufferSource; length: number; type: AttributeType } {
  if (typeof value === "number") return { data: int64Array([value]), length: 1, type: AttributeType.INT };
  if (value instanceof Float) return { data: Float32Array.of(value.value), length: 1, type: AttributeType.FLOAT };
  if (typeof value === "string") {
    const data = cString(value);
    return { data, length: data.byteLength - 1, type: AttributeType.STRING };
  }
  if (value.every((item) => typeof item === "number")) {
    return { data: int64Array(value), length: value.length, type: AttributeType.INTS };
  }
  return { data: cStringArray(value as readonly string[]), length: value.length, type: AttributeType.STRINGS };
}
