/**
 * What a backend is: devices on which tensors live and graphs run. It knows nothing of promises given to users, of WebIDL
 * or of validation: what reaches it is valid, and comes in the order of the context's timeline, one call at a time.
 *
 * Nothing here assumes that memory is visible to the CPU or that work is done when a call returns: a method that gives a
 * promise has finished when the promise settles, one that does not has finished when it returns.
 *
 * @module
 */

import type { Graph, Node } from "../graph/graph.ts";
import type { DeviceLimits } from "../graph/limits.ts";
import type { Descriptor } from "../shape.ts";

/** Something native. It is released exactly once, and never while a call that uses it is in flight. */
export interface Releasable {
  release(): void;
}

/** A constant, in memory of the device's choice. */
export interface Block extends Releasable {
  /** The bytes, valid as long as the block. */
  readonly bytes: Uint8Array;
}

/** The memory of an MLTensor. */
export interface DeviceTensor extends Releasable {
  /** Overwrites all elements. The bytes are the caller's: they are not used after the call has returned. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** All elements, row-major. The bytes are the device's: they are valid until the next call. */
  read(): Uint8Array | Promise<Uint8Array>;
}

/** A compiled graph. */
export interface Executable extends Releasable {
  /** The devices on which its nodes run, most work first: `["cpu"]`. */
  readonly devices: readonly string[];
  /**
   * How long a run holds the calling thread, in milliseconds, as far as it is known; of no use for runs that give a
   * promise.
   */
  readonly blockingTime?: number;
  /** The nodes of the engine's graph that do not run on the device of the context, but on the CPU. */
  readonly elsewhere?: readonly PlacedNode[];
  /** The nodes of the graph of which `elsewhere` has parts. */
  readonly nodesElsewhere?: ReadonlySet<Node>;
  /** What runs it, where the device has more than one engine. */
  readonly engine?: Engine;
  /** The engines that were asked before and did not take the graph, in that order. */
  readonly refusals?: readonly Refusal[];
  /** Computes. Tensors stand in the order of the graph's inputs and outputs; no output is an input. */
  run(inputs: readonly DeviceTensor[], outputs: readonly DeviceTensor[]): void | Promise<void>;
  /** What was measured of the runs until the first call, which ends the measuring. Only where the context asked for it. */
  profile?(): Promise<EngineProfile>;
}

/** What an engine measured of a graph's runs. Times are in milliseconds. */
export interface EngineProfile {
  /** How many runs were measured. */
  readonly runs: number;
  /** The duration of a run. */
  readonly time: number;
  /** In the order in which they ran. */
  readonly nodes: readonly EngineNode[];
  /** The most bytes of computed values that are alive at one time. */
  readonly peakBytes: number;
}

/** What was measured of a node of the engine's graph. */
export interface EngineNode {
  /** Under the engine's name: `"conv2d [stem] #3"`. */
  readonly name: string;
  /** The engine's operator: `"Conv"`. */
  readonly kernel: string;
  /** What ran it, under the engine's name: `"CPUExecutionProvider"`. */
  readonly provider: string;
  /** When it began, after the beginning of the run. */
  readonly start: number;
  /** How long it took. */
  readonly time: number;
  /** The bytes of its outputs. */
  readonly outputBytes: number;
  /** The operation that it is a part of, or a fused one; absent where the engine put it in for itself. */
  readonly operator?: string | undefined;
  /** The nodes of the graph whose work it does, in their order. None where the engine put it in for itself. */
  readonly origins: readonly Node[];
}

/** Where the engine runs a node of its graph. */
export interface PlacedNode {
  /** Its name, which begins with the operator of WebNN that it is a part of, and its label: `"conv2d [stem] #3"`. */
  readonly node: string;
  /** The engine's operator: `"Conv"`. */
  readonly operator: string;
  /** What runs it, under the engine's name: `"CPUExecutionProvider"`. */
  readonly provider: string;
}

/** What runs graphs. */
export interface Engine {
  /** The name of the backend, as in the option `backend`: `"onnxruntime"` or `"coreml"`. */
  readonly backend: string;
  /** What runs graphs inside the engine: `"cpu"`, `"webgpu"`, `"cuda"`, `"coreml"`, or the name of a plug-in. */
  readonly provider: string;
}

/** An engine that did not take a graph. */
export interface Refusal extends Engine {
  /** Why, in words. */
  readonly reason: string;
}

/** A kind of device. */
export type DeviceKind = "cpu" | "gpu" | "npu";

/** A GPU, as WebGPU tells of it. */
export interface GpuAdapter {
  /** Its name, for people. */
  readonly description: string;
  /** The numbers of vendor and device on the PCI bus; NaN if they are not told. */
  readonly vendorId: number;
  readonly deviceId: number;
  /** Whether it is none: it computes on the CPU. */
  readonly isSoftware: boolean;
}

/** A device that there is, or that is expected and is not. */
export interface DeviceEntry extends Engine {
  /** The kind of device. */
  readonly device: DeviceKind;
  /** Who made the provider. */
  readonly vendor: string;
  /** The hardware, as far as the engine knows it; else empty. */
  readonly hardware: string;
  /** The version of the provider. */
  readonly version: string;
  /** Whether a small graph has run on it, and correctly. */
  readonly available: boolean;
  /** Whether it is faster hardware than the CPU, as far as the engine sees. A GPU in software is not. */
  readonly accelerated: boolean;
  /** Why it is not available; what is missing is named. */
  readonly reason?: string;
}

/** What runs a context's graphs, for people. */
export interface DeviceInfo extends Engine {
  /** The kind of device: `"cpu"`, `"gpu"` or `"npu"`. */
  readonly device: DeviceKind;
  /** The version of the engine: `"1.30.0"`. */
  readonly version: string;
  /** The number of CPU threads that a graph may use, the calling one included. */
  readonly threads: number;
  /**
   * Whether every optimiser of this version of ONNX Runtime is known to keep the function, or disabled. A newer version
   * than the one reviewed may have others. Absent where the engine is another one.
   */
  readonly optimizersReviewed?: boolean;
}

/** A device, opened for one context. */
export interface Device {
  readonly info: DeviceInfo;
  /** Whether graphs run on more than the CPU. */
  readonly accelerated: boolean;
  readonly limits: DeviceLimits;
  /** Resolves with the reason if the device is gone for good. */
  readonly lost: Promise<string>;
  /**
   * For memory of JavaScript that the timeline is about to allocate.
   * @throws if so many bytes cannot be had
   */
  checkMemory(bytes: number): void;
  /** A tensor whose elements are all zero. Fails if the memory cannot be had. */
  createTensor(descriptor: Descriptor): DeviceTensor | Promise<DeviceTensor>;
  /** Copies the bytes of a constant, before it returns. Throws if the memory cannot be had. */
  store(bytes: Uint8Array): Block;
  /**
   * Compiles a graph. Blocks that are not shared belong to the device from the call on, also if it fails; it may change
   * or release them at any time. Shared ones stay valid until both their owner and the executable are released.
   */
  compile(graph: Graph<Block>): Executable | Promise<Executable>;
  /** The context is lost: stops what is in flight as soon as it can be stopped. Its promise still settles. */
  abort(): void;
  /** Releases what is left, after everything that was made here has been released. */
  close(): void;
}
