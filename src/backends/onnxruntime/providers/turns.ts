/**
 * One at a time, for an execution provider whose native objects all belong to one device that is not made for threads:
 * with ONNX Runtime 1.30, two WebGPU sessions that run at once end the process.
 *
 * @module
 */

/** The order in which work is done. */
export interface Turns {
  /** Does work. What gives a promise lasts until that settles. */
  take<T>(work: () => T | Promise<T>): T | Promise<T>;
}

/** Work that may overlap. */
export const NO_TURNS: Turns = { take: (work) => work() };

/** Work that must not overlap. */
export class ExclusiveTurns implements Turns {
  #last: Promise<unknown> | undefined;

  /** Does work after all that came before: at once, if there is none. */
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
