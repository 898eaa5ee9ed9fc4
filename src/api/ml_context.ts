/**
 * MLContext: a device with its tensors and graphs.
 *
 * @module
 */

import type { Device, DeviceInfo } from "../backends/backend.ts";
import { invalidStateError } from "../errors.ts";
import type { MLTensorLimits } from "../graph/limits.ts";
import { dimensionProblem } from "../ops/apply.ts";
import { graphLimits, type OperatorLimits, operatorLimits } from "../ops/limits.ts";
import { type OperatorName, operators } from "../ops/operators.ts";
import { byteLength, type Descriptor, formatShape, sameShape } from "../shape.ts";
import { loseAll, Timeline, type TimelineTensor } from "../timeline/timeline.ts";
import {
  type AllowSharedBufferSource,
  allowSharedBufferSource,
  bytesForDescriptor,
  bytesOf,
  bytesOfLength,
} from "../webidl/buffers.ts";
import { type NamedValues, record, requireArguments } from "../webidl/converters.ts";
import { defineInterface, illegalConstructor, promised } from "../webidl/platform_object.ts";
import { operandDescriptor, tensorDescriptor } from "./descriptors.ts";
import type { MLContextLostInfo, MLNamedTensors, MLOperandDescriptor, MLTensorDescriptor } from "./dictionaries.ts";
import {
  bringBack,
  checkExportable,
  createRental,
  discard,
  exportTensor,
  gpuDevice as gpuDeviceArgument,
  isExported,
} from "../interop/webgpu.ts";
import type { MLGraph } from "./ml_graph.ts";
import { createMLTensor, type MLTensor } from "./ml_tensor.ts";
import {
  contextSlot,
  type ContextState,
  graphSlot,
  type GraphState,
  isDestroyed,
  type Port,
  tensorSlot,
  type TensorState,
} from "./state.ts";
import type { MLOpSupportLimits } from "./support_limits.ts";

export type { DeviceEntry, DeviceInfo, DeviceKind } from "../backends/backend.ts";

/** Makes a context on a device. */
export function createMLContext(device: Device): MLContext {
  const timeline = new Timeline(device);
  const lost = timeline.lost.then((message) => ({ message }));
  return contextSlot.create(MLContext.prototype, { timeline, lost, limits: new Map() });
}

/**
 * What runs a context's graphs, for people. Not part of the standard.
 *
 * @throws {TypeError} if `context` is not an MLContext
 *
 * @example
 * ```ts
 * import { contextInfo, ml } from "@webnn/deno";
 * const { backend, device, version, threads } = contextInfo(await ml.createContext());
 * console.log(`${backend} ${version} on ${threads} threads of the ${device}`);
 * ```
 */
export function contextInfo(context: MLContext): DeviceInfo {
  return { ...contextSlot.convert(context, "contextInfo: context").timeline.device.info };
}

/** Destroys every context of this isolate, and resolves when all that they owned is released. */
export function destroyContexts(): Promise<void> {
  return loseAll("The worker was closed.");
}

/** The limits of an operator on a context. */
export function limitsOf({ limits, timeline }: ContextState, name: OperatorName): OperatorLimits {
  let found = limits.get(name);
  if (!found) limits.set(name, found = operatorLimits(operators[name], timeline.device.limits));
  return found;
}

/** Refuses a descriptor that no tensor of the context can have. */
export function checkDescriptor({ timeline }: ContextState, descriptor: Descriptor, where: string): void {
  const { dataTypes, rankRange } = graphLimits(timeline.device.limits);
  const { dataType, shape } = descriptor;
  if (!dataTypes.includes(dataType)) throw new TypeError(`${where} must be ${dataTypes.join(" or ")}, not ${dataType}`);
  if (shape.length > rankRange.max) {
    throw new TypeError(`${where} must have a rank of at most ${rankRange.max}, not ${shape.length}`);
  }
  const problem = dimensionProblem(descriptor, timeline.device.limits.maxTensorByteLength);
  if (problem) throw new TypeError(`${where}: ${problem}`);
}

