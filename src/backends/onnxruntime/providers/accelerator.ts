/**
 * A provider that works: it has run a small graph, and its session allocates the memory of tensors.
 *
 * @module
 */

import type { Pointer } from "../../../../ffi/memory.ts";
import { ErrorCode } from "../../../../ffi/onnxruntime/enums.ts";
import { OrtError } from "../../../../ffi/onnxruntime/table.ts";
import { skipExitHandlers } from "../../../../ffi/process_exit.ts";
import { messageOf } from "../../../errors.ts";
import type { DeviceLimits } from "../../../graph/limits.ts";
import { LIMITS, withoutDataType } from "../limits.ts";
import type { OnnxGraph } from "../onnx.ts";
import { canCapture } from "../recording.ts";
import { addConfiguration, createSessionOptions, sessionEntries, type Settings } from "../session_options.ts";
import { graphFolder } from "./graph_folder.ts";
import { RECORD_PLACEMENT } from "./placement.ts";
import { prove } from "./proof.ts";
import type { DeviceRuntime, Provider, ProviderOptions } from "./provider.ts";
import { NO_TURNS, type Turns } from "./turns.ts";

/** The open provider of one context. */
export interface Accelerator {
  readonly runtime: DeviceRuntime;
  readonly provider: Provider;
  readonly settings: Settings;
  readonly limits: DeviceLimits;
  /** Resolves with the reason if the device is lost. */
  readonly lost: Promise<string>;
  /** Allocates its memory; absent if tensors are in CPU memory. */
  readonly allocator: Pointer | undefined;
  /** Options for one session: of a graph, or of the test graph. */
  createSessionOptions(graphOptions?: ProviderOptions): Pointer;
  /** The provider options for one graph. */
  graphOptions(onnx: OnnxGraph): Promise<ProviderOptions>;
  /** Runs work on the device, after work that must not overlap with it. Detects the loss of the device. */
  perform<T>(work: () => T | Promise<T>): T | Promise<T>;
  /** Call it after everything created with the accelerator has been released. */
  close(): void;
}

type Parts = Pick<Accelerator, "runtime" | "provider" | "settings">;

/**
 * Opens a provider.
 * @throws if it cannot be added to a session, or computes wrong results
 */
export async function openAccelerator(
  runtime: DeviceRuntime,
  provider: Provider,
  settings: Settings,
): Promise<Accelerator> {
  checkCapture(runtime, provider, settings);
  const turns = provider.turns ?? NO_TURNS;
  const parts = { runtime, provider, settings };
  const create = (graphOptions?: ProviderOptions) => createOptions(parts, graphOptions);
  const session = await turns.take(() => prove(runtime, provider, create, "float32"));
  try {
    const limits = await deriveLimits(parts, create, turns);
    return assemble(parts, create, limits, turns, session);
  } catch (error) {
    turns.take(() => runtime.api.ReleaseSession(session));
    throw error;
  }
}

function checkCapture(runtime: DeviceRuntime, { captureOption, name }: Provider, settings: Settings): void {
  const { graphCapture, providerOptions } = settings;
  if (graphCapture && !canCapture(runtime)) {
    throw new Error(
      `ONNX Runtime ${runtime.version} cannot release captured graphs; use version 1.27 or newer, or leave out graphCapture`,
    );
  }
  if (captureOption === undefined || providerOptions?.[captureOption] === undefined) return;
  const use = graphCapture ? "leave it out: graphCapture sets it" : "use the option graphCapture instead";
  throw new TypeError(
    `provider option ${captureOption} of ${name} alone would replay a graph with the tensors of its first run; ${use}`,
  );
}

function createOptions({ provider, runtime, settings }: Parts, graphOptions: ProviderOptions = {}): Pointer {
  const sessionOptions = createSessionOptions(runtime, settings);
  try {
    addConfiguration(runtime, sessionOptions, RECORD_PLACEMENT);
    provider.append(runtime, sessionOptions, { ...graphOptions, ...provider.options(settings) });
    return sessionOptions;
  } catch (error) {
    runtime.api.ReleaseSessionOptions(sessionOptions);
    throw error;
  }
}

async function optionsOf({ provider, runtime, settings }: Parts, onnx: OnnxGraph): Promise<ProviderOptions> {
  const { captureOption, graphFolderOption } = provider;
  const { cacheDirectory, graphCapture } = settings;
  const folder = graphFolderOption && cacheDirectory &&
    await graphFolder(runtime, cacheDirectory, onnx, sessionEntries(settings));
  return {
    ...folder ? { [graphFolderOption]: folder } : {},
    ...captureOption && graphCapture ? { [captureOption]: "1" } : {},
  };
}

/** The CPU runs operators that the provider does not support. A data type that only the hardware lacks is excluded. */
async function deriveLimits(
  { provider, runtime }: Parts,
  create: () => Pointer,
  turns: Turns,
): Promise<DeviceLimits> {
  try {
    const session = await turns.take(() => prove(runtime, provider, create, "float16"));
    turns.take(() => runtime.api.ReleaseSession(session));
    return LIMITS;
  } catch (error) {
    if (!(error instanceof OrtError) || isDeviceLoss(error, provider)) throw error;
    return withoutDataType("float16");
  }
}

function assemble(
  parts: Parts,
  create: Accelerator["createSessionOptions"],
  limits: DeviceLimits,
  turns: Turns,
  session: Pointer,
): Accelerator {
  const { provider, runtime } = parts;
  const allocator = provider.createAllocator?.(runtime, session);
  // The provider has loaded libraries whose exit handlers could crash.
  skipExitHandlers();
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>();
  return {
    ...parts,
    limits,
    lost,
    allocator,
    createSessionOptions: create,
    graphOptions: (onnx) => optionsOf(parts, onnx),
    perform: (work) => turns.take(() => watch(work, provider, lose)),
    close: () =>
      void turns.take(() => {
        if (allocator) runtime.deviceApi.ReleaseAllocator(allocator);
        runtime.api.ReleaseSession(session);
      }),
  };
}

/** Runs work, and calls `lose` if it fails because the device is lost. */
function watch<T>(work: () => T | Promise<T>, provider: Provider, lose: (reason: string) => void): T | Promise<T> {
  const fail = (error: unknown): never => {
    if (isDeviceLoss(error, provider)) lose(messageOf(error));
    throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(fail) : result;
  } catch (error) {
    return fail(error);
  }
}

/** Whether an error means that the device is lost: by ONNX Runtime's error code, or the provider's message. */
export function isDeviceLoss(error: unknown, { lossWords }: Pick<Provider, "lossWords">): boolean {
  if (!(error instanceof OrtError)) return false;
  return error.code === ErrorCode.DEVICE_RESET || lossWords?.test(error.message) === true;
}
