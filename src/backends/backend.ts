/**
 * The interface of a backend: devices that hold tensors and run graphs. A backend knows nothing of WebIDL, of
 * validation or of the user's promises: its arguments are valid, and calls come one at a time, in the order of the
 * context's timeline.
 *
 * The interface does not assume that the CPU can see the memory, or that work is done when a call returns. A method
 * that returns a promise is done when the promise settles; any other is done when it returns.
 *
 * @module
 */

import type { Graph, Node } from "../graph/graph.ts";
import type { DeviceLimits } from "../graph/limits.ts";
import type { Descriptor } from "../shape.ts";

/** A native object. It is released exactly once, and never while a call that uses it is in flight. */
export interface Releasable {
  release(): void;
}

/** A constant, in memory that the device chooses. */
export interface Block extends Releasable {
  /** The bytes, valid until the block is released. */
  readonly bytes: Uint8Array;
}

/** The memory of an MLTensor. */
export interface DeviceTensor extends Releasable {
  /** Overwrites all elements. Does not use `bytes` after the call has returned. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** All elements, row-major. The bytes belong to the device and are valid until its next call. */
  read(): Uint8Array | Promise<Uint8Array>;
}

/**
 * Runs of up to this many milliseconds may block the thread: about as long as the timeline lets synchronous steps block
 * the event loop.
 */
export const SHORT_RUN = 3;

/** A compiled graph. */
export interface Executable extends Releasable {
  /** The devices that run its nodes, the one with the most nodes first: `["cpu"]`. */
  readonly devices: readonly string[];
  /**
   * How long a run blocks the calling thread, in milliseconds, if known. Not used for runs that return a promise.
   */
  readonly blockingTime?: number;
  /** The nodes of the engine's graph that run on the CPU instead of the context's device. */
  readonly elsewhere?: readonly PlacedNode[];
  /** The operations of the graph that have nodes in `elsewhere`. */
  readonly nodesElsewhere?: ReadonlySet<Node>;
  /** The engine that runs it, if the device has several. */
  readonly engine?: Engine;
  /** The engines that were tried first, in that order, and could not run the graph. */
  readonly refusals?: readonly EngineRefusal[];
  /**
   * Runs the graph. Tensors are in the order of the graph's inputs and outputs; no output is an input.
   * @param followingLimit a run that takes at most so many milliseconds may block the calling thread, even if it takes
   * longer than {@linkcode SHORT_RUN}
   */
  run(
    inputs: readonly DeviceTensor[],
    outputs: readonly DeviceTensor[],
    followingLimit?: number,
  ): void | Promise<void>;
  /** The profile of the runs so far; the first call ends the profiling. Absent unless the context profiles. */
  profile?(): Promise<EngineProfile>;
}

/** The engine's profile of a graph's runs. Times are in milliseconds. */
export interface EngineProfile {
  /** The number of measured runs. */
  readonly runs: number;
  /** The duration of a run. */
  readonly time: number;
  /** In the order of execution. */
  readonly nodes: readonly EngineNode[];
  /** The peak memory of intermediate values and outputs, in bytes. */
  readonly peakBytes: number;
}

/** The profile of a node in the engine's graph. */
export interface EngineNode {
  /** The name of the node: `"conv2d [stem] #3"`. */
  readonly name: string;
  /** The operator in the engine: `"Conv"`. */
  readonly kernel: string;
  /** What ran it, by the engine's name: `"CPUExecutionProvider"`. */
  readonly provider: string;
  /** When it started, since the start of the run. */
  readonly start: number;
  /** Its duration. */
  readonly time: number;
  /** The total size of its outputs, in bytes. */
  readonly outputBytes: number;
  /** The operation that it belongs to, or the fused one; absent if the engine added the node. */
  readonly operator?: string | undefined;
  /** The nodes of the graph whose work it does, in order; empty if the engine added the node. */
  readonly origins: readonly Node[];
}

/** A node of the engine's graph, and where it runs. */
export interface PlacedNode {
  /** Its name, which starts with the WebNN operator that it belongs to, and the label: `"conv2d [stem] #3"`. */
  readonly node: string;
  /** The operator in the engine: `"Conv"`. */
  readonly operator: string;
  /** What runs it, by the engine's name: `"CPUExecutionProvider"`. */
  readonly provider: string;
}

/** A backend and the provider in it. */
export interface Engine {
  /** The name of the backend, as in the option `backend`: `"onnxruntime"` or `"coreml"`. */
  readonly backend: string;
  /** The provider in the backend: `"cpu"`, `"webgpu"`, `"cuda"`, `"coreml"`, or the name of a plug-in. */
  readonly provider: string;
}