/** Refuses a lost context. */
export function checkNotLost({ timeline }: ContextState, where: string): void {
  if (timeline.isLost) throw invalidStateError(`${where}: the context is lost or destroyed`);
}

const tensorRecord = record(tensorSlot.convert);

/**
 * A device with its tensors and graphs. Work is carried out in the order of the calls.
 *
 * @see https://www.w3.org/TR/webnn/#mlcontext
 */
export class MLContext {
  private constructor() {
    illegalConstructor();
  }

  /** Whether graphs run on more than the CPU. */
  get accelerated(): boolean {
    return contextSlot.get(this).timeline.device.accelerated;
  }

  /** Resolves when the device is gone or {@linkcode MLContext.destroy} was called. */
  get lost(): Promise<MLContextLostInfo> {
    // An attribute whose type is a promise rejects where others throw.
    if (!contextSlot.has(this)) return Promise.reject(new TypeError("Illegal invocation: not an MLContext"));
    return contextSlot.get(this).lost;
  }

  /**
   * Allocates a tensor of zeros.
   * @returns rejects with a TypeError for a descriptor that the context does not support, InvalidStateError if the
   * context is lost, UnknownError if the memory cannot be had
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-createtensor
   */
  createTensor(descriptor: MLTensorDescriptor): Promise<MLTensor> {
    return promised(async () => {
      const context = contextSlot.get(this);
      const where = "MLContext.createTensor";
      requireArguments(arguments.length, 1, where);
      const { readable, writable, ...rest } = tensorDescriptor(descriptor, `${where}: descriptor`);
      checkNotLost(context, where);
      checkDescriptor(context, rest, `${where}: descriptor`);
      const frozen = freeze(rest);
      const storage = await context.timeline.createTensor(frozen);
      return createMLTensor({
        kind: "device",
        context,
        descriptor: frozen,
        readable,
        writable,
        storage,
        rental: undefined,
      });
    });
  }

  /**
   * Makes a tensor that can be a constant of several graphs, with a copy of the data.
   * @returns rejects with a TypeError if the data does not fit the descriptor, InvalidStateError if the context is lost,
   * UnknownError if the memory cannot be had
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-createconstanttensor
   */
  createConstantTensor(descriptor: MLOperandDescriptor, inputData: AllowSharedBufferSource): Promise<MLTensor> {
    return promised(() => {
      const context = contextSlot.get(this);
      const where = "MLContext.createConstantTensor";
      requireArguments(arguments.length, 2, where);
      const frozen = freeze(operandDescriptor(descriptor, `${where}: descriptor`));
      const source = allowSharedBufferSource(inputData, `${where}: inputData`);
      checkNotLost(context, where);
      checkDescriptor(context, frozen, `${where}: descriptor`);
      const storage = context.timeline.store(bytesForDescriptor(source, frozen, `${where}: inputData`));
      return Promise.resolve(
        createMLTensor({
          kind: "constant",
          context,
          descriptor: frozen,
          readable: false,
          writable: false,
          storage,
          rental: undefined,
        }),
      );
    });
  }

  /**
   * Overwrites a tensor with a copy of the data, after the work queued before.
   * @throws {TypeError} if the tensor is not writable or exported, or the data has another length; InvalidStateError if
   * the tensor is destroyed; UnknownError if the data has to wait for earlier work and there is no memory for a copy:
   * then await a read before more is written
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-writetensor
   */
  writeTensor(tensor: MLTensor, inputData: AllowSharedBufferSource): void {
    const context = contextSlot.get(this);
    const where = "MLContext.writeTensor";
    requireArguments(arguments.length, 2, where);
    const state = tensorSlot.convert(tensor, `${where}: tensor`);
    const source = allowSharedBufferSource(inputData, `${where}: inputData`);
    checkTensor(context, state, where);
    if (!state.writable) throw new TypeError(`${where}: the tensor was not created with writable: true`);
    // WPT writes views of any kind, so only the length is checked.
    const bytes = bytesOfLength(source, state.descriptor, `${where}: inputData`);
    context.timeline.write(state.storage, bytes, where);
    discard(state.rental); // Not before: a write that is refused leaves the contents where they are.
  }

