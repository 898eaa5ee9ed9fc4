/**
 * Turns of the event loop, so that long work does not block it.
 *
 * @module
 */

/** Waits for a turn of the event loop. A timer takes 1 or 2 ms; `setImmediate`, where it exists, a few microseconds. */
export function turn(): Promise<void> {
  return new Promise((resolve) => "setImmediate" in globalThis ? setImmediate(resolve) : setTimeout(resolve, 0));
}
