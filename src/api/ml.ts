/**
 * ML: opens contexts.
 *
 * @module
 */

import type { DeviceEntry } from "../backends/backend.ts";
import { listDevices, openDevice } from "../backends/select.ts";
import { notSupportedError } from "../errors.ts";
import { DEFAULTS, ownOptions, placeOptions, standardOptions } from "../options.ts";
import { defineInterface, illegalConstructor, promised, slot } from "../webidl/platform_object.ts";
import type { MLContextOptions } from "./dictionaries.ts";
import { adapterOf, isGpuDevice, isLost } from "../interop/webgpu.ts";
import { createMLContext, type MLContext } from "./ml_context.ts";

const mlSlot = slot<true>("ML");

/**
 * The entry point of the WebNN API, `navigator.ml` in a browser. {@linkcode ml} is the only object of this class.
 *
 * @see https://www.w3.org/TR/webnn/#api-ml
 */
export class ML {
  private constructor() {
    illegalConstructor();
  }

  /**
   * Opens a device and creates a context on it.
   *
   * The options are hints. Without options, the context runs on the CPU. If the options ask for an accelerator, it is
   * used if it is present and has run a small test graph; if not, the context runs on the CPU. With a GPUDevice, the
   * context runs on the same GPU, and keeps running if the GPUDevice is lost.
   * @param options hints, or a GPUDevice
   * @returns a promise of the context, which rejects with the errors below
   * @throws {TypeError} if an option is not a value of its enumeration
   * @throws {DOMException} NotSupportedError if no engine can be opened, or none runs on the GPU of the GPUDevice
   * @see https://www.w3.org/TR/webnn/#api-ml-createcontext
   */
  createContext(options: MLContextOptions | GPUDevice = {}): Promise<MLContext> {
    return promised(() => {
      mlSlot.get(this);
      if (isGpuDevice(options)) return openOnGpu(options);
      return open(standardOptions(options, "ML.createContext: options"));
    });
  }
}

defineInterface(ML, mlSlot, () => ({}));

/** The object that browsers call `navigator.ml`. `@webnn/deno/polyfill` installs it there. */
export const ml: ML = mlSlot.create(ML.prototype, true);

/** Where to find engines. */
export interface LibraryOptions {
  /**
   * The path or `file:` URL of the ONNX Runtime library. Default: the environment variable WEBNN_ORT_PATH, else the
   * library in the npm package onnxruntime-node.
   */
  library?: string | URL;
  /**
   * The absolute paths or `file:` URLs of plug-in providers: shared libraries with ONNX Runtime's plug-in interface.
   * They are added to those in the environment variable WEBNN_ORT_PLUGINS.
   */
  plugins?: (string | URL)[];
}

/**
 * The options of {@linkcode createContext}: those of the standard, which are hints, and extensions, which are demands.
 * If the engine cannot meet a demand, creating the context fails with an error that names the engine and the option.
 * docs/devices.md lists which engine supports which option.
 */