  /**
   * Reads a tensor, after the work queued before, into a new ArrayBuffer.
   * @returns rejects with a TypeError if the tensor is not readable or exported, InvalidStateError if it is destroyed,
   * OperationError if the dispatch that should have computed it failed, UnknownError if there is no memory for the result
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-readtensor
   */
  readTensor(tensor: MLTensor): Promise<ArrayBuffer>;
  /**
   * Reads a tensor, after the work queued before, into the beginning of `outputData`, which may be larger.
   * @returns rejects as the other form does, and with a TypeError if `outputData` is too small
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-readtensor-byob
   */
  readTensor(tensor: MLTensor, outputData: AllowSharedBufferSource): Promise<undefined>;
  readTensor(tensor: MLTensor, ...rest: [outputData?: AllowSharedBufferSource]): Promise<ArrayBuffer | undefined> {
    return promised(() => {
      const context = contextSlot.get(this);
      const where = "MLContext.readTensor";
      requireArguments(arguments.length, 1, where);
      const state = tensorSlot.convert(tensor, `${where}: tensor`);
      const target = rest.length === 0 ? undefined : allowSharedBufferSource(rest[0], `${where}: outputData`);
      checkTensor(context, state, where);
      if (!state.readable) throw new TypeError(`${where}: the tensor was not created with readable: true`);
      if (target !== undefined) targetBytes(target, state.descriptor, where);
      bringBack(state.rental);
      const { storage } = state;
      if (target === undefined) {
        const problem = `${where}: there is no memory for the result`;
        return context.timeline.read(storage, (bytes) => context.timeline.copy(bytes, problem).buffer);
      }
      return context.timeline.read(storage, (bytes) => {
        // Looked at again: the buffer may have been transferred meanwhile.
        targetBytes(target, state.descriptor, where).set(bytes);
        return undefined;
      });
    });
  }

  /**
   * Runs a graph, after the work queued before; returns at once. If the run fails, reading an output rejects.
   * @throws {TypeError} if tensors do not match the graph's inputs and outputs in name, type and shape, are shared
   * between outputs, exported, or belong to another context; InvalidStateError if the graph or a tensor is destroyed
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-dispatch
   */
  dispatch(graph: MLGraph, inputs: MLNamedTensors, outputs: MLNamedTensors): void {
    const context = contextSlot.get(this);
    requireArguments(arguments.length, 3, "MLContext.dispatch");
    const state = graphSlot.convert(graph, "MLContext.dispatch: graph");
    const namedInputs = tensorRecord(inputs, "MLContext.dispatch: inputs");
    const namedOutputs = tensorRecord(outputs, "MLContext.dispatch: outputs");
    checkGraph(context, state, "MLContext.dispatch");
    checkSharing(namedInputs.values, namedOutputs, "MLContext.dispatch");
    const inputTensors = matchTensors(context, state.inputs, namedInputs, "MLContext.dispatch: inputs");
    const outputTensors = matchTensors(context, state.outputs, namedOutputs, "MLContext.dispatch: outputs");
    for (const { rental } of namedInputs.values) bringBack(rental);
    for (const { rental } of namedOutputs.values) discard(rental);
    context.timeline.dispatch(state.graph, inputTensors, outputTensors);
  }

  /**
   * What operators, inputs, constants and outputs of this context can be.
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-opsupportlimits
   */
  opSupportLimits(): MLOpSupportLimits {
    const context = contextSlot.get(this);
    const device = context.timeline.device.limits;
    const limits: Record<string, unknown> = {
      constant: graphLimits(device),
      input: graphLimits(device),
      maxTensorByteLength: device.maxTensorByteLength,
      output: graphLimits(device),
      preferredInputLayout: device.preferredInputLayout,
    };
    for (const name of Object.keys(operators) as OperatorName[]) limits[name] = copyLimits(limitsOf(context, name));
    return sortKeys(limits) as unknown as MLOpSupportLimits;
  }

