/**
 * A provider that has shown that it works: it has computed a small graph, and its session gives the memory of tensors.
 *
 * @module
 */

import { cString, type Pointer } from "../../../../ffi/memory.ts";
import { ErrorCode } from "../../../../ffi/onnxruntime/enums.ts";
import { OrtError } from "../../../../ffi/onnxruntime/table.ts";
import { messageOf } from "../../../errors.ts";
import type { OnnxGraph } from "../onnx.ts";
import { createModel } from "../model.ts";
import { createSessionOptions } from "../session_options.ts";
import { createValue } from "../value.ts";
import { readPlacement } from "./placement.ts";
import type { DeviceRuntime, Provider, ProviderOptions } from "./provider.ts";
import { NO_TURNS, type Turns } from "./turns.ts";

/** An open provider of one context. */
export interface Accelerator {
  readonly runtime: DeviceRuntime;
  readonly provider: Provider;
  /** Whether the CPU may run what the provider does not take. */
  readonly allowsFallback: boolean;
  /** Resolves with the reason if the device is gone for good. */
  readonly lost: Promise<string>;
  /** Allocates its memory; absent where tensors are in the CPU's. */
  readonly allocator: Pointer | undefined;
  /** Options for one session. */
  createSessionOptions(): Pointer;
  /** Does work on the device, after all that must not overlap with it; sees whether it fails since the device is gone. */
  perform<T>(work: () => T | Promise<T>): T | Promise<T>;
  /** After everything that was made with it has been released. */
  close(): void;
}

/** What an accelerator is made of. */
export interface AcceleratorOptions {
  readonly threads: number;
  readonly options: ProviderOptions;
  /** Whether the CPU may run what the provider does not take. */
  readonly allowsFallback: boolean;
}

/**
 * Opens a provider.
 * @throws if it cannot be added to a session, or does not compute what it should
 */
export async function openAccelerator(
  runtime: DeviceRuntime,
  provider: Provider,
  { threads, options, allowsFallback }: AcceleratorOptions,
): Promise<Accelerator> {
  const turns = provider.turns ?? NO_TURNS;
  const create = () =>
    createSessionOptions(
      runtime,
      threads,
      (sessionOptions) => provider.append(runtime, sessionOptions, options, threads),
    );
  const session = await turns.take(() => createProof(runtime, create));
  try {
    await turns.take(() => prove(runtime, session, provider));
    return assemble({ runtime, provider, allowsFallback, createSessionOptions: create }, turns, session);
  } catch (error) {
    turns.take(() => runtime.api.ReleaseSession(session));
    throw error;
  }
}

function assemble(
  parts: Pick<Accelerator, "runtime" | "provider" | "allowsFallback" | "createSessionOptions">,
  turns: Turns,
  session: Pointer,
): Accelerator {
  const { provider, runtime } = parts;
  const allocator = provider.createAllocator?.(runtime, session);
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>();
  return {
    ...parts,
    lost,
    allocator,
    perform: (work) => turns.take(() => watch(work, lose)),
    close: () =>
      void turns.take(() => {
        if (allocator) runtime.deviceApi.ReleaseAllocator(allocator);
        runtime.api.ReleaseSession(session);
      }),
  };
}

/** Does work and tells `lose` if it fails because the device is gone. */
function watch<T>(work: () => T | Promise<T>, lose: (reason: string) => void): T | Promise<T> {
  const fail = (error: unknown): never => {
    if (isDeviceLoss(error)) lose(messageOf(error));
    throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(fail) : result;
  } catch (error) {
    return fail(error);
  }
}

/** Dawn, CUDA, Vulkan and Direct3D each have their words for it, beside ONNX Runtime's own code. */
const LOSS =
  /device (is |was )?lost|DeviceLost|VK_ERROR_DEVICE_LOST|DXGI_ERROR_DEVICE_(REMOVED|RESET|HUNG)|CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_FAILED|ECC_UNCORRECTABLE)|CUDA (error|failure) (214|700|719)\b/i;

/** Whether an error means that nothing will work on the device any more. */
export function isDeviceLoss(error: unknown): boolean {
  return error instanceof OrtError && (error.code === ErrorCode.DEVICE_RESET || LOSS.test(error.message));
}

/** y = relu(x · x): a product and an element-wise operator. */
const PROOF: OnnxGraph = {
  inputs: [{ name: "x", dataType: "float32", shape: [2, 2] }],
  outputs: [{ name: "y", dataType: "float32", shape: [2, 2] }],
  initializers: [],
  nodes: [
    { op: "MatMul", domain: "", name: "proof #0", inputs: ["x", "x"], outputs: ["p"], attributes: {} },
    { op: "Relu", domain: "", name: "proof #1", inputs: ["p"], outputs: ["y"], attributes: {} },
  ],
};
const PROOF_INPUT = [1, 2, -3, 4];
const PROOF_OUTPUT = [0, 10, 0, 10];

async function createProof(runtime: DeviceRuntime, createOptions: () => Pointer): Promise<Pointer> {
  const options = createOptions();
  try {
    const model = createModel(runtime, PROOF);
    try {
      return await runtime.modelEditor.CreateSessionFromModelAsync(runtime.env, model, options);
    } finally {
      runtime.api.ReleaseModel(model);
    }
  } finally {
    runtime.api.ReleaseSessionOptions(options);
  }
}

async function prove(runtime: DeviceRuntime, session: Pointer, { name, engineName }: Provider): Promise<void> {
  if (!readPlacement(runtime.deviceApi, session).some(({ provider }) => provider === engineName)) {
    throw new Error(`${name} took no part of a small graph`);
  }
  const { api } = runtime;
  const [x, y] = [createValue(runtime, "float32", [2, 2], 16), createValue(runtime, "float32", [2, 2], 16)];
  const binding = api.CreateIoBinding(session);
  try {
    x.bytes.set(new Uint8Array(Float32Array.from(PROOF_INPUT).buffer));
    api.BindInput(binding, cString("x"), x.value);
    api.BindOutput(binding, cString("y"), y.value);
    await api.RunWithBindingAsync(session, null, binding);
    const result = [...new Float32Array(y.bytes.slice().buffer)];
    if (`${result}` !== `${PROOF_OUTPUT}`) throw new Error(`${name} computed [${result}], not [${PROOF_OUTPUT}]`);
  } finally {
    api.ReleaseIoBinding(binding);
    for (const { value } of [x, y]) api.ReleaseValue(value);
  }
}
