/**
 * A context's device on ONNX Runtime.
 *
 * @module
 */

import type { Pointer } from "../../../ffi/memory.ts";
import { OrtError } from "../../../ffi/onnxruntime/table.ts";
import { inTurns, startStretch, type Steps } from "../../event_loop.ts";
import type { Graph } from "../../graph/graph.ts";
import type { DeviceLimits } from "../../graph/limits.ts";
import { peakBytes } from "../../graph/peak_memory.ts";
import type { Descriptor } from "../../shape.ts";
import type { Block, Device, DeviceInfo, Executable, FileRange, Releasable } from "../backend.ts";
import { checkMemory, checkWorkMemory } from "../common/memory.ts";
import type { Facts } from "./compile_cache/entry.ts";
import type { Source } from "./compile_cache/key.ts";
import type { CacheAccess, CachedGraph, CompileCache, CreateSession } from "./compile_cache/mod.ts";
import { estimateMicroseconds } from "./cost.ts";
import { OrtExecutable } from "./executable.ts";
import { FileWeights } from "./file_weights.ts";
import { LIMITS } from "./limits.ts";
import { createSession, createSessionInline } from "./model.ts";
import { NativeBlock } from "./native_block.ts";
import type { OnnxGraph } from "./onnx.ts";
import { entriesForGraph, isReviewed } from "./optimizers.ts";
import { packedWeights } from "./packed_weights.ts";
import { gainsFromPacking } from "./packing.ts";
import type { Profiler } from "./profile/profiler.ts";
import type { Accelerator } from "./providers/accelerator.ts";
import { AcceleratorTensor } from "./providers/device_tensor.ts";
import { checkPlacement, place } from "./providers/placed_executable.ts";
import type { ProviderOptions } from "./providers/provider.ts";
import { canCapture, recorderOf } from "./recording.ts";
import { type OrtRuntime, returningWeights } from "./runtime.ts";
import { type OrtSession, ownSession } from "./session.ts";
import {
  addConfiguration,
  type Circumstances,
  type Differences,
  keepOptions,
  type KeptOptions,
  needsArena,
  type SessionSettings,
  waitingOf,
} from "./session_options.ts";
import { OrtTensor, type ValueTensor } from "./tensor.ts";
import type { Forms } from "./forms.ts";

/**
 * Graphs within these limits are compiled synchronously: nodes of the engine, bytes of weights, and microseconds per
 * run.
 */
const INLINE_LIMITS = { nodes: 8, weightBytes: 2 ** 16, microseconds: 100 };

/** Entries of a session's configuration, by the engine's names. */
type ConfigEntries = Readonly<Record<string, string>>;

/**
 * The estimated microseconds of short runs. The estimate is cautious: such runs take up to a millisecond or two on one
 * core.
 */
const SHORT = { min: INLINE_LIMITS.microseconds, max: 15_000 };

/** How the options of a graph's session differ from those of the context. */
interface GraphSettings extends Differences {
  /** The provider's options for this graph. */
  readonly graphOptions?: ProviderOptions;
  readonly adapt?: ((options: Pointer) => void) | undefined;
}

/** The code that turns graphs into models, once it is loaded. */
let translation: Translation | undefined;
type Translation = typeof import("./translate.ts");

const CPU = { device: "cpu", name: "cpu", isHardware: true } as const;

/** The CPU, or an accelerator with the CPU as fallback. */
export class OrtDevice implements Device {
  readonly info: DeviceInfo;
  readonly accelerated: boolean;
  readonly limits: DeviceLimits;
  readonly lost: Promise<string>;
  /** The run options of the run in flight; the timeline allows only one at a time. */
  readonly #runOptions: Pointer;
  /** The options of sessions on the CPU. */
  readonly #options: KeptOptions;
  #fileWeights: FileWeights | undefined;
  /** The options of sessions being created. */
  readonly #inCreation: Set<Pointer> = new Set();