  /**
   * Destroys the context with all its tensors and graphs: what is pending rejects with InvalidStateError.
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-destroy
   */
  destroy(): void {
    contextSlot.get(this).timeline.lose("The context was destroyed.");
  }

  /**
   * Allocates a tensor of zeros that can be exported to a GPUDevice.
   * @returns rejects with a TypeError for a descriptor that the context or the GPUDevice does not support,
   * InvalidStateError if the context or the GPUDevice is lost, UnknownError if the memory cannot be had
   * @see https://github.com/webmachinelearning/webnn/blob/main/mltensor-explainer.md#exporting-an-mltensor-to-webgpu
   */
  createExportableTensor(descriptor: MLTensorDescriptor, gpuDevice: GPUDevice): Promise<MLTensor> {
    return promised(async () => {
      const context = contextSlot.get(this);
      const where = "MLContext.createExportableTensor";
      requireArguments(arguments.length, 2, where);
      const { readable, writable, ...rest } = tensorDescriptor(descriptor, `${where}: descriptor`);
      const device = gpuDeviceArgument(gpuDevice, `${where}: gpuDevice`);
      checkNotLost(context, where);
      checkDescriptor(context, rest, `${where}: descriptor`);
      checkExportable(device, rest, where);
      const frozen = freeze(rest);
      const storage = await context.timeline.createTensor(frozen);
      const rental = createRental(device, storage);
      return createMLTensor({ kind: "device", context, descriptor: frozen, readable, writable, storage, rental });
    });
  }

  /**
   * Rents a tensor out to its GPUDevice, after the work queued before, as a buffer for storage and copies that begins with
   * the elements in row-major order. Until `destroy()` is called on the buffer, WebNN leaves the tensor alone; then it has
   * what the GPU left there. Exported again before that, a tensor gives the same buffer.
   *
   * @returns the buffer, if no work is pending and the context runs on the CPU; else a promise of it, which rejects with an
   * OperationError if the dispatch that should have computed the tensor failed, or the GPUDevice has no memory. `await`
   * takes either.
   * @throws {TypeError} if the tensor is not exportable or belongs to another context; InvalidStateError if it is destroyed
   * or its GPUDevice is lost
   * @see https://github.com/webmachinelearning/webnn/blob/main/mltensor-explainer.md#exporting-an-mltensor-to-webgpu
   */
  exportToGPU(tensor: MLTensor): GPUBuffer | Promise<GPUBuffer> {
    const context = contextSlot.get(this);
    const where = "MLContext.exportToGPU";
    requireArguments(arguments.length, 1, where);
    const state = tensorSlot.convert(tensor, `${where}: tensor`);
    checkNotLost(context, where);
    checkOwner(context, state, where);
    if (!state.rental) throw new TypeError(`${where}: the tensor was not made by createExportableTensor()`);
    if (isDestroyed(state)) throw invalidStateError(`${where}: the tensor is destroyed`);
    return exportTensor(state.rental, where);
  }

  /** Calls {@linkcode MLContext.destroy} at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  /** Calls {@linkcode MLContext.destroy} at the end of an `await using` block, and waits until all is released. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    await contextSlot.get(this).timeline.settled;
  }
}

defineInterface(MLContext, contextSlot, ({ timeline: { device, isLost } }) => ({
  ...device.info,
  ...isLost && { lost: true },
}));

/** A descriptor whose shape scripts may see: frozen, as a FrozenArray is. */
function freeze({ dataType, shape }: Descriptor): Descriptor {
  return { dataType, shape: Object.freeze([...shape]) };
}

function copyLimits(limits: OperatorLimits): Record<string, MLTensorLimits> {
  const copies: Record<string, MLTensorLimits> = {};
  for (const [name, { dataTypes, rankRange: { max, min } }] of Object.entries(limits)) {
    copies[name] = { dataTypes: [...dataTypes], rankRange: { max, min } };
  }
  return sortKeys(copies);
}

/** A dictionary as WebIDL gives it to scripts: members in lexicographic order. */
function sortKeys<T>(dictionary: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(dictionary).sort(([a], [b]) => a < b ? -1 : 1));
}

