/**
 * A queue of steps that are carried out one after the other.
 *
 * @module
 */

/** A piece of work. It handles its own errors: it neither throws nor rejects. */
export type Step = () => void | Promise<void>;

/** How long synchronous steps may follow each other, in milliseconds, before the event loop gets a turn. */
const SLICE = 4;

/**
 * Carries out steps in order. A step that comes when nothing is queued or in flight runs at once, synchronously, until
 * such steps have held the event loop's thread for a while.
 */
export class Queue {
  #steps: Step[] = [];
  /** The place in `#steps` of the next one. */
  #next = 0;
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
    this.#steps = [];
    this.#next = 0;
  }

  #begin(step: Step): void {
    this.#busy = true;
    const pending = step();
    if (pending === undefined && this.#steps.length === 0) this.#busy = false;
    else this.#drain(pending);
  }

  #defer(step: Step): void {
    this.#steps.push(step);
    if (this.#busy) return;
    this.#busy = true;
    this.#drain(this.#turn());
  }

  async #drain(pending: void | Promise<void>): Promise<void> {
    await pending;
    let began = performance.now();
    for (let step = this.#shift(); step; step = this.#shift()) {
      const next = step();
      if (next) {
        await next;
        began = performance.now();
      }
      if (this.#spent < SLICE && performance.now() - began < SLICE) continue;
      await this.#turn();
      began = performance.now();
    }
    this.#busy = false;
  }

  /** The step that is due. An array's own shift() moves all that follow, of which there may be a million. */
  #shift(): Step | undefined {
    const step = this.#steps[this.#next++];
    if (step === undefined) this.clear();
    return step;
  }

  async #turn(): Promise<void> {
    await turn();
    this.#spent = 0;
  }
}

/** A turn of the event loop. A timer takes a millisecond or two; an immediate, where there are any, a few microseconds. */
function turn(): Promise<void> {
  return new Promise((resolve) => "setImmediate" in globalThis ? setImmediate(resolve) : setTimeout(resolve, 0));
}
