/**
 * Turns of the event loop, so that long work does not block it.
 *
 * @module
 */

/** Work in short steps, so that whoever drives the generator can do other things between them. */
export type Steps<T> = Generator<void, T>;

/** How many milliseconds the event loop may wait. */
const STRETCH = 6;

/**
 * Waits for a turn of the event loop, by a message to itself. A timer would take at least a millisecond, and Deno loads
 * its timers and `setImmediate` when they are first used, which blocks the event loop for 20 ms.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      port2.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Carries out steps with turns of the event loop between them; at once if they take a few milliseconds only. */
export function inTurns<T>(steps: Steps<T>): T | Promise<T> {
  const until = performance.now() + STRETCH;
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() >= until) return turn().then(() => inTurns(steps));
  }
}

/** For work that cannot be written as steps: call the result between its parts, to wait for a turn when one is due. */
export function turnsWhenDue(): () => Promise<void> {
  let until = performance.now() + STRETCH;
  return async () => {
    if (performance.now() < until) return;
    await turn();
    until = performance.now() + STRETCH;
  };
}

/** Carries out steps without a turn between them. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
