/**
 * The timeline of a context: runs writes, dispatches, reads, builds and releases in the order of the calls, and handles
 * the loss of the device.
 *
 * @see https://www.w3.org/TR/webnn/#programming-model-overview
 * @module
 */

import { invalidStateError, messageOf, operationError, unknownError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Block, Device, DeviceTensor, EngineProfile, Executable, Releasable } from "../backends/backend.ts";
import type { Descriptor } from "../shape.ts";
import { blockingRuns } from "./blocking_runs.ts";
import { Queue } from "./queue.ts";

/** How long a read blocks the thread: a constant, plus the time to copy its bytes. In milliseconds. */
const READ_TIME = 0.002;
const BYTES_PER_MILLISECOND = 4e6;

/**
 * An engine's error, kept until a read reports it. The DOMException is created only then, because its stack keeps
 * functions alive, and with them the tensors of the dispatch.
 */
interface Failure {
  readonly cause: unknown;
  exception?: DOMException;
}

/** A tensor on a timeline. An MLTensor refers to it, and so do queued steps: it lives until they are done. */
export class TimelineTensor {
  /** Whether `destroy` was called. Earlier steps still use the tensor; new ones may not. */
  destroyed = false;
  /** Why the contents are invalid: the error of the dispatch that should have computed them. */
  failure: Failure | undefined;
  /** The reject functions of pending reads. */
  readonly reads: Set<(error: unknown) => void> = new Set();

  constructor(readonly timeline: Timeline, readonly descriptor: Descriptor, readonly device: DeviceTensor) {}
}

/** The bytes of a constant on a timeline, and whether their owner has released them. */
export class TimelineBlock {
  destroyed = false;

  constructor(readonly timeline: Timeline, readonly block: Block) {}
}

/** A compiled graph on a timeline. */
export class TimelineGraph {
  destroyed = false;

  constructor(readonly timeline: Timeline, readonly executable: Executable) {}
}

/** Releases native objects whose owners were garbage-collected. It refers to the native object, not to the owner. */
const forgotten = new FinalizationRegistry<{ timeline: Timeline; native: Releasable }>(({ timeline, native }) =>
  timeline.releaseLater(native)
);

/** Closes the devices of contexts that were garbage-collected. */
const abandoned = new FinalizationRegistry<{ device: Device; reference: WeakRef<Timeline> }>(
  ({ device, reference }) => {
    live.delete(reference);
    device.close();
  },
);

/** The timelines of this isolate that are not lost. */
const live = new Set<WeakRef<Timeline>>();

function liveTimelines(): Timeline[] {
  return [...live].map((reference) => reference.deref()).filter((timeline) => timeline !== undefined);
}

/** Loses every timeline of this isolate. Resolves when everything they own is released. */
export async function loseAll(reason: string): Promise<void> {
  const timelines = liveTimelines();
  for (const timeline of timelines) timeline.lose(reason);
  await Promise.all(timelines.map((timeline) => timeline.settled));
}

/**
 * At the end of the program: prints failures that no read has reported, and releases idle timelines, because with
 * `--watch` the process continues and runs the program again.
 */
function endAll(): void {
  for (const timeline of liveTimelines()) timeline.end();
}

/** Runs one context's work on its device, in order. */
export class Timeline {
  readonly #queue = new Queue();
  readonly #startRun = blockingRuns(this.#queue);
  readonly #owned = new Set<Releasable>();
  readonly #pending = new Set<(error: unknown) => void>();
  readonly #loss = Promise.withResolvers<string>();
  /** Resolvers of `settled`. Kept here because losing the context clears the queue. */
  readonly #waiting = new Set<() => void>();
  readonly #unreported = new Set<Failure>();
  readonly #self = new WeakRef(this);
  #lost = false;

  constructor(readonly device: Device) {
    const self = this.#self;
    device.lost.then((reason) => self.deref()?.lose(reason));
    abandoned.register(this, { device, reference: self }, this);
    if (live.size === 0) globalThis.addEventListener("unload", endAll);
    live.add(self);
  }

  /** Whether the device is gone or the context destroyed. */
  get isLost(): boolean {
    return this.#lost;
  }

  /** Resolves with the reason when the device is gone or the context destroyed. */
  get lost(): Promise<string> {
    return this.#loss.promise;
  }

