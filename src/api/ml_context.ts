/**
 * MLContext: a device, with its tensors and graphs. Step numbers are those of the standard; WebIDL's conversions come
 * before step 1.
 *
 * @module
 */

import type { Device, DeviceInfo } from "../backends/backend.ts";
import { invalidStateError } from "../errors.ts";
import type { DeviceLimits, MLTensorLimits } from "../graph/limits.ts";
import { dimensionProblem } from "../ops/apply.ts";
import { graphLimits, type OperatorLimits, operatorLimits } from "../ops/limits.ts";
import { type OperatorName, operators } from "../ops/operators.ts";
import { byteLength, type Descriptor } from "../shape.ts";
import { loseAll, Timeline } from "../timeline/timeline.ts";
import {
  type AllowSharedBufferSource,
  allowSharedBufferSource,
  bytesForDescriptor,
  bytesOf,
  bytesOfLength,
} from "../webidl/buffers.ts";
import { record, requireArguments } from "../webidl/converters.ts";
import { defineInterface, illegalConstructor, promised } from "../webidl/platform_object.ts";
import { operandDescriptor, tensorDescriptor } from "./descriptors.ts";
import { checkSharing, EXPORTED, matchTensors } from "./dispatch_tensors.ts";
import type { MLContextLostInfo, MLNamedTensors, MLOperandDescriptor, MLTensorDescriptor } from "./dictionaries.ts";
import {
  checkExportable,
  createRental,
  discardReturned,
  exportTensor,
  gpuDevice as gpuDeviceArgument,
  isExported,
  restoreContents,
} from "../interop/webgpu.ts";
import type { MLGraph } from "./ml_graph.ts";
import { createMLTensor, type MLTensor } from "./ml_tensor.ts";
import {
  contextSlot,
  type ContextState,
  graphSlot,
  type GraphState,
  isDestroyed,
  tensorSlot,
  type TensorState,
} from "./state.ts";
import type { MLOpSupportLimits } from "./support_limits.ts";

export type { DeviceEntry, DeviceInfo, DeviceKind } from "../backends/backend.ts";

/** Creates a context on a device. */
export function createMLContext(device: Device): MLContext {
  const timeline = new Timeline(device);
  const lost = timeline.lost.then((message) => ({ message }));
  return contextSlot.create(MLContext.prototype, { timeline, lost, limits: new Map() });
}

/**
 * Describes what runs a context's graphs: backend, provider, device, version and threads. An extension of the standard.
 *
 * @returns a copy; changing it has no effect
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

/** Destroys every context of this isolate. Resolves when all their memory is released. */
export function destroyContexts(): Promise<void> {
  return loseAll("The worker was closed.");
}

/** The limits of an operator on a context, computed once. */
export function limitsOf({ limits, timeline }: ContextState, name: OperatorName): OperatorLimits {
  let found = limits.get(name);
  if (!found) limits.set(name, found = operatorLimits(operators[name], timeline.device.limits));
  return found;
}

/**
 * Checks that a tensor of the context can have this descriptor.
 * @throws {TypeError} if it cannot
 * @see https://www.w3.org/TR/webnn/#mloperanddescriptor-check-dimensions
 */
export function checkDescriptor({ timeline }: ContextState, descriptor: Descriptor, where: string): void {
  const { dataTypes, maxRank, maxTensorByteLength } = timeline.device.limits;
  const { dataType, shape } = descriptor;
  if (!dataTypes.includes(dataType)) throw new TypeError(`${where} must be ${dataTypes.join(" or ")}, not ${dataType}`);
  if (shape.length > maxRank) {
    throw new TypeError(`${where} must have a rank of at most ${maxRank}, not ${shape.length}`);
  }
  const problem = dimensionProblem(descriptor, maxTensorByteLength);
  if (problem) throw new TypeError(`${where}: ${problem}`);
}

/**
 * Checks that a context is not lost.
 * @throws {DOMException} InvalidStateError if it is
 */
export function checkNotLost({ timeline }: ContextState, where: string): void {
  if (timeline.isLost) throw invalidStateError(`${where}: the context is lost or destroyed`);
}

const tensorRecord = record(tensorSlot.convert);

/**
 * A device, with its tensors and graphs. `ml.createContext()` opens one.
 *
 * Work runs in the order of the calls: `readTensor()` waits for the dispatches before it, for example. `writeTensor()`
 * and `dispatch()` return at once. A method that returns a promise never throws: the promise rejects with the errors
 * listed.
 *
 * @see https://www.w3.org/TR/webnn/#api-mlcontext
 */
