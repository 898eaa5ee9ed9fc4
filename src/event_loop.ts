/**
 * Work in turns, so that the event loop stays free.
 *
 * @module
 */

/** A turn of the event loop. A timer takes a millisecond or two; an immediate, where there are any, a few microseconds. */
export function turn(): Promise<void> {
  return new Promise((resolve) => "setImmediate" in globalThis ? setImmediate(resolve) : setTimeout(resolve, 0));
}
