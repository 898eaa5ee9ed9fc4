/**
 * A provider that has shown that it works: it has computed a small graph, and its session gives the memory of tensors.
 *
 * @module
 */

import type { Pointer } from "../../../../ffi/memory.ts";
import { ErrorCode } from "../../../../ffi/onnxruntime/enums.ts";
import { OrtError } from "../../../../ffi/onnxruntime/table.ts";
import { messageOf } from "../../../errors.ts";
import type { DeviceLimits } from "../../../graph/limits.ts";
import { LIMITS, withoutDataType } from "../limits.ts";
import type { OnnxGraph } from "../onnx.ts";
import { canCapture } from "../recording.ts";
import { addConfiguration, createSessionOptions, sessionEntries } from "../session_options.ts";
import { skipExitHandlers } from "../../../../ffi/process_exit.ts";
import { graphFolder } from "./graph_folder.ts";
import { RECORD_PLACEMENT } from "./placement.ts";
import { prove } from "./proof.ts";
import type { DeviceRuntime, Provider, ProviderOptions } from "./provider.ts";
import { NO_TURNS, type Turns } from "./turns.ts";

/** An open provider of one context. */
export interface Accelerator {
  readonly runtime: DeviceRuntime;
  readonly provider: Provider;
  readonly limits: DeviceLimits;
  /** Whether the CPU may run what the provider does not take. */
  readonly allowsFallback: boolean;
  /** Whether runs are captured. */
  readonly captures: boolean;
  /** Resolves with the reason if the device is gone for good. */
  readonly lost: Promise<string>;
  /** Allocates its memory; absent where tensors are in the CPU's. */
  readonly allocator: Pointer | undefined;
  /** Options for one session: of a graph, where it is not a small one that proves something. */
  createSessionOptions(graphOptions?: ProviderOptions): Pointer;
  /** The provider's options that belong to one graph. */
  graphOptions(onnx: OnnxGraph): Promise<ProviderOptions>;
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
  /** Whether runs are captured. */
  readonly captures?: boolean | undefined;
  /** The folder of what is compiled. */
  readonly cacheFolder?: string | undefined;
}

/**
 * Opens a provider.
 * @throws if it cannot be added to a session, or does not compute what it should
 */
export async function openAccelerator(
  runtime: DeviceRuntime,
  provider: Provider,
  { threads, options, allowsFallback, captures = false, cacheFolder }: AcceleratorOptions,
): Promise<Accelerator> {
  checkCapture(runtime, provider, options, captures);
  const turns = provider.turns ?? NO_TURNS;
  const create = (graphOptions: ProviderOptions = {}) => {
    const sessionOptions = createSessionOptions(runtime, { threads });
    try {
      addConfiguration(runtime, sessionOptions, RECORD_PLACEMENT);
      provider.append(runtime, sessionOptions, { ...graphOptions, ...options }, threads);
      return sessionOptions;
    } catch (error) {
      runtime.api.ReleaseSessionOptions(sessionOptions);
      throw error;
    }
  };
  const graphOptions = (onnx: OnnxGraph) => optionsOf(onnx, runtime, provider, captures, cacheFolder);
  const session = await turns.take(() => prove(runtime, provider, create, "float32"));
  const parts = { runtime, provider, allowsFallback, captures, createSessionOptions: create, graphOptions };
  try {
    const limits = await deriveLimits(parts, turns);
    return assemble({ ...parts, limits }, turns, session);
  } catch (error) {
    turns.take(() => runtime.api.ReleaseSession(session));
    throw error;
  }
}

function checkCapture(
  runtime: DeviceRuntime,
  { captureOption, name }: Provider,
  options: ProviderOptions,
  captures: boolean,
): void {
  if (captures && captureOption === undefined) throw new Error("it cannot capture graphs; leave out graphCapture");
  if (captures && !canCapture(runtime)) {
    throw new Error(
      `ONNX Runtime ${runtime.version} cannot release captured graphs; name one from 1.27 on, or leave out graphCapture`,
    );
  }
  if (captureOption === undefined || options[captureOption] === undefined) return;
  throw new TypeError(
    `provider option ${captureOption} of ${name}: without graphCapture a captured graph would replay with the tensors of ` +
      "its first run; use that option instead",
  );
}

async function optionsOf(
  onnx: OnnxGraph,
  runtime: DeviceRuntime,
  { captureOption, graphFolderOption }: Provider,
  captures: boolean,
  cacheFolder: string | undefined,
): Promise<ProviderOptions> {
  const folder = graphFolderOption && cacheFolder && await graphFolder(runtime, cacheFolder, onnx, sessionEntries({}));
  return {
    ...folder ? { [graphFolderOption]: folder } : {},
    ...captures ? { [captureOption!]: "1" } : {},
  };
}

/** What the provider does not take runs on the CPU, but for a data type that it takes and the hardware lacks. */
async function deriveLimits(
  { createSessionOptions, provider, runtime }: Pick<Accelerator, "createSessionOptions" | "provider" | "runtime">,
  turns: Turns,
): Promise<DeviceLimits> {
  try {
    const session = await turns.take(() => prove(runtime, provider, createSessionOptions, "float16"));
    turns.take(() => runtime.api.ReleaseSession(session));
    return LIMITS;
  } catch (error) {
    if (!(error instanceof OrtError) || isDeviceLoss(error)) throw error;
    return withoutDataType("float16");
  }
}

function assemble(
  parts: Pick<
    Accelerator,
    "runtime" | "provider" | "allowsFallback" | "captures" | "createSessionOptions" | "graphOptions" | "limits"
  >,
  turns: Turns,
  session: Pointer,
): Accelerator {
  const { provider, runtime } = parts;
  const allocator = provider.createAllocator?.(runtime, session);
  // Those of the libraries that the provider has loaded.
  skipExitHandlers();
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
