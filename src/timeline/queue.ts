/**
 * A queue that runs steps one after the other.
 *
 * @module
 */

import { turn } from "../event_loop.ts";

/** A piece of work. It must not throw or reject. */
export type Step = () => void | Promise<void>;

/** A waiting step, in a linked list: once a step has begun, nothing refers to it any more. */
interface Waiting {
  readonly step: Step;
  next: Waiting | undefined;
}

/** How long synchronous steps may block the event loop before it gets a turn, in milliseconds. */
const SLICE = 3;

/**
 * Runs steps in order. If nothing is queued or in flight, a new step runs at once, synchronously; but once synchronous
 * steps have blocked the event loop for a while, the next one waits for a turn of the loop.
 */
export class Queue {
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #busy = false;
  /** Milliseconds for which steps have blocked the thread since the last known turn of the event loop. */
  #spent = 0;

  /** Whether a new step would run at once. */
  get idle(): boolean {
    return !this.#busy && this.#spent < SLICE;
  }

  /** Runs a step after all earlier ones. */
  add(step: Step): void {
    if (this.idle) this.#begin(step);
    else this.#defer(step);
  }

  /** Runs a step after all earlier ones: at once if there are none, without waiting for a turn of the event loop. */
  addUrgent(step: Step): void {
    if (this.#busy) this.#defer(step);
    else this.#begin(step);
  }

  /**
   * Adds to the time for which steps have blocked the thread. If a program awaits only such steps, the event loop gets
   * no turn by itself, because settled promises run first.
   */
  spend(milliseconds: number): void {
    this.#spent += milliseconds;
  }

  /** Whether steps have blocked the thread since the last known turn of the event loop. */
  get hasSpent(): boolean {
    return this.#spent > 0;
  }

  /** Waits for a turn of the event loop. Only for the step that is running. */
  async turn(): Promise<void> {
    await turn();
    this.#spent = 0;
  }

  /** Drops the steps that have not begun. */
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
    this.#drain(this.turn());
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
      await this.turn();
      began = performance.now();
    }
    this.#busy = false;
  }

  #shift({ next, step }: Waiting): Step {
    this.#first = next;
    if (next === undefined) this.#last = undefined;
    return step;
  }
}
