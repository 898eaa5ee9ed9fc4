/**
 * The timeline of a context: writes, dispatches, reads, builds and releases in the order of the calls, and the loss of
 * the device.
 *
 * @see https://www.w3.org/TR/webnn/#programming-model-timelines
 * @module
 */

import { invalidStateError, messageOf, operationError, unknownError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Block, Device, DeviceTensor, EngineProfile, Executable, Releasable } from "../backends/backend.ts";
import type { Descriptor } from "../shape.ts";
import { Queue } from "./queue.ts";

/** How long a read holds the event loop's thread, in milliseconds, beside its copy; and what is copied in one. */
const READ_TIME = 0.002;
const BYTES_PER_MILLISECOND = 4e6;

/**
 * An error of the engine that waits for the read that will report it. The DOMException is made then: an error keeps the
 * functions on its stack, and with them the tensors of the dispatch.
 */
interface Failure {
  readonly cause: unknown;
  exception?: DOMException;
}

/** A tensor on a timeline. Users hold it by an MLTensor; queued steps hold it too, so that it outlives them. */
export class TimelineTensor {
  /** Set by the first destroy: nothing may use the tensor any more, but earlier steps still do. */
  destroyed = false;
  /** Why the contents are not valid: the dispatch that should have computed them failed. */
  failure: Failure | undefined;
  /** Rejects each read that is pending. */
  readonly reads: Set<(error: unknown) => void> = new Set();

  constructor(readonly timeline: Timeline, readonly descriptor: Descriptor, readonly device: DeviceTensor) {}
}

/** The bytes of a constant on a timeline, and whether their owner has let go of them. */
export class TimelineBlock {
  destroyed = false;

  constructor(readonly timeline: Timeline, readonly block: Block) {}
}

/** A compiled graph on a timeline. */
export class TimelineGraph {
  destroyed = false;

  constructor(readonly timeline: Timeline, readonly executable: Executable) {}
}

/** Releases what was forgotten. The native object is held here, the timeline's object is not. */
const forgotten = new FinalizationRegistry<{ timeline: Timeline; native: Releasable }>(({ timeline, native }) =>
  timeline.releaseLater(native)
);

/** Closes the devices of forgotten contexts. */
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

/** Loses every timeline of this isolate, and resolves when all that they owned is released. */
export async function loseAll(reason: string): Promise<void> {
  const timelines = liveTimelines();
  for (const timeline of timelines) timeline.lose(reason);
  await Promise.all(timelines.map((timeline) => timeline.settled));
}

/**
 * At the end of the program the console is told of the failures that nobody has read, and what is idle is released: with
 * `--watch` the process goes on and runs the program again.
 */
function endAll(): void {
  for (const timeline of liveTimelines()) timeline.end();
}

/** The order of one context's work on its device. */
export class Timeline {
  readonly #queue = new Queue();
  readonly #owned = new Set<Releasable>();
  readonly #pending = new Set<(error: unknown) => void>();
  readonly #loss = Promise.withResolvers<string>();
  /** Resolvers of `settled`: the loss of the context, which clears the queue, must not forget them. */
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

