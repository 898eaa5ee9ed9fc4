/**
 * The open library with what every context of this isolate shares: the environment, its thread pool, the allocator.
 *
 * @module
 */

import { trimHeap } from "../../../ffi/heap.ts";
import { cString, type Pointer } from "../../../ffi/memory.ts";
import { skipExitHandlers } from "../../../ffi/process_exit.ts";
import { AllocatorType, LoggingLevel, MemoryType } from "../../../ffi/onnxruntime/enums.ts";
import { type OnnxRuntime, openOnnxRuntime } from "../../../ffi/onnxruntime/library.ts";
import { hardwareThreads } from "../common/processors.ts";

/** One library in one isolate. Nothing of it is ever released: the environment belongs to the process. */
export interface OrtRuntime extends OnnxRuntime {
  readonly env: Pointer;
  /** The shared CPU allocator. */
  readonly allocator: Pointer;
  /** Describes CPU memory that is borrowed. */
  readonly cpuMemory: Pointer;
  /** The size of the process's thread pool; 0 once it is known that there is none. */
  poolThreads: number;
  /** Bytes freed since the heap was last trimmed, less those allocated since: about what the heap keeps for later. */
  freedBytes: number;
}

/** How many bytes may be free before they are given back to the operating system: what takes a few milliseconds. */
const TRIM_THRESHOLD = 32 * 2 ** 20;

/** Counts memory that is allocated: the heap takes it from what was freed, so that less is left to be given back. */
export function countAllocated(runtime: OrtRuntime, bytes: number): void {
  runtime.freedBytes = Math.max(0, runtime.freedBytes - bytes);
}

/**
 * Counts memory that was freed, and gives it back to the operating system once it is much. What is given back too early
 * costs more to get again than the giving: where it was done at every second build, builds took twice as long.
 */
export function countFreed(runtime: OrtRuntime, bytes: number): void {
  runtime.freedBytes += bytes;
  if (runtime.freedBytes < TRIM_THRESHOLD) return;
  runtime.freedBytes = 0;
  trimHeap();
}

/**
 * After a session was made of weights that belong to it: it has put them in an order of its own, and freed them as they
 * came. Where they are much, that memory is given back at once; of smaller ones the next build makes use.
 */
export function trimAfterPrepacking(weightBytes: number): void {
  if (weightBytes >= TRIM_THRESHOLD) trimHeap();
}

const runtimes = new Map<string, Promise<OrtRuntime>>();

/**
 * Opens ONNX Runtime, once per isolate and library.
 * @param threads the size of the process's thread pool, if this is the first environment of the process
 * @throws {LibraryError} if there is no usable library
 */
export function openRuntime(path: string | undefined, threads: number): Promise<OrtRuntime> {
  const key = path ?? "";
  let runtime = runtimes.get(key);
  if (!runtime) {
    runtime = openOnnxRuntime(path).then((library) => createRuntime(library, threads));
    // A library that could not be opened may be there at the next attempt.
    runtime.catch(() => runtimes.delete(key));
    runtimes.set(key, runtime);
  }
  return runtime;
}

function createRuntime(library: OnnxRuntime, threads: number): OrtRuntime {
  const { api } = library;
  const env = createEnvironment(library, threads);
  try {
    api.DisableTelemetryEvents(env);
    skipExitHandlers();
    return {
      ...library,
      env,
      allocator: api.GetAllocatorWithDefaultOptions(),
      cpuMemory: api.CreateCpuMemoryInfo(AllocatorType.DEVICE, MemoryType.DEFAULT),
      poolThreads: threads,
      freedBytes: 0,
    };
  } catch (error) {
    api.ReleaseEnv(env);
    throw error;
  }
}

/**
 * The environment with one thread pool for all sessions of the process. If the process has an environment already (made
 * by another isolate or another module), that one is returned as it is, with its pool or without.
 *
 * It takes about 15 ms, and is made in no nonblocking call: if the process exited meanwhile, it would end in a signal.
 */
function createEnvironment({ api }: OnnxRuntime, threads: number): Pointer {
  const options = api.CreateThreadingOptions();
  try {
    api.SetGlobalIntraOpNumThreads(options, threads);
    api.SetGlobalInterOpNumThreads(options, 1);
    // Errors reach the user as exceptions; the engine's own log would repeat them on stderr.
    return api.CreateEnvWithGlobalThreadPools(LoggingLevel.FATAL, cString("webnn"), options);
  } finally {
    api.ReleaseThreadingOptions(options);
  }
}

/** The number of threads where none is asked for: the cores, without the second threads that large machines give each. */
export function defaultThreads(): number {
  const threads = hardwareThreads();
  return threads <= 4 ? threads : Math.ceil(threads / 2);
}