  constructor(
    readonly runtime: OrtRuntime,
    readonly settings: SessionSettings,
    readonly accelerator?: Accelerator,
    /** The compile cache; only for the CPU, and if the context has a cache folder. */
    readonly cache?: CompileCache,
  ) {
    const { device, name, isHardware } = accelerator?.provider ?? CPU;
    this.info = {
      backend: "onnxruntime",
      device,
      provider: name,
      version: runtime.version,
      threads: settings.threads,
      optimizersReviewed: isReviewed(runtime.version),
    };
    this.accelerated = device !== "cpu" && isHardware;
    this.limits = accelerator?.limits ?? LIMITS;
    // A CPU cannot be lost.
    this.lost = accelerator?.lost ?? new Promise(() => {});
    this.#runOptions = runtime.api.CreateRunOptions();
    this.#options = keepOptions(runtime, settings);
    runtime.devices++;
    if (settings.threads > 1) runtime.parallelDevices++;
  }

  checkMemory(bytes: number): void {
    checkMemory(bytes);
  }

  createTensor(descriptor: Descriptor): ValueTensor | Promise<ValueTensor> {
    const { accelerator } = this;
    if (accelerator?.allocator) return AcceleratorTensor.create(accelerator, descriptor);
    return OrtTensor.create(this.runtime, descriptor);
  }

