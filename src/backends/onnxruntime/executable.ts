/**
 * A compiled graph: a session with the bindings of its recent runs.
 *
 * @module
 */

import { cString, type Pointer } from "../../../ffi/memory.ts";
import { type Reservation, reserve } from "../../../ffi/reservation.ts";
import type { Executable, Releasable } from "../backend.ts";
import { countFreed, type OrtRuntime } from "./runtime.ts";
import type { ValueTensor } from "./tensor.ts";

/** How many sets of tensors a graph remembers: a program that alternates between a few binds each once. */
const MAX_BINDINGS = 8;
/**
 * A run that is shorter, in milliseconds, holds the calling thread: another one takes up to 0.1 ms to wake, and does not
 * have the tensors in its caches. The timeline sees to it that the event loop gets its turns.
 */
const INLINE_LIMIT = 1;
/** How many runs are measured, to find out whether the estimate that made them inline or nonblocking was right. */
const TRIAL_RUNS = 15;

/** The number of a recording that says that there is to be none. */
const NOT_CAPTURED = -1;

/** The names of a session's inputs and outputs, in the order in which tensors come. */
export interface Signature {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** An OrtIoBinding of a session to tensors. It keeps references to their values, so it must go when one of them does. */
export interface Binding {
  readonly tensors: readonly ValueTensor[];
  readonly pointer: Pointer;
  /** Of runs with it, if they are captured. */
  readonly runOptions: Pointer | undefined;
  /** Forgets the binding. */
  drop(): void;
}

/** A session. */
export class OrtExecutable implements Executable {
  readonly devices: readonly string[] = ["cpu"];
  /** As many bytes as the session's weights, counted by the garbage collector, so that forgotten graphs are collected in time. */
  readonly #weights: Reservation;
  #bindings: Binding[] = [];
  /** How many bindings have been captured. */
  #captured = 0;
  #blockingTime: number;
  #inline: boolean;
  /** The durations of the first runs in milliseconds. */
  readonly #trial: number[] = [];

  constructor(
    readonly runtime: OrtRuntime,
    readonly session: Pointer,
    /** Of runs in a nonblocking call; the device stops them by it. */
    readonly runOptions: Pointer,
    readonly signature: Signature,
    /** What the session reads and does not own: blocks of constant tensors, or a model in memory. */
    readonly borrowed: readonly Releasable[],
    /** The size of the weights that belong to the session. */
    weightBytes: number,
    estimatedMicroseconds: number,
    /** Whether the engine captures runs and replays those with the same tensors. */
    readonly captures = false,
  ) {
    this.#weights = reserve(weightBytes);
    this.#blockingTime = estimatedMicroseconds / 1000;
    this.#inline = this.#blockingTime <= INLINE_LIMIT;
  }

  get blockingTime(): number {
    return this.#blockingTime;
  }

  run(inputs: readonly ValueTensor[], outputs: readonly ValueTensor[]): void | Promise<void> {
    const binding = this.#find(inputs, outputs) ?? this.#bind(inputs, outputs);
    return this.#trial.length < TRIAL_RUNS ? this.#try(binding) : this.#start(binding);
  }

  release(): void {
    for (const binding of [...this.#bindings]) binding.drop();
    this.runtime.api.ReleaseSession(this.session);
    for (const block of this.borrowed) block.release();
    const { byteLength } = this.#weights.buffer;
    this.#weights.release();
    countFreed(this.runtime, byteLength);
  }

  #start({ pointer, runOptions }: Binding): void | Promise<void> {
    const { api } = this.runtime;
    if (this.#inline) return api.RunWithBinding(this.session, runOptions ?? null, pointer);
    return api.RunWithBindingAsync(this.session, runOptions ?? this.runOptions, pointer);
  }

  #try(binding: Binding): void | Promise<void> {
    const began = performance.now();
    const pending = this.#start(binding);
    if (pending) return pending.then(() => this.#judge(performance.now() - began));
    this.#judge(performance.now() - began);
  }

  /** Runs are held up by others on the machine, and the first by themselves: the quicker ones show what a run takes. */
  #judge(duration: number): void {
    this.#blockingTime = duration;
    this.#trial.push(duration);
    if (this.#trial.length < TRIAL_RUNS) return;
    this.#blockingTime = this.#trial.toSorted((a, b) => a - b)[TRIAL_RUNS >> 2]!;
    this.#inline = this.#blockingTime <= INLINE_LIMIT;
  }

  #find(inputs: readonly ValueTensor[], outputs: readonly ValueTensor[]): Binding | undefined {
    for (const binding of this.#bindings) if (isTo(binding, inputs, outputs)) return binding;
    return undefined;
  }

  #bind(inputs: readonly ValueTensor[], outputs: readonly ValueTensor[]): Binding {
    const { api } = this.runtime;
    const pointer = api.CreateIoBinding(this.session);
    let runOptions: Pointer | undefined;
    try {
      inputs.forEach((tensor, i) => api.BindInput(pointer, cString(this.signature.inputs[i]!), tensor.value));
      outputs.forEach((tensor, i) => api.BindOutput(pointer, cString(this.signature.outputs[i]!), tensor.value));
      if (this.captures) runOptions = this.#createRunOptions();
    } catch (error) {
      api.ReleaseIoBinding(pointer);
      throw error;
    }
    if (this.#bindings.length === MAX_BINDINGS) this.#bindings[0]!.drop();
    return this.#remember([...inputs, ...outputs], pointer, runOptions);
  }

  /** A recording of its own for each set of tensors. It lasts as long as the session, so only the first sets have one. */
  #createRunOptions(): Pointer {
    const { api } = this.runtime;
    const options = api.CreateRunOptions();
    const id = this.#captured < MAX_BINDINGS ? this.#captured++ : NOT_CAPTURED;
    try {
      api.AddRunConfigEntry(options, cString("gpu_graph_id"), cString(`${id}`));
      return options;
    } catch (error) {
      api.ReleaseRunOptions(options);
      throw error;
    }
  }

  #remember(tensors: readonly ValueTensor[], pointer: Pointer, runOptions: Pointer | undefined): Binding {
    const binding: Binding = {
      tensors,
      pointer,
      runOptions,
      drop: () => {
        this.#bindings = this.#bindings.filter((other) => other !== binding);
        for (const tensor of tensors) tensor.bindings.delete(binding);
        this.runtime.api.ReleaseIoBinding(pointer);
        if (runOptions) this.runtime.api.ReleaseRunOptions(runOptions);
      },
    };
    this.#bindings.push(binding);
    for (const tensor of tensors) tensor.bindings.add(binding);
    return binding;
  }
}

/** Whether a binding is one to these tensors. */
function isTo({ tensors }: Binding, inputs: readonly ValueTensor[], outputs: readonly ValueTensor[]): boolean {
  for (let i = 0; i < inputs.length; i++) if (tensors[i] !== inputs[i]) return false;
  for (let i = 0; i < outputs.length; i++) if (tensors[inputs.length + i] !== outputs[i]) return false;
  return true;
}