  /** Resolves when all earlier work is done. */
  get settled(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    this.#queue.add(() => {
      this.#waiting.delete(resolve);
      resolve();
    });
    return promise;
  }

  /** Allocates a tensor of zeros. Rejects with UnknownError if there is not enough memory. */
  createTensor(descriptor: Descriptor): Promise<TimelineTensor> {
    return this.#schedule({
      step: () => this.device.createTensor(descriptor),
      finish: (native) => this.#own(new TimelineTensor(this, descriptor, native), native),
      discard: (native) => native.release(),
      translate: (error) => unknownError(`The memory of the tensor could not be allocated: ${messageOf(error)}`, error),
    });
  }

  /** Stores the bytes of a constant, as the device does. Throws an UnknownError if there is not enough memory. */
  store(contents: Parameters<Device["store"]>[0]): TimelineBlock {
    try {
      const native = this.device.store(contents);
      return this.#own(new TimelineBlock(this, native), native);
    } catch (error) {
      throw unknownError(`The memory of the constant could not be allocated: ${messageOf(error)}`, error);
    }
  }

  /**
   * A block with the bytes of a block of another timeline: the same memory if the device can use it, or else a copy.
   * Throws an UnknownError if there is not enough memory for the copy.
   */
  share({ block }: TimelineBlock): TimelineBlock {
    const native = this.device.share?.(block);
    return native ? this.#own(new TimelineBlock(this, native), native) : this.store(block.bytes);
  }

  /** Compiles a graph, which takes over the blocks that are not shared. */
  compile(graph: Graph<TimelineBlock>): Promise<TimelineGraph> {
    return this.#schedule({
      step: () => {
        for (const { block, shared } of graph.constants) if (!shared) this.#disown(block);
        const began = performance.now();
        const compiled = this.device.compile({
          ...graph,
          constants: graph.constants.map((constant) => ({ ...constant, block: constant.block.block })),
        });
        this.#queue.spend(performance.now() - began);
        return compiled;
      },
      finish: (native) => this.#own(new TimelineGraph(this, native), native),
      discard: (native) => native.release(),
      translate: (error) => operationError(`The graph could not be built: ${messageOf(error)}`, error),
    });
  }

  /**
   * Overwrites a tensor. If the write has to wait for earlier work, copies the bytes now; if there is no memory for the
   * copy, throws an UnknownError and leaves the tensor unchanged.
   * @param where the caller's name, for the error
   */
  write(tensor: TimelineTensor, bytes: Uint8Array, where: string): void {
    if (this.#queue.idle) {
      this.#queue.add(() => this.#compute([tensor], () => tensor.device.write(bytes)));
      return;
    }
    const copy = this.copy(
      bytes,
      `${where}: earlier work is still running, and there is not enough memory to queue the data; await a read before you write more`,
    );
    this.#queue.add(() =>
      this.#compute([tensor], () => {
        try {
          return tensor.device.write(copy);
        } finally {
          copy.buffer.transfer(0); // Free the copy now, not at some later garbage collection.
        }
      })
    );
  }

  /** Copies bytes to JavaScript memory. Throws an UnknownError that begins with `problem` if there is not enough. */
  copy(bytes: Uint8Array, problem: string): Uint8Array<ArrayBuffer> {
    try {
      this.device.checkMemory(bytes.byteLength);
      return bytes.slice() as Uint8Array<ArrayBuffer>;
    } catch (error) {
      throw unknownError(`${problem}: ${messageOf(error)}`, error);
    }
  }

  /** The profile of a graph's runs so far. Rejects with OperationError if the engine fails. */
  profile({ executable }: TimelineGraph): Promise<EngineProfile> {
    return this.#schedule({
      step: () => executable.profile!(),
      finish: (profile) => profile,
      discard: () => {},
      translate: (error) => operationError(`The profile could not be read: ${messageOf(error)}`, error),
    });
  }

  /** Runs a graph. If it fails, its outputs are poisoned: reading one rejects with the error. */
  dispatch(graph: TimelineGraph, inputs: readonly TimelineTensor[], outputs: readonly TimelineTensor[]): void {
    this.#queue.add(() => this.#run(graph, inputs, outputs));
  }

  /** Reads a tensor. `deliver` gets its bytes, which are only valid during the call. */
  read<T>(tensor: TimelineTensor, deliver: (bytes: Uint8Array) => T): Promise<T> {
    let hasReturned = false;
    const result = this.#schedule({
      step: () => hasReturned ? this.#read(tensor) : this.#readSoon(tensor),
      finish: (bytes: Uint8Array) => {
        this.#queue.spend(READ_TIME + bytes.byteLength / BYTES_PER_MILLISECOND);
        return deliver(bytes);
      },
      discard: () => {},
      translate: (error) => error instanceof DOMException ? error : toOperationError(error),
      rejecters: tensor.reads,
    });
    hasReturned = true;
    return result;
  }

  /**
   * Reads a tensor like `read`, but returns the result itself, not a promise, if there is no earlier work and the
   * device reads synchronously.
   */
  readSoonest<T>(tensor: TimelineTensor, deliver: (bytes: Uint8Array) => T): T | Promise<T> {
    const results: T[] = [];
    const promise = this.#schedule({
      step: () => this.#read(tensor),
      finish: (bytes: Uint8Array) => results[0] = deliver(bytes),
      discard: () => {},
      translate: (error) => error instanceof DOMException ? error : toOperationError(error),
      rejecters: tensor.reads,
      isUrgent: true,
    });
    return results.length > 0 ? results[0]! : promise;
  }

  /** Overwrites a tensor with bytes that `fetch` gets when the step runs. */
  fill(tensor: TimelineTensor, fetch: (write: (bytes: Uint8Array) => void | Promise<void>) => Promise<void>): void {
    this.#queue.add(() => this.#compute([tensor], () => fetch((bytes) => tensor.device.write(bytes))));
  }

  /** Releases a tensor after all earlier work. Pending reads reject at once. */
  destroyTensor(tensor: TimelineTensor): void {
    if (tensor.destroyed) return;
    tensor.destroyed = true;
    for (const reject of tensor.reads) reject(invalidStateError("The tensor was destroyed before it was read."));
    this.#queue.add(() => this.#clearFailure(tensor));
    this.releaseLater(tensor.device);
    forgotten.unregister(tensor);
  }

  /** Releases a graph after all earlier work. */
  destroyGraph(graph: TimelineGraph): void {
    if (graph.destroyed) return;
    graph.destroyed = true;
    this.releaseLater(graph.executable);
    forgotten.unregister(graph);
  }

  /** Releases a block after all earlier work. Graphs that share it keep its bytes. */
  destroyBlock(block: TimelineBlock): void {
    if (block.destroyed) return;
    block.destroyed = true;
    this.releaseLater(block.block);
    forgotten.unregister(block);
  }

  /** Loses the device: pending promises reject, and everything is released once the step in flight is done. */
  lose(reason: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#loss.resolve(reason);
    this.#queue.clear();
    for (const reject of this.#pending) reject(invalidStateError(`The context was lost: ${reason}`));
    this.device.abort();
    this.#queue.addUrgent(() => this.#releaseAll());
    this.#forget();
  }

  #forget(): void {
    abandoned.unregister(this);
    live.delete(this.#self);
  }

  /** Prints the failures that no read has reported. */
  report(): void {
    for (const failure of this.#unreported) print(this.#report(failure));
  }

  /** Ends with the program: releases everything, without resolving `lost`. If work is pending, releases nothing. */
  end(): void {
    this.report();
    if (this.#pending.size > 0) return;
    this.#lost = true;
    this.#queue.addUrgent(() => this.#releaseAll());
    this.#forget();
  }

  /** Releases a native object after all earlier work, unless it is already released. */
  releaseLater(native: Releasable): void {
    this.#queue.add(() => {
      if (this.#owned.delete(native)) native.release();
    });
  }

  #read(tensor: TimelineTensor): Uint8Array | Promise<Uint8Array> {
    if (tensor.failure) throw this.#report(tensor.failure);
    return tensor.device.read();
  }

  /** Lets the script act on the tensor or the buffer right after the call. */
  async #readSoon(tensor: TimelineTensor): Promise<Uint8Array> {
    await undefined;
    return this.#read(tensor);
  }

  #own<T extends object>(owner: T, native: Releasable): T {
    this.#owned.add(native);
    forgotten.register(owner, { timeline: this, native }, owner);
    return owner;
  }

  #disown(block: TimelineBlock): void {
    this.#owned.delete(block.block);
    forgotten.unregister(block);
  }

  #releaseAll(): void {
    this.report();
    for (const native of this.#owned) native.release();
    this.#owned.clear();
    this.device.close();
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #run(
    { executable }: TimelineGraph,
    inputs: readonly TimelineTensor[],
    outputs: readonly TimelineTensor[],
  ): void | Promise<void> {
    for (const { failure } of inputs) if (failure) return this.#poison(outputs, failure);
    return this.#startRun(
      executable,
      (limit) => this.#compute(outputs, () => executable.run(inputs.map(deviceOf), outputs.map(deviceOf), limit)),
    );
  }

  /** Runs work that overwrites the targets: if it succeeds they are valid, if it fails they are poisoned. */
  #compute(targets: readonly TimelineTensor[], work: () => void | Promise<void>): void | Promise<void> {
    try {
      const pending = work();
      if (pending) return pending.then(() => this.#markValid(targets), (error) => this.#fail(targets, error));
      this.#markValid(targets);
    } catch (error) {
      this.#fail(targets, error);
    }
  }

  #markValid(targets: readonly TimelineTensor[]): void {
    for (const target of targets) if (target.failure) this.#clearFailure(target);
  }

  #fail(targets: readonly TimelineTensor[], error: unknown): void {
    if (this.#lost) return; // The loss caused the error, and nobody can read the targets any more.
    const failure = { cause: error };
    this.#unreported.add(failure);
    this.#poison(targets, failure);
  }

  #poison(targets: readonly TimelineTensor[], failure: Failure): void {
    for (const target of targets) {
      if (target.failure !== failure) this.#clearFailure(target);
      target.failure = failure;
    }
  }

  /** Clears the failure of a tensor whose contents go away; prints it if no read has reported it. */
  #clearFailure(tensor: TimelineTensor): void {
    if (tensor.failure && this.#unreported.has(tensor.failure)) print(this.#report(tensor.failure));
    tensor.failure = undefined;
  }

  #report(failure: Failure): DOMException {
    this.#unreported.delete(failure);
    return failure.exception ??= toOperationError(failure.cause);
  }

  /** Queues a step that returns a result. */
  #schedule<Native, T>({ step, finish, discard, translate, rejecters, isUrgent }: Task<Native, T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let settled = false;
    const settle = (act: () => void) => {
      settled = true;
      this.#pending.delete(cancel);
      rejecters?.delete(cancel);
      act();
    };
    const cancel = (error: unknown) => settle(() => reject(error));
    const succeed = (native: Native) => {
      if (settled) discard(native);
      else settle(() => resolve(attempt(() => finish(native))));
    };
    const fail = (error: unknown) => {
      if (!settled) cancel(translate(error));
    };
    this.#pending.add(cancel);
    rejecters?.add(cancel);
    const work = () => {
      if (settled) return;
      try {
        const native = step();
        return native instanceof Promise ? native.then(succeed, fail) : succeed(native);
      } catch (error) {
        return fail(error);
      }
    };
    if (isUrgent) this.#queue.addUrgent(work);
    else this.#queue.add(work);
    return promise;
  }
}

/** A step that returns a result. */
interface Task<Native, T> {
  /** What the device does. */
  step(): Native | Promise<Native>;
  /** Makes the result for the user. If it throws, the promise rejects with that error, untranslated. */
  finish(native: Native): T;
  /** Disposes of a result that arrives after the promise was rejected. */
  discard(native: Native): void;
  /** Makes the error for the user from the device's error. */
  translate(error: unknown): unknown;
  /**
   * A set that holds the reject function while the promise is pending, in addition to that for the loss of the context.
   */
  readonly rejecters?: Set<(error: unknown) => void>;
  /** Whether to use `Queue.addUrgent`. */
  readonly isUrgent?: boolean;
}

/** The result of a function, or a promise rejected with what it throws. */
function attempt<T>(compute: () => T): T | Promise<never> {
  try {
    return compute();
  } catch (error) {
    return Promise.reject(error);
  }
}

const deviceOf = (tensor: TimelineTensor): DeviceTensor => tensor.device;

function toOperationError(error: unknown): DOMException {
  return operationError(messageOf(error), error);
}

/** Prints an error. The console may be the script's own; if it throws, the timeline must go on. */
function print(error: DOMException): void {
  try {
    console.error(error);
  } catch {
    // There is nowhere else to report it.
  }
}
