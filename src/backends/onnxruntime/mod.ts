/**
 * The backend on ONNX Runtime.
 *
 * @module
 */

import { readEnvironment } from "../../../ffi/library.ts";
import type { Device, DeviceEntry, DeviceKind, GpuAdapter } from "../backend.ts";
import { listDevices, openFirst } from "./providers/candidates.ts";
import type { DeviceRuntime, ProviderOptions } from "./providers/provider.ts";
import { defaultThreads, openRuntime, type OrtRuntime } from "./runtime.ts";
import { sessionEntries } from "./session_options.ts";

/** What a context may ask of ONNX Runtime. */
export interface OnnxRuntimeOptions {
  /** The number of CPU threads that a graph may use, the calling one included. */
  readonly threads?: number | undefined;
  /** Whether they spin while they wait for each other during a run. */
  readonly spinning?: boolean | undefined;
  /** The path of the library; by default that of the npm package onnxruntime-node. */
  readonly library?: string | undefined;
  /** The folder of the compile cache; by default the one in WEBNN_CACHE_DIR, and none if there is none. */
  readonly cacheDirectory?: string | undefined;
  /** The bytes that the files of the cache may have together. */
  readonly cacheSizeLimit?: number | undefined;
  /** Absolute paths of plug-in providers, beside those of the environment. */
  readonly plugins?: readonly string[] | undefined;
}

/** What a context may ask of an execution provider. */
export interface ProviderRequest extends OnnxRuntimeOptions {
  /** The kind of device. */
  readonly kind?: DeviceKind | undefined;
  /** The name of a provider. */
  readonly provider?: string | undefined;
  /** Whether it is a hint that leads here: only hardware will do then. */
  readonly byDefault: boolean;
  /** The GPU that it must run on. */
  readonly adapter?: GpuAdapter | undefined;
  readonly providerOptions?: ProviderOptions | undefined;
  /** Whether the CPU may run what the provider does not take. */
  readonly fallback: boolean;
  /** Whether the commands of a run are captured, and replayed by later runs with the same tensors. */
  readonly graphCapture?: boolean | undefined;
  /** Whether float32 may be computed in float16. */
  readonly allowFloat16?: boolean | undefined;
}

/**
 * Opens the CPU for a context.
 * @throws {LibraryError} if there is no usable library
 */
export async function openCpu(options: OnnxRuntimeOptions): Promise<Device> {
  const { OrtDevice, runtime, threads } = await open(options);
  return new OrtDevice(runtime, { threads, spinning: options.spinning }, undefined, await openCache(runtime, options));
}

/**
 * Opens an execution provider for a context.
 * @returns why there is none, if none fits or works
 * @throws {LibraryError} if there is no usable library, or a plug-in cannot be used
 */
export async function openProvider(request: ProviderRequest): Promise<Device | readonly string[]> {
  const { OrtDevice, runtime, threads } = await open(request);
  if (!hasDevices(runtime)) return [`ONNX Runtime ${runtime.version} is too old for devices; name one from 1.24 on`];
  const { adapter, byDefault, fallback, kind, plugins = [], provider, providerOptions = {} } = request;
  const opened = await openFirst(runtime, { adapter, byDefault, kind, plugins, provider }, {
    threads,
    options: { ...defaultOptions(request), ...providerOptions },
    allowsFallback: fallback,
    captures: request.graphCapture,
    cacheFolder: cacheFolder(request.cacheDirectory),
  });
  return "provider" in opened ? new OrtDevice(runtime, { threads }, opened) : opened;
}

/**
 * The CPU, and all execution providers.
 * @throws {LibraryError} if there is no usable library
 */
export async function listProviders(options: OnnxRuntimeOptions): Promise<DeviceEntry[]> {
  const { runtime, threads } = await open(options);
  const cpu: DeviceEntry = {
    backend: "onnxruntime",
    provider: "cpu",
    device: "cpu",
    vendor: "Microsoft",
    hardware: "",
    version: runtime.version,
    available: true,
    accelerated: false,
  };
  if (!hasDevices(runtime)) return [cpu];
  return [cpu, ...await listDevices(runtime, options.plugins ?? [], { threads, options: {}, allowsFallback: true })];
}

/** The options of the provider that follow from those of the context. */
function defaultOptions({ allowFloat16, cacheDirectory, provider }: ProviderRequest): ProviderOptions {
  if (provider === "coreml") return allowFloat16 ? { AllowLowPrecisionAccumulationOnGPU: "1" } : {};
  // TensorRT takes minutes to build an engine.
  const folder = cacheFolder(cacheDirectory);
  return provider === "tensorrt" && folder !== undefined ? { trt_engine_cache_path: folder } : {};
}

/** The library, and the rest of the backend, which is loaded meanwhile. */
async function open({ library, threads = defaultThreads() }: OnnxRuntimeOptions) {
  const opening = openRuntime(library, threads > 1 ? threads : defaultThreads());
  const [runtime, { OrtDevice }] = await Promise.all([opening, import("./device.ts")]);
  return { OrtDevice, runtime, threads };
}

/** Only programs that have a cache load what it takes. */
async function openCache(runtime: OrtRuntime, options: OnnxRuntimeOptions) {
  const { cacheDirectory, cacheSizeLimit } = options;
  const folder = cacheFolder(cacheDirectory);
  if (folder === undefined) return undefined;
  const { openCompileCache } = await import("./compile_cache/mod.ts");
  return openCompileCache(runtime, folder, sessionEntries(options), cacheSizeLimit);
}

function cacheFolder(cacheDirectory: string | undefined): string | undefined {
  return (cacheDirectory ?? readEnvironment("WEBNN_CACHE_DIR")) || undefined;
}

function hasDevices(runtime: OrtRuntime): runtime is DeviceRuntime {
  return runtime.deviceApi !== undefined;
}
