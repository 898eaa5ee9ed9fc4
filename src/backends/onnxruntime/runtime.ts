/**
 * The open library, and the objects that all contexts of this isolate share: the environment, its thread pool, and the
 * allocator.
 *
 * @module
 */

import { trimHeap, trimHeapDuring } from "../../../ffi/heap.ts";
import { cString, type Pointer } from "../../../ffi/memory.ts";
import { napFunction } from "../../../ffi/nap.ts";
import { skipExitHandlers } from "../../../ffi/process_exit.ts";
import { AllocatorType, LoggingLevel, MemoryType } from "../../../ffi/onnxruntime/enums.ts";
import { type OnnxRuntime, openOnnxRuntime } from "../../../ffi/onnxruntime/library.ts";
import { setTurn } from "../../event_loop.ts";
import { hardwareThreads } from "../common/processors.ts";

/** One library in one isolate. It is never released, because the environment belongs to the process. */
export interface OrtRuntime extends OnnxRuntime {
  readonly env: Pointer;
  /** The shared CPU allocator. */
  readonly allocator: Pointer;
  /** Describes borrowed CPU memory. */
  readonly cpuMemory: Pointer;
  /** The size of the process's thread pool; 0 if there is none. */
  poolThreads: number;
  /** How many devices are open. */
  devices: number;
  /** How many of them have more than one thread. */
  parallelDevices: number;
  /** How many compiled graphs there are. */
  graphs: number;
  /** The bytes freed since the heap was last trimmed, minus those allocated: about what the heap keeps for reuse. */
  freedBytes: number;
  /**
   * The bytes of new memory since the last session was created: those that did not reuse freed memory, without
   * `fileBytes`.
   */
  freshBytes: number;
  /** The bytes of new memory, since then, for weights that are read from files. */
  fileBytes: number;
}

/** How many bytes may be free before they are returned to the operating system, which takes a few milliseconds. */
const TRIM_THRESHOLD = 32 * 2 ** 20;

/** If weights take this much, what is freed of them is returned while others are packed. */
const LARGE_WEIGHTS = 64 * 2 ** 20;

/**
 * If weights took this much new memory, this is the first build of a network, and not one of many. To return less is not
 * worth the time: it takes a network with weights of 10 MB a tenth of its build.
 */
const FRESH_WEIGHTS = 12 * 2 ** 20;

/** Counts allocated memory: the heap takes it from freed memory, so less is left to return. */
export function countAllocated(runtime: OrtRuntime, bytes: number): void {
  const reused = Math.min(bytes, runtime.freedBytes);
  runtime.freedBytes -= reused;
  runtime.freshBytes += bytes - reused;
}

/**
 * Counts new memory that `allocate` allocates for bytes of a file. It is not returned while a session is created, but
 * afterwards: there is no copy of the file in memory, so the peak is low enough.
 */
export function allocateForFile<Memory>(runtime: OrtRuntime, allocate: () => Memory): Memory {
  const { freshBytes } = runtime;
  const memory = allocate();
  runtime.fileBytes += runtime.freshBytes - freshBytes;
  runtime.freshBytes = freshBytes;
  return memory;
}

/**
 * Counts freed memory, and returns it to the operating system when it is large enough. Returning it too early costs
 * more than it saves: when it was done at every second build, builds took twice as long.
 */
export function countFreed(runtime: OrtRuntime, bytes: number): void {
  runtime.freedBytes += bytes;
  if (runtime.freedBytes < TRIM_THRESHOLD) return;
  runtime.freedBytes = 0;
  trimHeap();
}

/**
 * Creates a session that owns its weights: it prepacks and frees them, or finds them prepacked. Meanwhile, their memory
 * is returned to the operating system if they are large or took new memory. Memory of an earlier graph that they reused
 * is kept for the next graph: new pages would take a third of the time of a build.
 */
export async function returningWeights<T>(
  runtime: OrtRuntime,
  weightBytes: number,
  create: () => Promise<T>,
): Promise<T> {
  const { fileBytes, freshBytes } = runtime;
  runtime.fileBytes = runtime.freshBytes = 0;
  if (weightBytes >= LARGE_WEIGHTS || Math.min(weightBytes, freshBytes) >= FRESH_WEIGHTS) {
    return await trimHeapDuring(create());
  }
  const session = await create();
  if (fileBytes >= FRESH_WEIGHTS) trimHeap();
  return session;
}

const runtimes = new Map<string, Promise<OrtRuntime>>();

/**
 * Opens ONNX Runtime, once per isolate and library.
 * @param threads the size of the process's thread pool, if this is the first environment of the process
 * @throws {LibraryError} if no library can be used
 */
export function openRuntime(path: string | undefined, threads: number): Promise<OrtRuntime> {
  const key = path ?? "";
  let runtime = runtimes.get(key);
  if (!runtime) {
    runtime = openOnnxRuntime(path).then((library) => createRuntime(library, threads));
    // If a library could not be opened, the next attempt may succeed.
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
    const nap = napFunction();
    if (nap) setTurn(nap);
    skipExitHandlers();
    return {
      ...library,
      env,
      allocator: api.GetAllocatorWithDefaultOptions(),
      cpuMemory: api.CreateCpuMemoryInfo(AllocatorType.DEVICE, MemoryType.DEFAULT),
      poolThreads: threads,
      devices: 0,
      parallelDevices: 0,
      graphs: 0,
      freedBytes: 0,
      freshBytes: 0,
      fileBytes: 0,
    };
  } catch (error) {
    api.ReleaseEnv(env);
    throw error;
  }
}

/**
 * Creates the environment, with one pool of sleeping threads for all sessions of the process. If another isolate or
 * module has already created an environment, ONNX Runtime returns that one, with or without a pool.
 *
 * This takes about 15 ms. It is not a nonblocking call, because the process would crash if it exited during the call.
 */
function createEnvironment({ api }: OnnxRuntime, threads: number): Pointer {
  const options = api.CreateThreadingOptions();
  try {
    api.SetGlobalIntraOpNumThreads(options, threads);
    api.SetGlobalInterOpNumThreads(options, 1);
    // The engine cannot stop threads of this pool that spin: they would take the other cores for 30 ms after each run.
    api.SetGlobalSpinControl(options, 0);
    // Errors reach the user as exceptions; the engine's log would repeat them on stderr.
    return api.CreateEnvWithGlobalThreadPools(LoggingLevel.FATAL, cString("webnn"), options);
  } finally {
    api.ReleaseThreadingOptions(options);
  }
}

/** The default number of threads: the number of cores, without the hyper-threads of large machines. */
export function defaultThreads(): number {
  const threads = hardwareThreads();
  return threads <= 4 ? threads : Math.ceil(threads / 2);
}