export interface ContextOptions extends MLContextOptions, LibraryOptions {
  /**
   * The engine: `"onnxruntime"` (default), or `"coreml"` on macOS.
   *
   * Core ML runs a graph if it supports all of it. ONNX Runtime runs the other graphs, unless `fallback` is false;
   * {@linkcode graphInfo} says which engine runs a graph, and why. With Core ML, the device `"cpu"` allows only the
   * CPU, `"npu"` the Neural Engine and the CPU, and `"gpu"` all three. See docs/coreml.md.
   */
  backend?: "onnxruntime" | "coreml";
  /**
   * Whether the engine may compute float32 with reduced precision; false by default.
   *
   * If true, it may use float16 (which overflows above 65504), bfloat16 or TF32, flush subnormal numbers to zero, and
   * quantise activations to 8 bits where the weights are quantised. The engine chooses which of these it does, if any;
   * docs/devices.md lists the settings of each engine.
   */
  allowReducedPrecision?: boolean;
  /** The kind of device. By default, the hints decide. */
  device?: "cpu" | "gpu" | "npu";
  /**
   * The provider inside ONNX Runtime, as {@linkcode devices} lists it: `"cpu"`, `"webgpu"`, `"cuda"`, `"openvino"`...
   */
  provider?: string;
  /** Options of the provider, with ONNX Runtime's names. */
  providerOptions?: Record<string, string>;
  /**
   * Whether the CPU or another engine may run the parts of a graph that the device does not support; true by default.
   * If false, building such a graph fails with an error that names those parts.
   */
  fallback?: boolean;
  /**
   * Whether to record the device commands of a run and replay them in later runs with the same tensors, which saves the
   * time to issue each command again; false by default.
   *
   * A graph keeps recordings for the last 8 sets of tensors. Only CUDA and WebGPU support it, and the device must
   * support the whole graph, else building it fails.
   */
  graphCapture?: boolean;
  /**
   * The number of CPU threads that a graph may use, including the calling thread; the number of cores by default.
   *
   * Graphs whose threads do not spin share one thread pool per process; the first context sets its size. If a context
   * asks for another size, each of its graphs has its own pool.
   */
  threads?: number;
  /**
   * Whether CPU threads spin while they wait for each other, and for a millisecond after a run in case another one
   * follows. By default, the threads of short graphs spin, and those of graphs that take over about 1 ms sleep.
   *
   * Spinning threads answer fastest if the cores are free, and are slow if others need them. Each graph whose threads
   * spin has its own pool. See docs/threads.md.
   */
  spinning?: boolean;
  /**
   * How long a run may block the calling thread, and so its event loop, in milliseconds. A run that takes longer uses
   * another thread, which delays it by 0.1 to 0.6 ms. 0 means that no run blocks; runs of workers and scripts that do
   * nothing else meanwhile may block for any time.
   *
   * Default: 3 ms in a process with one context, else 1 ms. Runs that have not been measured are estimated, and block
   * for at most 1 ms. See docs/threads.md.
   */
  blockingLimit?: number;
  /**
   * The path or `file:` URL of a folder for compiled graphs, which makes building the same graphs again faster, also in
   * other processes.
   *
   * Default: the environment variable WEBNN_CACHE_DIR, else none. Core ML, which always compiles to files, uses a
   * folder in the user's caches by default. A graph that cannot be cached is compiled each time. See docs/cache.md.
   */
  cacheDirectory?: string | URL;
  /** The maximum total size of the files in that folder, in bytes; 2 GiB by default. The oldest are deleted first. */
  cacheSizeLimit?: number;
  /**
   * Whether to profile the runs of graphs, node by node; false by default. {@linkcode graphProfile} returns the times.
   * Only the CPU supports it.
   *
   * The engine keeps the profile in memory until `graphProfile()` is called, then writes it to a temporary file, which
   * is read and deleted. So the program needs permission to read and write in the temporary folder.
   */
  profile?: boolean;
}

/**
 * Opens a device and creates a context on it, like `ml.createContext()`, with more options.
 *
 * @param options hints of the standard, and demands
 * @returns a promise of the context, which rejects with the errors below
 * @throws {TypeError} if an option is unknown or has a wrong value
 * @throws {DOMException} NotSupportedError if the device is not available, the engine cannot meet a demand, or no
 * engine can be opened
 *
 * @example
 * ```ts
 * import { contextInfo, createContext } from "@webnn/deno";
 * const context = await createContext({ device: "cpu", threads: 1 });
 * console.log(contextInfo(context).threads); // 1
 * ```
 */
export function createContext(options: ContextOptions = {}): Promise<MLContext> {
  return promised(() => open(ownOptions(options, "createContext: options")));
}

/**
 * Lists the devices that a context can use, and those that could be expected but do not work, with the reason. Runs a
 * small graph on each, which may take a second or two.
 *
 * @param options where to find engines
 * @returns a promise of the list, which rejects with the errors below
 * @throws {TypeError} if an option is unknown or has a wrong value
 * @throws {DOMException} NotSupportedError if no engine can be opened
 *
 * @example
 * ```ts
 * import { devices } from "@webnn/deno";
 * for (const { provider, device, available, reason } of await devices()) {
 *   console.log(`${provider} (${device}): ${available ? "available" : reason}`);
 * }
 * ```
 */
export function devices(options: LibraryOptions = {}): Promise<DeviceEntry[]> {
  return promised(() => listDevices(placeOptions(options, "devices: options")));
}

async function open(...selection: Parameters<typeof openDevice>): Promise<MLContext> {
  return createMLContext(await openDevice(...selection));
}

function openOnGpu(device: GPUDevice): Promise<MLContext> {
  const where = "ML.createContext: gpuDevice";
  if (isLost(device)) throw notSupportedError(`${where} is lost`);
  return open({ ...DEFAULTS, device: "gpu", provider: "webgpu" }, adapterOf(device));
}
