/**
 * A queue of steps that are carried out one after the other.
 *
 * @module
 */

import { turn } from "../event_loop.ts";

/** A piece of work. It handles its own errors: it neither throws nor rejects. */
export type Step = () => void | Promise<void>;

/** A step that waits. Once it has begun nothing refers to it, however many come after it. */
interface Waiting {
  readonly step: Step;
  next: Waiting | undefined;
}

/** How long synchronous steps may follow each other, in milliseconds, before the event loop gets a turn. */
const SLICE = 4;

/**
 * Carries out steps in order. A step that comes when nothing is queued or in flight runs at once, synchronously, until
 * such steps have held the event loop's thread for a while.
 */
export class Queue {
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #busy = false;
  /** For how many milliseconds steps have held the thread since the last turn of the event loop that is known of. */
  #spent = 0;

  /** Whether a step would run at once. */
  get idle(): boolean {
    return !this.#busy && this.#spent < SLICE;
  }

  /** Carries out a step after all earlier ones. */
  add(step: Step): void {
    if (this.idle) this.#begin(step);
    else this.#defer(step);
  }

  /** Carries out a step after all earlier ones: at once if there are none, for however long those before held the thread. */
  addUrgent(step: Step): void {
    if (this.#busy) this.#defer(step);
    else this.#begin(step);
  }

  /**
   * Counts time for which a step held the thread. A program that waits for nothing but such steps leaves the event loop
   * no turn of its own: promises that are settled are seen to first.
   */
  spend(milliseconds: number): void {
    this.#spent += milliseconds;
  }

  /** Forgets the steps that have not begun. */
  clear(): void {
    this.#first = this.#last = undefined;
  }

  #begin(step: Step): void {
    this.#busy = true;
    const pending = step();
    if (pending === undefined && this.#first === undefined) this.#busy = false;
    else this.#drain(pending);
  }

  #defer(step: Step): void {
    const waiting: Waiting = { step, next: undefined };
    if (this.#last) this.#last.next = waiting;
    else this.#first = waiting;
    this.#last = waiting;
    if (this.#busy) return;
    this.#busy = true;
    this.#drain(this.#turn());
  }

  async #drain(pending: void | Promise<void>): Promise<void> {
    await pending;
    let began = performance.now();
    while (this.#first) {
      const pending = this.#shift(this.#first)();
      if (pending) {
        await pending;
        began = performance.now();
      }
      if (this.#spent < SLICE && performance.now() - began < SLICE) continue;
      await this.#turn();
      began = performance.now();
    }
    this.#busy = false;
  }

  #shift({ next, step }: Waiting): Step {
    this.#first = next;
    if (next === undefined) this.#last = undefined;
    return step;
  }

  async #turn(): Promise<void> {
    await turn();
    this.#spent = 0;
  }
}