  store(contents: Uint8Array | FileRange): NativeBlock {
    const isFile = !(contents instanceof Uint8Array);
    if (isFile && !this.cache) return (this.#fileWeights ??= new FileWeights(this.runtime)).add(contents);
    const write = (bytes: Uint8Array<ArrayBuffer>) =>
      isFile ? contents.file.readNow(bytes, contents.offset) : bytes.set(contents);
    const block = NativeBlock.make(this.runtime, contents.byteLength, write);
    if (this.cache) block.hash(); // Now, while the bytes are in the processor's caches.
    return block;
  }

  startReading(): void {
    this.#fileWeights?.start();
  }

  share(block: Block): NativeBlock | undefined {
    if (!(block instanceof NativeBlock) || block.runtime !== this.runtime) return undefined;
    block.retain();
    return block;
  }

  async compile(given: Graph<NativeBlock>): Promise<Executable> {
    let graph = given;
    let profiler: Profiler | undefined;
    try {
      if (this.settings.profile) profiler = await this.#createProfiler();
      const source = await this.cache?.identify(given);
      // A profile needs the lowered graph.
      const cached = source && !profiler && await this.cache!.load(source, this.#accessOf(given));
      if (cached) return this.#executableOf(cached);
      const translate = translation ??= await import("./translate.ts");
      const stretch = startStretch();
      // Steps that finish at once are not awaited, so that the timeline counts their time.
      const rewriting = inTurns(this.#rewrite(given, translate), stretch);
      graph = rewriting instanceof Promise ? await rewriting : rewriting;
      const peak = peakBytes(graph);
      if (!this.accelerator?.allocator) checkRunMemory(peak);
      const lowering = inTurns(
        translate.lowerInSteps(graph, { ...this.settings, provider: this.info.provider }),
        stretch,
      );
      const onnx = lowering instanceof Promise ? await lowering : lowering;
      const facts = factsOf(graph, onnx, peak);
      if (stretch.isOver()) await stretch.turn();
      const session = await this.#makeSession(graph, onnx, facts, profiler, source);
      return await this.#makeExecutable(session, { given, rewritten: graph, onnx }, facts, profiler);
    } catch (error) {
      profiler?.release();
      throw error;
    } finally {
      // Blocks that the model took over are no longer owned; the others were copied or not used.
      releaseOwned(graph);
    }
  }

  abort(): void {
    try {
      this.runtime.api.RunOptionsSetTerminate(this.#runOptions);
      for (const options of this.#inCreation) this.runtime.api.SessionOptionsSetLoadCancellationFlag(options, true);
    } catch {
      // Work that cannot be stopped ends by itself.
    }
  }

  close(): void {
    this.runtime.devices--;
    if (this.settings.threads > 1) this.runtime.parallelDevices--;
    this.runtime.api.ReleaseRunOptions(this.#runOptions);
    this.#options.release();
    this.accelerator?.close();
  }

  /** Rewrites the graph with the patterns that the provider benefits from. */
  #rewrite(
    graph: Graph<NativeBlock>,
    { rewriteInSteps, rewritesOf }: Translation,
  ): Steps<Graph<NativeBlock>> {
    const rows = rewritesOf(this.accelerator?.provider.name, this.settings.allowReducedPrecision);
    return rewriteInSteps(graph, rows, {
      read: ({ bytes }) => bytes,
      store: (byteLength, write) => NativeBlock.make(this.runtime, byteLength, write),
      change: (block, edit) => block.changeLater(edit),
      release: (block) => block.release(),
      derive: (block, key, compute) => block.derive(key, compute),
    });
  }

  /** Loads the profiler only if the context asks for it. */
  async #createProfiler(): Promise<Profiler> {
    const { createProfiler } = await import("./profile/profiler.ts");
    return createProfiler(this.runtime);
  }

  /**
   * Loads the graph from the cache, or creates the session. The session borrows shared blocks and takes over the
   * others.
   */
  async #makeSession(
    graph: Graph<NativeBlock>,
    onnx: OnnxGraph,
    facts: Facts,
    profiler: Profiler | undefined,
    source: Source | undefined,
  ): Promise<OrtSession> {
    const entries = entriesForGraph(onnx, this.info.provider);
    if (source) {
      const cached = await this.cache!.add(source, onnx, facts, this.#accessOf(graph, entries, profiler));
      if (cached) return cached.session;
    }
    const { accelerator, runtime } = this;
    const [borrowed, owned] = [true, false].map((isShared) =>
      graph.constants.filter(({ shared }) => shared === isShared).map(({ block }) => block)
    ) as [NativeBlock[], NativeBlock[]];
    for (const block of borrowed) block.retain();
    const packed = packedWeights(runtime, accelerator ? { ...onnx, initializers: [] } : onnx);
    const weightBytes = owned.reduce((total, { byteLength }) => total + byteLength, 0);
    try {
      const inline = !accelerator && isSmall(graph, onnx, facts);
      const make = inline ? createSessionInline : createSession;
      const create = (options: Pointer) => make(runtime, onnx, options, packed.container);
      const graphOptions = accelerator ? await accelerator.graphOptions(onnx) : {};
      const adapt = (options: Pointer) => {
        packed.addTo(options);
        profiler?.addTo(options);
      };
      const isPlain = packed.container === null && !profiler;
      const graphSettings = {
        entries,
        ...this.#differencesOf(facts),
        packsWeights: true,
        graphOptions,
        adapt: isPlain ? undefined : adapt,
      };
      const pointer = await returningWeights(
        runtime,
        weightBytes + packed.duplicateBytes,
        () => this.#createSession(create, graphSettings),
      );
      const unread = packed.unread();
      for (const block of borrowed) if (unread.has(block)) block.release();
      const read = borrowed.filter((block) => !unread.has(block));
      return ownSession(runtime, pointer, [packed, ...read], weightBytes);
    } catch (error) {
      for (const user of [packed, ...borrowed]) user.release();
      throw error;
    }
  }

  /** How the cache gets sessions for a graph. */
  #accessOf(graph: Graph<NativeBlock>, entries: ConfigEntries = {}, profiler?: Profiler): CacheAccess {
    return {
      create: (facts, create, adaptEntry) => {
        const adapt = (options: Pointer) => {
          adaptEntry(options);
          profiler?.addTo(options);
        };
        const { packsWeights } = facts;
        return this.#createSession(create, { entries, ...this.#differencesOf(facts), packsWeights, adapt });
      },
      releaseWeights: () => releaseOwned(graph),
    };
  }

  /** Takes over the session, even if this fails, and the profiler if it succeeds. */
  async #makeExecutable(
    session: OrtSession,
    forms: Forms,
    facts: Facts,
    profiler: Profiler | undefined,
  ): Promise<Executable> {
    const { accelerator } = this;
    try {
      const placement = accelerator && checkPlacement(accelerator, session.pointer, forms);
      const executable = this.#executable(session, facts);
      if (profiler) return (await import("./profile/measured_executable.ts")).measured(executable, profiler, forms);
      return accelerator && placement ? place(accelerator, executable, placement) : executable;
    } catch (error) {
      this.#perform(() => session.release());
      throw error;
    }
  }

  /** Takes over the session, even if this fails. */
  #executableOf({ session, facts }: CachedGraph): OrtExecutable {
    try {
      checkRunMemory(facts.peakBytes);
      return this.#executable(session, facts);
    } catch (error) {
      session.release();
      throw error;
    }
  }

  /** Takes over the session. */
  #executable(session: OrtSession, { inputs, outputs, microseconds }: Facts): OrtExecutable {
    const { accelerator, runtime } = this;
    return new OrtExecutable(runtime, session, {
      signature: { inputs, outputs },
      runOptions: this.#runOptions,
      estimatedMicroseconds: microseconds,
      blockingLimit: this.settings.blockingLimit,
      record: accelerator?.settings.graphCapture && canCapture(runtime)
        ? recorderOf(runtime, session.pointer)
        : undefined,
    });
  }

