/**
 * Turns of the event loop amid long work, so that a program goes on answering while it builds graphs or moves a cache.
 *
 * @module
 */

/** How many milliseconds the event loop may wait. */
const STRETCH = 4;

/** Begins a piece of long work: the function that it gives waits for a turn of the event loop where one is due. */
export function turns(): () => Promise<void> {
  let until = performance.now() + STRETCH;
  return async () => {
    if (performance.now() < until) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    until = performance.now() + STRETCH;
  };
}
