/**
 * ML: the entry point.
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
 * The entry point of the WebNN API, `navigator.ml`.
 *
 * @see https://www.w3.org/TR/webnn/#ml
 */
export class ML {
  private constructor() {
    illegalConstructor();
  }

  /**
   * Opens a device: one that fits the options, or the engine's own on the GPU of a GPUDevice, which goes on if that is lost.
   * @returns rejects with a TypeError for an option that is no value of its enumeration, NotSupportedError if no engine
   * can be opened, or none is known to run on that GPU
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

/** The one ML object, which `navigator.ml` is too. */
export const ml: ML = mlSlot.create(ML.prototype, true);

/** Where engines are found, beside the places where they are looked for. */
export interface LibraryOptions {
  /** The engine's library, a path or `file:` URL; by default the one in the npm package onnxruntime-node. */
  library?: string | URL;
  /**
   * Plug-in providers, absolute paths or `file:` URLs of shared libraries with ONNX Runtime's plug-in interface, beside
   * those that the environment variable WEBNN_ORT_PLUGINS lists.
   */
  plugins?: (string | URL)[];
}

/**
 * Options of our own beside the standard's. Unlike those they are demands: what the chosen engine or provider cannot meet is
 * an error that names both. docs/devices.md lists which honours which.
 */
export interface ContextOptions extends MLContextOptions, LibraryOptions {
  /**
   * The engine: `"onnxruntime"` unless `"coreml"` is asked for, which macOS has. Core ML takes the graphs that it can take
   * as a whole; without `fallback: false` ONNX Runtime takes the others, and {@linkcode graphInfo} tells which and why. The
   * device `"cpu"` stands for the CPU only, `"npu"` for the Neural Engine and the CPU, `"gpu"` for all; where none is
   * named, the standard's options choose. See docs/coreml.md.
   */
  backend?: "onnxruntime" | "coreml";
  /**
   * Whether float32 may be computed with fewer bits, false by default. Only then may it be computed in float16 (with
   * results that overflow above 65504), bfloat16 or TF32, subnormal numbers be flushed to zero, and activations be
   * quantised to 8 bits beside quantised weights. Which of these an engine does is its choice; docs/devices.md tells what
   * each is told. It is a permission: where it brings nothing, an engine computes as without it.
   */
  allowReducedPrecision?: boolean;
  /** The kind of device. */
  device?: "cpu" | "gpu" | "npu";
  /** What runs graphs inside the engine, as {@linkcode devices} lists it: `"cpu"`, `"webgpu"`, `"cuda"`, `"openvino"`... */
  provider?: string;
  /** Options of the provider, under the names that ONNX Runtime gives them. */
  providerOptions?: Record<string, string>;
  /**
   * Whether the CPU, or another engine, may run the parts of a graph that the device does not take, true by default; else
   * building such a graph fails, and the error names them.
   */
  fallback?: boolean;
  /**
   * Whether the commands of a run are recorded on the device, false by default: later runs of the graph with the same
   * tensors replay them, which saves the time to give each one anew. The 8 sets of tensors that a graph was last run with
   * are recorded. CUDA and WebGPU have it; a graph that the device does not take as a whole cannot be built then.
   */
  graphCapture?: boolean;
  /**
   * The number of CPU threads that a graph may use, the calling one included; by default as many as the machine has
   * cores. All graphs of the process share one pool of the size that the first context asks for; in a context that asks
   * for another size each graph has its own.
   */
  threads?: number;
  /**
   * Whether the CPU threads spin while they wait for each other during a run, true by default: the fastest where they have
   * the cores for themselves, and slow where other programs need the same cores. They go on for some 30 ms after a run, in
   * case there is another. With false they sleep whenever there is nothing to do. See docs/threads.md.
   */
  spinning?: boolean;
  /**
   * The folder, a path or `file:` URL, in which compiled graphs are kept, so that building them again is faster, also in
   * another process; by default the one in the environment variable WEBNN_CACHE_DIR, else none: but Core ML, which
   * compiles into files in any case, has its own in the user's caches. What cannot be kept is built as without it. See
   * docs/cache.md.
   */
  cacheDirectory?: string | URL;
  /** How many bytes the files of that folder may have together, 2 GiB by default; the oldest go first. */
  cacheSizeLimit?: number;
  /**
   * Whether the runs of graphs are measured node by node, false by default; {@linkcode graphProfile} tells the times. The
   * CPU has it. Until then the engine keeps what it measured in memory, and then writes it to a file in the folder of
   * temporary files, which is read and removed: so this needs permission to read and write there.
   */
  profile?: boolean;
}

/**
 * Opens a device, as `ml.createContext()` does, with options of our own beside the standard's.
 *
 * @returns rejects with a TypeError for an unknown option or a wrong value, NotSupportedError if the device is not
 * available, cannot meet a demand, or no engine can be opened
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
 * Lists the devices that a context can have, and those that are expected and missing, with the reason. Each has run a
 * small graph, or tried to: that may take a second or two.
 *
 * @returns rejects with a TypeError for an option with a wrong value, NotSupportedError if no engine can be opened
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