  /** Waits for the accelerator's turn. */
  #perform<T>(work: () => T | Promise<T>): T | Promise<T> {
    return this.accelerator ? this.accelerator.perform(work) : work();
  }

  #differencesOf({ microseconds, peakBytes }: Facts): Pick<Differences, "hasArena" | "waiting"> {
    const { parallelDevices: contexts, graphs } = this.runtime;
    const waiting = waitingOf(this.settings, { run: lengthOfRun(microseconds), contexts, graphs });
    return { waiting, hasArena: needsArena(peakBytes) };
  }

  /** Creates a session with `create`, from options with the graph's provider options, changed by `adapt`. */
  async #createSession(create: CreateSession, graphSettings: GraphSettings): Promise<Pointer> {
    try {
      return await this.#tryCreateSession(create, graphSettings);
    } catch (error) {
      if (!isMissingPool(error)) throw error;
      // Someone else created the environment of the process without a pool, so each session gets its own.
      this.runtime.poolThreads = 0;
      return await this.#tryCreateSession(create, graphSettings);
    }
  }

  async #tryCreateSession(create: CreateSession, graphSettings: GraphSettings): Promise<Pointer> {
    const options = this.#sessionOptions(graphSettings);
    this.#inCreation.add(options.pointer);
    try {
      return await this.#perform(() => create(options.pointer));
    } finally {
      this.#inCreation.delete(options.pointer);
      options.release();
    }
  }

  /** The options of a session: the kept ones, if nothing is changed. */
  #sessionOptions(
    { adapt, graphOptions, ...differences }: GraphSettings,
  ): Releasable & { readonly pointer: Pointer } {
    const { accelerator, runtime: { api } } = this;
    if (!accelerator && !adapt) return { pointer: this.#options.with(differences), release() {} };
    const pointer = accelerator?.createSessionOptions(graphOptions) ??
      api.CloneSessionOptions(this.#options.with(differences));
    const options = { pointer, release: () => api.ReleaseSessionOptions(pointer) };
    try {
      if (accelerator) addConfiguration(this.runtime, pointer, differences.entries);
      adapt?.(pointer);
      return options;
    } catch (error) {
      options.release();
      throw error;
    }
  }
}

/** Releases the graph's own blocks that have not been released yet. */
function releaseOwned({ constants }: Graph<NativeBlock>): void {
  for (const { block, shared } of constants) if (!shared) block.release();
}

function checkRunMemory(bytes: number): void {
  checkWorkMemory(bytes, "the graph's intermediate values take");
}

function factsOf(graph: Graph<NativeBlock>, { inputs, outputs }: OnnxGraph, peakBytes: number): Facts {
  return {
    inputs: inputs.map(({ name }) => name),
    outputs: outputs.map(({ name }) => name),
    microseconds: estimateMicroseconds(graph),
    peakBytes,
    packsWeights: gainsFromPacking(graph),
  };
}

/** Whether creating the session takes less time than waking another thread. */
function isSmall({ constants }: Graph<NativeBlock>, { nodes }: OnnxGraph, { microseconds }: Facts): boolean {
  return nodes.length <= INLINE_LIMITS.nodes && microseconds <= INLINE_LIMITS.microseconds &&
    constants.reduce((total, { block }) => total + block.byteLength, 0) <= INLINE_LIMITS.weightBytes;
}

function lengthOfRun(microseconds: number): Circumstances["run"] {
  if (microseconds <= SHORT.min) return "tiny";
  return microseconds <= SHORT.max ? "short" : "long";
}

function isMissingPool(error: unknown): boolean {
  return error instanceof OrtError && error.message.includes("CreateEnvWithGlobalThreadPools");
}
