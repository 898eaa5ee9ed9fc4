/**
 * Turns of the event loop, so that long work does not block it.
 *
 * @module
 */

/** Work in short steps. Between two steps, the caller of the generator can let other tasks run. */
export type Steps<T> = Generator<void, T>;

/** How many milliseconds work may block the event loop. */
const STRETCH = 6;

/**
 * Waits for a turn of the event loop. A timer takes 1 or 2 ms; `setImmediate`, where it exists, a few microseconds.
 * Unlike {@linkcode turnByMessage}, it leaves nothing open that a test runner would report if nobody awaits it.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => "setImmediate" in globalThis ? setImmediate(resolve) : setTimeout(resolve, 0));
}

/**
 * Waits for a turn by posting a message to its own channel. Deno loads its timers and `setImmediate` when they are
 * first used, which blocks the event loop for 20 ms. A message avoids that in a first build. The
 * caller must await the turn.
 */
function turnByMessage(): Promise<void> {
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

/** Measures the time since the last turn. Parts of work that follow each other share it. */
export interface Stretch {
  /** Whether a turn is due. */
  isOver(): boolean;
  /** Waits for a turn. */
  turn(): Promise<void>;
  /** Waits for a turn if one is due. */
  pause(): Promise<void>;
}

/** Starts a stretch: call it after a turn. */
export function startStretch(): Stretch {
  let until = performance.now() + STRETCH;
  const stretch: Stretch = {
    isOver: () => performance.now() >= until,
    async turn() {
      await turnByMessage();
      until = performance.now() + STRETCH;
    },
    async pause() {
      if (stretch.isOver()) await stretch.turn();
    },
  };
  return stretch;
}

/**
 * Runs steps, with turns of the event loop between them. Returns synchronously if they take only a few milliseconds.
 * @param stretch the stretch of the work before these steps; by default a new one
 */
export function inTurns<T>(steps: Steps<T>, stretch: Stretch = startStretch()): T | Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (stretch.isOver()) return stretch.turn().then(() => inTurns(steps, stretch));
  }
}

/** Runs steps without a turn between them. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
