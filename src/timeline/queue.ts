/**
 * A queue of steps that are carried out one after the other.
 *
 * @module
 */

/** A piece of work. It handles its own errors: it neither throws nor rejects. */
export type Step = () => void | Promise<void>;

/** How long synchronous steps may follow each other, in milliseconds, before the event loop gets a turn. */
const SLICE = 4;

/** Carries out steps in order. A step that comes when nothing is queued or in flight runs at once, synchronously. */
export class Queue {
  #steps: Step[] = [];
  #busy = false;

  /** Whether a step would run at once. */
  get idle(): boolean {
    return !this.#busy;
  }

  /** Carries out a step after all earlier ones. */
  add(step: Step): void {
    if (this.#busy) {
      this.#steps.push(step);
      return;
    }
    this.#busy = true;
    const pending = step();
    if (pending === undefined && this.#steps.length === 0) this.#busy = false;
    else this.#drain(pending);
  }

  /** Forgets the steps that have not begun. */
  clear(): void {
    this.#steps = [];
  }

  async #drain(pending: void | Promise<void>): Promise<void> {
    await pending;
    let began = performance.now();
    for (let step = this.#steps.shift(); step; step = this.#steps.shift()) {
      const next = step();
      if (next === undefined && performance.now() - began < SLICE) continue;
      await (next ?? turn());
      began = performance.now();
    }
    this.#busy = false;
  }
}

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