/** An engine that could not run a graph, and why. */
export interface EngineRefusal extends Engine {
  /** The reason, as text for humans. */
  readonly reason: string;
}

/** A kind of device. */
export type DeviceKind = "cpu" | "gpu" | "npu";

/** A GPU, as WebGPU describes it. */
export interface GpuAdapter {
  /** Its name, as text for humans. */
  readonly description: string;
  /** The PCI numbers of vendor and device; NaN if unknown. */
  readonly vendorId: number;
  readonly deviceId: number;
  /** Whether it is a software rasteriser. */
  readonly isSoftware: boolean;
}

/** A device that works, or one that could be expected but does not. */
export interface DeviceEntry extends Engine {
  /** The kind of device. */
  readonly device: DeviceKind;
  /** The vendor of the provider. */
  readonly vendor: string;
  /** The name of the hardware; empty if the engine does not know it. */
  readonly hardware: string;
  /** The version of the provider. */
  readonly version: string;
  /** Whether a small test graph has run on it with the right result. */
  readonly available: boolean;
  /** Whether it is an accelerator. A software rasteriser is not. */
  readonly accelerated: boolean;
  /** Why it is not available, for example which library is missing. */
  readonly reason?: string;
}

/** What runs a context's graphs: returned by {@linkcode contextInfo}. */
export interface DeviceInfo extends Engine {
  /** The kind of device: `"cpu"`, `"gpu"` or `"npu"`. */
  readonly device: DeviceKind;
  /** The version of the engine: `"1.30.0"`. */
  readonly version: string;
  /** The number of CPU threads that a graph may use, including the calling thread. */
  readonly threads: number;
  /**
   * Whether all optimisers of this version of ONNX Runtime have been reviewed: each keeps the results, or is disabled.
   * A newer version may have others. `undefined` for other engines.
   */
  readonly optimizersReviewed?: boolean;
}

/** A file from which constants are read into native memory. */
export interface ReadableFile {
  /** Reads a part into memory, at once. Throws if the file has become shorter. */
  readNow(memory: Uint8Array<ArrayBuffer>, offset: number): void;
  /**
   * Reads a part into blocks of native memory, one after the other, on another thread.
   * @param blocks the address of `struct iovec[count]`, which must stay allocated, like the blocks, until the promise resolves. It does
   * not reject: `settled()` of the file does
   */
  readInto(blocks: object, count: number, byteLength: number, offset: number): Promise<void>;
}

/** A part of a file. */
export interface FileRange<File extends ReadableFile = ReadableFile> {
  readonly file: File;
  readonly offset: number;
  readonly byteLength: number;
}

/** Reads a part of a file into JavaScript's memory. */
export function readRange({ byteLength, file, offset }: FileRange): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  file.readNow(bytes, offset);
  return bytes;
}

/** A device, opened for one context. */
export interface Device {
  readonly info: DeviceInfo;
  /** Whether graphs run on an accelerator. */
  readonly accelerated: boolean;
  readonly limits: DeviceLimits;
  /** Resolves with the reason if the device is lost. */
  readonly lost: Promise<string>;
  /**
   * Checks that the timeline can allocate `bytes` of JavaScript memory.
   * @throws if there is not enough memory
   */
  checkMemory(bytes: number): void;
  /** Creates a tensor of zeros. Fails if there is not enough memory. */
  createTensor(descriptor: Descriptor): DeviceTensor | Promise<DeviceTensor>;
  /**
   * Copies the bytes of a constant before it returns. Those in a file may be read on another thread, after
   * {@linkcode Device.startReading}; no graph may be compiled with the block before. Throws if there is not enough memory.
   */
  store(contents: Uint8Array | FileRange): Block;
  /** Starts to read the bytes of all blocks that are not read yet. */
  startReading?(): void;
  /**
   * A block with the same memory as a block of another device, which stays valid when the other is released;
   * `undefined` if the device cannot use that memory.
   */
  share?(block: Block): Block | undefined;
  /**
   * Compiles a graph. Takes over the blocks that are not shared, even if it fails: it may change or release them at any
   * time. Shared blocks stay valid until both their owner and the executable are released.
   */
  compile(graph: Graph<Block>): Executable | Promise<Executable>;
  /** Called when the context is lost: stops work in flight as soon as possible. Its promise still settles. */
  abort(): void;
  /** Releases the device itself. Called after everything created on it has been released. */
  close(): void;
}