function checkOwner(context: ContextState, tensor: TensorState, where: string): void {
  if (tensor.context !== context) throw new TypeError(`${where}: the tensor belongs to another context`);
}

function checkTensor(context: ContextState, tensor: TensorState, where: string): void {
  checkOwner(context, tensor, where);
  if (isDestroyed(tensor)) throw invalidStateError(`${where}: the tensor is destroyed`);
  if (isExported(tensor.rental)) throw new TypeError(`${where}: the tensor ${EXPORTED}`);
}

const EXPORTED = "is exported to WebGPU; destroy the GPUBuffer to get it back";

/** The bytes of a buffer that a tensor is read into. WPT: it may be larger, and a view of any kind. */
function targetBytes(target: AllowSharedBufferSource, descriptor: Descriptor, where: string): Uint8Array {
  const bytes = bytesOf(target);
  const needed = byteLength(descriptor);
  if (bytes.byteLength < needed) {
    throw new TypeError(`${where}: outputData has ${bytes.byteLength} bytes; the tensor needs ${needed}`);
  }
  return bytes;
}

function checkGraph(context: ContextState, { context: owner, graph }: GraphState, where: string): void {
  if (owner !== context) throw new TypeError(`${where}: the graph belongs to another context`);
  if (graph.destroyed || context.timeline.isLost) throw invalidStateError(`${where}: the graph is destroyed`);
}

/** Tells dispatches apart, so that a tensor can remember the last one that it was passed to. */
let dispatchCount = 0;

/** No output may be another output or an input. The text forbids one tensor as two inputs too; WPT does that. */
function checkSharing(inputs: readonly TensorState[], outputs: NamedValues<TensorState>, where: string): void {
  dispatchCount++;
  for (const input of inputs) input.lastDispatch = dispatchCount;
  outputs.values.forEach((output, i) => {
    if (output.lastDispatch === dispatchCount) {
      throw new TypeError(`${where}: the tensor of output ${JSON.stringify(outputs.names[i])} is used twice`);
    }
    output.lastDispatch = dispatchCount;
  });
}

/** The tensors in the order of the ports, after checking that they match. */
function matchTensors(
  context: ContextState,
  ports: readonly Port[],
  { names, values }: NamedValues<TensorState>,
  where: string,
): TimelineTensor[] {
  const tensors = ports.map((port, i) => {
    const tensor = values[names[i] === port.name ? i : names.indexOf(port.name)];
    return matchTensor(context, port, tensor, where);
  });
  // None is missing: if there are more names than ports, one of them is no port.
  if (names.length > ports.length) {
    const known = ports.map(({ name }) => name);
    const other = names.find((name) => !known.includes(name));
    throw new TypeError(
      `${where}[${JSON.stringify(other)}]: the graph has only ${
        known.map((name) => JSON.stringify(name)).join(", ") || "none"
      }`,
    );
  }
  return tensors;
}

function matchTensor(
  context: ContextState,
  { name, descriptor: { dataType, shape } }: Port,
  tensor: TensorState | undefined,
  where: string,
): TimelineTensor {
  const refuse = (problem: string) => new TypeError(`${where}[${JSON.stringify(name)}] ${problem}`);
  if (tensor === undefined) throw refuse("is missing");
  const own = tensor.descriptor;
  if (tensor.context !== context) throw refuse("belongs to another context");
  if (tensor.kind === "constant") throw refuse("is a constant tensor, which only builders take");
  if (isExported(tensor.rental)) throw refuse(EXPORTED);
  if (own.dataType !== dataType || !sameShape(own.shape, shape)) {
    throw refuse(`must be ${dataType} ${formatShape(shape)}, not ${own.dataType} ${formatShape(own.shape)}`);
  }
  if (isDestroyed(tensor)) throw invalidStateError(refuse("is destroyed").message);
  return tensor.storage;
}