  /** Allocates a tensor of zeros. Rejects with UnknownError if the memory cannot be had. */
  createTensor(descriptor: Descriptor): Promise<TimelineTensor> {
    return this.#schedule({
      step: () => this.device.createTensor(descriptor),
      finish: (native) => this.#own(new TimelineTensor(this, descriptor, native), native),
      discard: (native) => native.release(),
      translate: (error) => unknownError(`The memory of the tensor could not be allocated: ${messageOf(error)}`, error),
    });
  }

  /** Copies the bytes of a constant, at once. Throws an UnknownError if the memory cannot be had. */
  store(bytes: Uint8Array): TimelineBlock {
    try {
      const native = this.device.store(bytes);
      return this.#own(new TimelineBlock(this, native), native);
    } catch (error) {
      throw unknownError(`The memory of the constant could not be allocated: ${messageOf(error)}`, error);
    }
  }

  /** Compiles a graph. Its blocks that are not shared belong to the graph from now on. */
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
   * Overwrites a tensor with the bytes, which are copied now if the write has to wait. Throws an UnknownError, and leaves
   * the tensor alone, if there is no memory for the copy.
   * @param where who writes, for the error
   */
  write(tensor: TimelineTensor, bytes: Uint8Array, where: string): void {
    if (this.#queue.idle) {
      this.#queue.add(() => this.#compute([tensor], () => tensor.device.write(bytes)));
      return;
    }
    const copy = this.copy(
      bytes,
      `${where}: the data has to wait for earlier work, and there is no memory for a copy; await a read before more is written`,
    );
    this.#queue.add(() =>
      this.#compute([tensor], () => {
        try {
          return tensor.device.write(copy);
        } finally {
          copy.buffer.transfer(0); // Not used any more. The garbage collector would come to it much later.
        }
      })
    );
  }

  /** A copy of bytes in memory of JavaScript. Throws an UnknownError that begins with `problem` if there is none for it. */
  copy(bytes: Uint8Array, problem: string): Uint8Array<ArrayBuffer> {
    try {
      this.device.checkMemory(bytes.byteLength);
      return bytes.slice() as Uint8Array<ArrayBuffer>;
    } catch (error) {
      throw unknownError(`${problem}: ${messageOf(error)}`, error);
    }
  }

  /** What was measured of a graph's runs so far. Rejects with OperationError if the engine fails. */
  profile({ executable }: TimelineGraph): Promise<EngineProfile> {
    return this.#schedule({
      step: () => executable.profile!(),
      finish: (profile) => profile,
      discard: () => {},
      translate: (error) => operationError(`What was measured could not be read: ${messageOf(error)}`, error),
    });
  }

  /** Runs a graph. If it fails, its outputs are poisoned: reading one rejects with the error. */
  dispatch(graph: TimelineGraph, inputs: readonly TimelineTensor[], outputs: readonly TimelineTensor[]): void {
    this.#queue.add(() => this.#run(graph, inputs, outputs));
  }

  /** Reads a tensor. `deliver` gets its bytes, which are only valid during the call. */
  read<T>(tensor: TimelineTensor, deliver: (bytes: Uint8Array) => T): Promise<T> {
    return this.#schedule({
      step: async () => {
        await undefined; // What script does to the tensor or the buffer right after the call comes first.
        if (tensor.failure) throw this.#report(tensor.failure);
        return tensor.device.read();
      },
      finish: (bytes) => {
        this.#queue.spend(READ_TIME + bytes.byteLength / BYTES_PER_MILLISECOND);
        return deliver(bytes);
      },
      discard: () => {},
      translate: (error) => error instanceof DOMException ? error : toOperationError(error),
      rejecters: tensor.reads,
    });
  }

  /**
   * Reads a tensor as `read` does; but if there is no earlier work, and the device has the bytes at hand, at once: what
   * comes back then is the result itself.
   */
  readSoonest<T>(tensor: TimelineTensor, deliver: (bytes: Uint8Array) => T): T | Promise<T> {
    const results: T[] = [];
    const promise = this.#schedule({
      step: () => {
        if (tensor.failure) throw this.#report(tensor.failure);
        return tensor.device.read();
      },
      finish: (bytes) => results[0] = deliver(bytes),
      discard: () => {},
      translate: (error) => error instanceof DOMException ? error : toOperationError(error),
      rejecters: tensor.reads,
      isUrgent: true,
    });
    return results.length > 0 ? results[0]! : promise;
  }

  /** Overwrites a tensor with bytes that are yet to come: `fetch` gets them and writes them. */
  fill(tensor: TimelineTensor, fetch: (write: (bytes: Uint8Array) => void | Promise<void>) => Promise<void>): void {
    this.#queue.add(() => this.#compute([tensor], () => fetch((bytes) => tensor.device.write(bytes))));
  }

  /** Releases a tensor after all earlier work; reads that are pending reject at once. */
  destroyTensor(tensor: TimelineTensor): void {
    if (tensor.destroyed) return;
    tensor.destroyed = true;
    for (const reject of tensor.reads) reject(invalidStateError("The tensor was destroyed before it was read."));
    this.#queue.add(() => this.#forgive(tensor));
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

  /** Lets go of a block; graphs that share it keep its bytes. */
  destroyBlock(block: TimelineBlock): void {
    if (block.destroyed) return;
    block.destroyed = true;
    this.releaseLater(block.block);
    forgotten.unregister(block);
  }

  /** Loses the device: everything that is pending rejects, and all is released when the step in flight is done. */
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

  /** Tells the console of the failures that nobody has read. */
  report(): void {
    for (const failure of this.#unreported) print(this.#report(failure));
  }

  /** Ends with the program: nobody is told of a loss, and what work in flight uses stays. */
  end(): void {
    this.report();
    if (this.#pending.size > 0) return;
    this.#lost = true;
    this.#queue.addUrgent(() => this.#releaseAll());
    this.#forget();
  }

  /** Releases something native after all earlier work, unless that has been done. */
  releaseLater(native: Releasable): void {
    this.#queue.add(() => {
      if (this.#owned.delete(native)) native.release();
    });
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
    const pending = this.#compute(outputs, () => executable.run(inputs.map(deviceOf), outputs.map(deviceOf)));
    if (!pending) this.#queue.spend(executable.blockingTime ?? 0);
    return pending;
  }

  /** Overwrites the targets: they are valid again if `work` succeeds, poisoned if it fails. */
  #compute(targets: readonly TimelineTensor[], work: () => void | Promise<void>): void | Promise<void> {
    try {
      const pending = work();
      if (pending) return pending.then(() => this.#heal(targets), (error) => this.#fail(targets, error));
      this.#heal(targets);
    } catch (error) {
      this.#fail(targets, error);
    }
  }

  #heal(targets: readonly TimelineTensor[]): void {
    for (const target of targets) if (target.failure) this.#forgive(target);
  }

  #fail(targets: readonly TimelineTensor[], error: unknown): void {
    if (this.#lost) return; // Nobody can read them any more, and it was the loss that ended the work.
    const failure = { cause: error };
    this.#unreported.add(failure);
    this.#poison(targets, failure);
  }

  #poison(targets: readonly TimelineTensor[], failure: Failure): void {
    for (const target of targets) {
      if (target.failure !== failure) this.#forgive(target);
      target.failure = failure;
    }
  }

  /** Forgets the failure of a tensor whose contents go away; if nobody has read it, the console is told. */
  #forgive(tensor: TimelineTensor): void {
    if (tensor.failure && this.#unreported.has(tensor.failure)) print(this.#report(tensor.failure));
    tensor.failure = undefined;
  }

  #report(failure: Failure): DOMException {
    this.#unreported.delete(failure);
    return failure.exception ??= toOperationError(failure.cause);
  }

  /** Queues a step that gives a result. */
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

/** A step that gives a result. */
interface Task<Native, T> {
  /** What the device does. */
  step(): Native | Promise<Native>;
  /** Makes the result for the user. What it throws reaches the user as it is. */
  finish(native: Native): T;
  /** Gets rid of what came too late, after the promise had been rejected. */
  discard(native: Native): void;
  /** Makes the error for the user from the device's. */
  translate(error: unknown): unknown;
  /** Beside the loss of the context: what else can reject the promise, while it is pending. */
  readonly rejecters?: Set<(error: unknown) => void>;
  /** Whether it is done at once if it is the only one, for however long others have held the thread. */
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

/** Tells the console, which may be the script's own, and must not stop the timeline. */
function print(error: DOMException): void {
  try {
    console.error(error);
  } catch {
    // There is nobody else to tell.
  }
}
