/**
 * A compiled graph: a session with the bindings of its recent runs.
 *
 * @module
 */

import { cString, type Pointer } from "../../../ffi/memory.ts";
import { type Reservation, reserve } from "../../../ffi/reservation.ts";
import type { Executable } from "../backend.ts";
import type { NativeBlock } from "./native_block.ts";
import { countFreed, type OrtRuntime } from "./runtime.ts";
import type { OrtTensor } from "./tensor.ts";

/** How many sets of tensors a graph remembers: a program that alternates between a few binds each once. */
const MAX_BINDINGS = 8;
/** A run that is shorter may block the event loop: about what a nonblocking call costs by itself, in milliseconds. */
const INLINE_LIMIT = 0.05;
/** How many inline runs are measured, to find out whether the estimate that made them so was right. */
const TRIAL_RUNS = 15;

/** The names of a session's inputs and outputs, in the order in which tensors come. */
export interface Signature {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** An OrtIoBinding of a session to tensors. It keeps references to their values, so it must go when one of them does. */
export interface Binding {
  readonly tensors: readonly OrtTensor[];
  readonly pointer: Pointer;
  /** Forgets the binding. */
  drop(): void;
}

/** A session. */
export class OrtExecutable implements Executable {
  readonly devices: readonly string[] = ["cpu"];
  /** As many bytes as the session's weights, counted by the garbage collector, so that forgotten graphs are collected in time. */
  readonly #weights: Reservation;
  #bindings: Binding[] = [];
  #inline: boolean;
  /** The durations of the first inline runs in milliseconds. */
  readonly #trial: number[] = [];

  constructor(
    readonly runtime: OrtRuntime,
    readonly session: Pointer,
    /** Of runs in a nonblocking call; the device stops them by it. */
    readonly runOptions: Pointer,
    readonly signature: Signature,
    /** Blocks of constant tensors that the session reads. */
    readonly borrowed: readonly NativeBlock[],
    /** The size of the weights that belong to the session. */
    weightBytes: number,
    estimatedMicroseconds: number,
  ) {
    this.#weights = reserve(weightBytes);
    this.#inline = estimatedMicroseconds <= INLINE_LIMIT * 1000;
  }

  run(inputs: readonly OrtTensor[], outputs: readonly OrtTensor[]): void | Promise<void> {
    const { api } = this.runtime;
    const { pointer } = this.#find(inputs, outputs) ?? this.#bind(inputs, outputs);
    if (!this.#inline) return api.RunWithBindingAsync(this.session, this.runOptions, pointer);
    if (this.#trial.length === TRIAL_RUNS) return api.RunWithBinding(this.session, null, pointer);
    const began = performance.now();
    api.RunWithBinding(this.session, null, pointer);
    this.#judge(performance.now() - began);
  }

  release(): void {
    for (const binding of [...this.#bindings]) binding.drop();
    this.runtime.api.ReleaseSession(this.session);
    for (const block of this.borrowed) block.release();
    const { byteLength } = this.#weights.buffer;
    this.#weights.release();
    countFreed(this.runtime, byteLength);
  }

  /** Some runs are held up by others on the machine; if half of them take long, the graph does. */
  #judge(duration: number): void {
    this.#trial.push(duration);
    if (this.#trial.length < TRIAL_RUNS) return;
    const median = this.#trial.toSorted((a, b) => a - b)[TRIAL_RUNS >> 1]!;
    this.#inline = median <= 2 * INLINE_LIMIT;
  }

  #find(inputs: readonly OrtTensor[], outputs: readonly OrtTensor[]): Binding | undefined {
    return this.#bindings.find(({ tensors }) =>
      inputs.every((tensor, i) => tensor === tensors[i]) &&
      outputs.every((tensor, i) => tensor === tensors[inputs.length + i])
    );
  }

  #bind(inputs: readonly OrtTensor[], outputs: readonly OrtTensor[]): Binding {
    const { api } = this.runtime;
    const pointer = api.CreateIoBinding(this.session);
    try {
      inputs.forEach((tensor, i) => api.BindInput(pointer, cString(this.signature.inputs[i]!), tensor.value));
      outputs.forEach((tensor, i) => api.BindOutput(pointer, cString(this.signature.outputs[i]!), tensor.value));
    } catch (error) {
      api.ReleaseIoBinding(pointer);
      throw error;
    }
    if (this.#bindings.length === MAX_BINDINGS) this.#bindings[0]!.drop();
    return this.#remember([...inputs, ...outputs], pointer);
  }

  #remember(tensors: readonly OrtTensor[], pointer: Pointer): Binding {
    const binding: Binding = {
      tensors,
      pointer,
      drop: () => {
        this.#bindings = this.#bindings.filter((other) => other !== binding);
        for (const tensor of tensors) tensor.bindings.delete(binding);
        this.runtime.api.ReleaseIoBinding(pointer);
      },
    };
    this.#bindings.push(binding);
    for (const tensor of tensors) tensor.bindings.add(binding);
    return binding;
  }
}