export class MLContext {
  private constructor() {
    illegalConstructor();
  }

  /** Whether graphs run on an accelerator, such as a GPU or an NPU, and not only on the CPU. */
  get accelerated(): boolean {
    return contextSlot.get(this).timeline.device.accelerated;
  }

  /** Resolves when the device is lost or {@linkcode MLContext.destroy} is called. Never rejects. */
  get lost(): Promise<MLContextLostInfo> {
    // WebIDL: a getter that returns a promise rejects it instead of throwing.
    if (!contextSlot.has(this)) return Promise.reject(new TypeError("Illegal invocation: not an MLContext"));
    return contextSlot.get(this).lost;
  }

  /**
   * Creates a tensor, filled with zeros.
   * @param descriptor data type and shape; `readable` and `writable`, false by default, allow
   * {@linkcode MLContext.readTensor} and {@linkcode MLContext.writeTensor}. Dispatches may use the tensor in any case
   * @returns a promise of the tensor, which rejects with the errors below
   * @throws {TypeError} if the context does not support the data type, rank or size
   * @throws {DOMException} InvalidStateError if the context is lost; UnknownError if there is not enough memory
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-createtensor
   */
  createTensor(descriptor: MLTensorDescriptor): Promise<MLTensor> {
    return promised(async () => {
      const context = contextSlot.get(this);
      const where = "MLContext.createTensor";
      requireArguments(arguments.length, 1, where);
      const { readable, writable, ...rest } = tensorDescriptor(descriptor, `${where}: descriptor`);
      // Step 3.
      checkNotLost(context, where);
      // WPT checks dimensions here too.
      checkDescriptor(context, rest, `${where}: descriptor`);
      // Steps 4 to 6.
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
   * Creates a tensor with a copy of the data, for `MLGraphBuilder.constant(tensor)`. Graphs that use it share its
   * memory.
   * @param descriptor data type and shape
   * @param inputData the elements, row-major, as `MLGraphBuilder.constant(descriptor, buffer)` takes them
   * @returns a promise of the tensor, which rejects with the errors below
   * @throws {TypeError} if the context does not support the descriptor, or `inputData` has another length or kind
   * @throws {DOMException} InvalidStateError if the context is lost; UnknownError if there is not enough memory
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-createconstanttensor
   */
  createConstantTensor(descriptor: MLOperandDescriptor, inputData: AllowSharedBufferSource): Promise<MLTensor> {
    return promised(() => {
      const context = contextSlot.get(this);
      const where = "MLContext.createConstantTensor";
      requireArguments(arguments.length, 2, where);
      const frozen = freeze(operandDescriptor(descriptor, `${where}: descriptor`));
      const source = allowSharedBufferSource(inputData, `${where}: inputData`);
      // Step 3.
      checkNotLost(context, where);
      // Step 4.
      checkDescriptor(context, frozen, `${where}: descriptor`);
      // Steps 5 to 10.
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
   * Overwrites a tensor with a copy of the data, after all earlier work. Returns at once.
   * @param tensor a tensor of this context, created with `writable: true`
   * @param inputData the elements, row-major: a buffer or any view, as long as the tensor
   * @throws {TypeError} if the tensor is not writable, is exported to WebGPU or belongs to another context, or
   * `inputData` has another length
   * @throws {DOMException} InvalidStateError if the tensor is destroyed; UnknownError if earlier work is still running
   * and there is not enough memory to copy the data: await a read before you write more
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-writetensor
   */
  writeTensor(tensor: MLTensor, inputData: AllowSharedBufferSource): void {
    const context = contextSlot.get(this);
    const where = "MLContext.writeTensor";
    requireArguments(arguments.length, 2, where);
    const state = tensorSlot.convert(tensor, `${where}: tensor`);
    const source = allowSharedBufferSource(inputData, `${where}: inputData`);
    // Steps 1 and 2.
    checkTensor(context, state, where);
    // Step 3.
    if (!state.writable) throw new TypeError(`${where}: the tensor was not created with writable: true`);
    // Step 4. WPT writes views of any kind, so only the length is checked.
    const bytes = bytesOfLength(source, state.descriptor, `${where}: inputData`);
    // Steps 5 to 7.
    context.timeline.write(state.storage, bytes, where);
    discardReturned(state.rental); // After the write: if the write throws, the contents must stay.
  }

  /**
   * Reads a tensor into a new ArrayBuffer, after all earlier work.
   * @param tensor a tensor of this context, created with `readable: true`
   * @returns a promise of the bytes, row-major, which rejects with the errors below
   * @throws {TypeError} if the tensor is not readable, is exported to WebGPU or belongs to another context
   * @throws {DOMException} InvalidStateError if the tensor is destroyed, now or before the read is done; OperationError
   * if the dispatch that should have computed it failed (`cause` is the engine's error); UnknownError if there is not
   * enough memory for the result
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-readtensor
   */
  readTensor(tensor: MLTensor): Promise<ArrayBuffer>;
  /**
   * Reads a tensor into the beginning of `outputData`, after all earlier work.
   * @param tensor a tensor of this context, created with `readable: true`
   * @param outputData a buffer or any view, at least as long as the tensor
   * @returns a promise that resolves when the bytes are there, and rejects with the errors below
   * @throws {TypeError} as without `outputData`, and if `outputData` is too small or has been detached
   * @throws {DOMException} as without `outputData`
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
      // Steps 3 and 4.
      checkTensor(context, state, where);
      // Step 5.
      if (!state.readable) throw new TypeError(`${where}: the tensor was not created with readable: true`);
      // Step 6 of the form with `outputData`.
      if (target !== undefined) targetBytes(target, state.descriptor, where);
      restoreContents(state.rental);
      // The steps that the standard runs on the context's timeline.
      const { storage } = state;
      if (target === undefined) {
        const problem = `${where}: there is not enough memory for the result`;
        return context.timeline.read(storage, (bytes) => context.timeline.copy(bytes, problem).buffer);
      }
      return context.timeline.read(storage, (bytes) => {
        // Checked again: the buffer may have been detached in the meantime.
        targetBytes(target, state.descriptor, where).set(bytes);
        return undefined;
      });
    });
  }

  /**
   * Runs a graph, after all earlier work. Returns at once; if the run fails, reading one of its outputs rejects with
   * the error.
   * @param graph a graph of this context
   * @param inputs a tensor for each input of the graph, by name
   * @param outputs a tensor for each output of the graph, by name
   * @throws {TypeError} if a tensor is missing, or its name is unknown; if a tensor has another data type or shape than
   * the graph's input or output, is a constant tensor, is exported to WebGPU or belongs to another context; if the
   * tensor of an output is also that of an input or another output; or if the graph belongs to another context
   * @throws {DOMException} InvalidStateError if the graph or a tensor is destroyed
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-dispatch
   */
  dispatch(graph: MLGraph, inputs: MLNamedTensors, outputs: MLNamedTensors): void {
    const context = contextSlot.get(this);
    requireArguments(arguments.length, 3, "MLContext.dispatch");
    const state = graphSlot.convert(graph, "MLContext.dispatch: graph");
    const namedInputs = tensorRecord(inputs, "MLContext.dispatch: inputs");
    const namedOutputs = tensorRecord(outputs, "MLContext.dispatch: outputs");
    // Steps 1 and 2.
    checkGraph(context, state, "MLContext.dispatch");
    // Steps 3 and 4.
    checkSharing(namedInputs.values, namedOutputs, "MLContext.dispatch");
    // Steps 5 to 7.
    const inputTensors = matchTensors(context, state.inputs, namedInputs, "MLContext.dispatch: inputs");
    const outputTensors = matchTensors(context, state.outputs, namedOutputs, "MLContext.dispatch: outputs");
    for (const { rental } of namedInputs.values) restoreContents(rental);
    for (const { rental } of namedOutputs.values) discardReturned(rental);
    // Step 8.
    context.timeline.dispatch(state.graph, inputTensors, outputTensors);
  }

  /**
   * The data types and ranks that this context supports, for the inputs, constants and outputs of a graph and for each
   * operand of each operator; the size limit of tensors; and the layout in which convolutions and pools are fastest.
   * @returns a new object on each call
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-opsupportlimits
   */
  opSupportLimits(): MLOpSupportLimits {
    const context = contextSlot.get(this);
    const limits: Record<string, unknown> = {};
    for (const name of LIMITS) limits[name] = copyLimits(name, context);
    return limits as unknown as MLOpSupportLimits;
  }

  /**
   * Destroys the context, its tensors and its graphs. Pending promises reject with an InvalidStateError, and `lost`
   * resolves. A second call has no effect.
   * @see https://www.w3.org/TR/webnn/#api-mlcontext-destroy
   */
  destroy(): void {
    contextSlot.get(this).timeline.lose("The context was destroyed.");
  }

  /**
   * Creates a tensor, filled with zeros, for {@linkcode MLContext.exportToGPU}.
   * @param descriptor as for {@linkcode MLContext.createTensor}
   * @param gpuDevice the WebGPU device that will get the tensor
   * @returns a promise of the tensor, which rejects with the errors below
   * @throws {TypeError} if the context does not support the descriptor, or the tensor exceeds the `maxBufferSize` of
   * `gpuDevice`
   * @throws {DOMException} InvalidStateError if the context or `gpuDevice` is lost; UnknownError if there is not enough
   * memory
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
   * Exports a tensor to its GPUDevice as a buffer, after all earlier work. The buffer has the usages STORAGE, COPY_SRC
   * and COPY_DST, and starts with the elements in row-major order.
   *
   * WebNN cannot use the tensor until you call `destroy()` on the buffer; then the tensor holds what the GPU wrote.
   * Exporting a tensor that is already exported returns the same buffer.
   * @param tensor made by {@linkcode MLContext.createExportableTensor}
   * @returns the buffer if no work is pending and the context runs on the CPU; else a promise of it. `await` works for
   * both. The promise rejects with an OperationError if the dispatch that should have computed the tensor failed, or
   * the GPUDevice does not have enough memory
   * @throws {TypeError} if the tensor is not exportable or belongs to another context
   * @throws {DOMException} InvalidStateError if the tensor is destroyed, or its GPUDevice or the context is lost
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

  /**
   * Calls {@linkcode MLContext.destroy} at the end of an `await using` block, and waits until its memory is released.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    await contextSlot.get(this).timeline.settled;
  }
}

defineInterface(MLContext, contextSlot, ({ timeline: { device, isLost } }) => ({
  ...device.info,
  ...isLost && { lost: true },
}));

/** A copy of a descriptor with a frozen shape, as the getter `shape` returns it to scripts. */
function freeze({ dataType, shape }: Descriptor): Descriptor {
  return { dataType, shape: Object.freeze([...shape]) };
}

/** The members of `opSupportLimits()` that belong to no operator. */
const CONTEXT_LIMITS: Readonly<Record<string, (device: DeviceLimits) => unknown>> = {
  constant: graphLimits,
  input: graphLimits,
  maxTensorByteLength: (device) => device.maxTensorByteLength,
  output: graphLimits,
  preferredInputLayout: (device) => device.preferredInputLayout,
};

/** WebIDL converts a dictionary to an object with its members in lexicographic order. */
const LIMITS: readonly string[] = [...Object.keys(CONTEXT_LIMITS), ...Object.keys(operators)].sort();

/** Like `opSupportLimits()`, but makes the limits of an operator when they are first read. Not in the standard. */
export function supportLimits(context: MLContext): MLOpSupportLimits {
  const state = contextSlot.get(context);
  return new Proxy({} as Record<string, unknown>, {
    get: (limits, name: string) => limits[name] ??= copyLimits(name, state),
  }) as object as MLOpSupportLimits;
}

function copyLimits(name: string, context: ContextState): unknown {
  const ofContext = CONTEXT_LIMITS[name];
  if (ofContext) return ofContext(context.timeline.device.limits);
  const copies: Record<string, MLTensorLimits> = {};
  for (
    const [tensor, { dataTypes, rankRange: { max, min } }] of Object.entries(limitsOf(context, name as OperatorName))
  ) {
    copies[tensor] = { dataTypes: [...dataTypes], rankRange: { max, min } };
  }
  return copies;
}

function checkOwner(context: ContextState, tensor: TensorState, where: string): void {
  if (tensor.context !== context) throw new TypeError(`${where}: the tensor belongs to another context`);
}

function checkTensor(context: ContextState, tensor: TensorState, where: string): void {
  checkOwner(context, tensor, where);
  if (isDestroyed(tensor)) throw invalidStateError(`${where}: the tensor is destroyed`);
  if (isExported(tensor.rental)) throw new TypeError(`${where}: the tensor ${EXPORTED}`);
}

/** The bytes of the buffer that a tensor is read into. WPT: the buffer may be too long, and a view of any kind. */
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
