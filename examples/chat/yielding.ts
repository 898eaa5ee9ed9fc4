/**
 * Yields to the event loop during long work, so that a program stays responsive while it builds graphs or moves a
 * cache.
 *
 * @module
 */

/** The maximum time between two yields, in milliseconds. */
const STRETCH = 4;

/** Starts a piece of long work. The returned function yields to the event loop if that is due. */
export function startYielding(): () => Promise<void> {
  let until = performance.now() + STRETCH;
  return async () => {
    if (performance.now() < until) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    until = performance.now() + STRETCH;
  };
}
