/**
 * Serialises the work of an execution provider that does not support threads: with ONNX Runtime 1.30, two concurrent
 * WebGPU sessions crash the process.
 *
 * @module
 */

/** The order of work. */
export interface Turns {
  /** Runs work. If the work returns a promise, it is done when the promise settles. */
  take<T>(work: () => T | Promise<T>): T | Promise<T>;
}

/** For work that may overlap. */
export const NO_TURNS: Turns = { take: (work) => work() };

/** For work that must not overlap. */
export class ExclusiveTurns implements Turns {
  #last: Promise<unknown> | undefined;

  /** Runs work after all earlier work: at once, if there is none. */
  take<T>(work: () => T | Promise<T>): T | Promise<T> {
    if (this.#last !== undefined) return this.#wait(this.#last.then(work, work));
    const result = work();
    return result instanceof Promise ? this.#wait(result) : result;
  }

  #wait<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(() => {}, () => {}).then(() => {
      if (this.#last === settled) this.#last = undefined;
    });
    this.#last = settled;
    return work;
  }
}
