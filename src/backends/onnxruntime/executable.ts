/**
 * A compiled graph: a session, and the bindings of its recent runs.
 *
 * @module
 */

import { cString, type Pointer } from "../../../ffi/memory.ts";
import { type Reservation, reserve } from "../../../ffi/reservation.ts";
import { type Executable, SHORT_RUN } from "../backend.ts";
import { type Binder, RecentBindings } from "../common/bindings.ts";
import type { Recording } from "./recording.ts";
import { countFreed, type OrtRuntime } from "./runtime.ts";
import type { OrtSession } from "./session.ts";
import type { ValueTensor } from "./tensor.ts";

/**
 * Runs shorter than this, in milliseconds, are synchronous: another thread takes 0.05 to 0.3 ms to wake, and does not
 * have the tensors in its caches. The timeline gives the event loop its turns.
 */
const INLINE_LIMIT = 1;
/** How many runs to measure, to check the estimate that made them synchronous or nonblocking. */
const TRIAL_RUNS = 15;
/** After how many of them their times replace the estimate. */
const FIRST_RUNS = 3;

/** The names of a session's inputs and outputs, in the order of the tensors. */
export interface Signature {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** How to run a session. */
export interface RunSettings {
  readonly signature: Signature;
  /** The options of nonblocking runs, with which the device stops them. */
  readonly runOptions: Pointer;
  readonly estimatedMicroseconds: number;
  /** How long a run may block the thread, in milliseconds, if the user has set it. */
  readonly blockingLimit: number | undefined;
  /** Starts recording a set of tensors, if runs are captured. */
  readonly record: (() => Recording) | undefined;
}

/** A set of tensors for the engine: an OrtIoBinding, which keeps references to their values. */
interface IoBinding {
  readonly pointer: Pointer;
  readonly recording: Recording | undefined;
}

/** An executable session. */
export class OrtExecutable implements Executable {
  readonly devices: readonly string[] = ["cpu"];
  /** Makes the garbage collector count the bytes of the weights, so that it collects unused graphs in time. */
  readonly #weights: Reservation;
  readonly #bindings: RecentBindings<ValueTensor, IoBinding>;
  #blockingTime: number;
  /** The durations of the first runs, in milliseconds. */
  readonly #trial: number[] = [];

  /** Takes over the session. */
  constructor(readonly runtime: OrtRuntime, readonly session: OrtSession, readonly settings: RunSettings) {
    this.#weights = reserve(session.weightBytes);
    this.#bindings = new RecentBindings(binderOf(runtime, session, settings));
    this.#blockingTime = settings.estimatedMicroseconds / 1000;
    runtime.graphs++;
  }

  get blockingTime(): number {
    return this.#blockingTime;
  }

  run(inputs: readonly ValueTensor[], outputs: readonly ValueTensor[], followingLimit = 0): void | Promise<void> {
    const binding = this.#bindings.get(inputs, outputs);
    return this.#trial.length < TRIAL_RUNS ? this.#try(binding, followingLimit) : this.#start(binding, followingLimit);
  }

  release(): void {
    this.runtime.graphs--;
    this.#bindings.clear();
    this.session.release();
    this.#weights.release();
    countFreed(this.runtime, this.session.weightBytes);
  }

  #start({ pointer, recording }: IoBinding, followingLimit: number): void | Promise<void> {
    const { runtime: { api }, session, settings } = this;
    if (this.#isInline(followingLimit)) {
      return api.RunWithBinding(session.pointer, recording?.runOptions ?? null, pointer);
    }
    return api.RunWithBindingAsync(session.pointer, recording?.runOptions ?? settings.runOptions, pointer);
  }

  /**
   * Whether to run synchronously. The higher limits need a measured time: estimates are rough, and first runs slow.
   * Unless the user has set the limit, they also need a process with one context: runs of several contexts would delay
   * each other on the program's thread, but can overlap on other threads.
   */
  #isInline(followingLimit: number): boolean {
    const { runtime: { devices }, settings: { blockingLimit, estimatedMicroseconds } } = this;
    const limit = blockingLimit ?? (devices === 1 ? Math.max(SHORT_RUN, followingLimit) : INLINE_LIMIT);
    if (this.#trial.length < FIRST_RUNS) return estimatedMicroseconds <= 1000 * Math.min(INLINE_LIMIT, limit);
    return this.#blockingTime <= limit;
  }

  #try(binding: IoBinding, followingLimit: number): void | Promise<void> {
    const began = performance.now();
    const pending = this.#start(binding, followingLimit);
    if (pending) return pending.then(() => this.#judge(performance.now() - began));
    this.#judge(performance.now() - began);
  }

  /** Other programs delay runs, and the first run is slow: the faster runs show the true duration. */
  #judge(duration: number): void {
    this.#trial.push(duration);
    this.#blockingTime = this.#trial.toSorted((a, b) => a - b)[this.#trial.length >> 2]!;
  }
}

function binderOf(
  { api }: OrtRuntime,
  { pointer: session }: OrtSession,
  { record, signature }: RunSettings,
): Binder<ValueTensor, IoBinding> {
  return {
    bind(inputs, outputs) {
      const pointer = api.CreateIoBinding(session);
      try {
        inputs.forEach((tensor, i) => api.BindInput(pointer, cString(signature.inputs[i]!), tensor.value));
        outputs.forEach((tensor, i) => api.BindOutput(pointer, cString(signature.outputs[i]!), tensor.value));
        return { pointer, recording: record?.() };
      } catch (error) {
        api.ReleaseIoBinding(pointer);
        throw error;
      }
    },
    release({ pointer, recording }) {
      api.ReleaseIoBinding(pointer);
      recording?.release();
    },
  };
}
