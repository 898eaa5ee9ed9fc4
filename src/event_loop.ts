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
 * Unlike {@linkcode turnWithoutTimers}, it leaves nothing open that a test runner would report if nobody awaits it.
 */
export function turn(): Promise<void> {
  hasTimers = true;
  return new Promise((resolve) => "setImmediate" in globalThis ? setImmediate(resolve) : setTimeout(resolve, 0));
}

/** Whether this module has used timers or `setImmediate`. Deno loads both when they are first used, in 20 ms. */
let hasTimers = false;

/**
 * Waits for a turn without timers; the caller must await it. By default, it posts a message to its own channel, which
 * takes 3 to 5 ms at first and 0.1 to 0.3 ms later.
 */
let turnWithoutTimers = turnByMessage;

/** Sets a faster way to wait for a turn without timers. */
export function setTurn(turn: () => Promise<void>): void {
  turnWithoutTimers = turn;
}

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

/** How many steps are done between two queries of the time, each of which takes as long as a short step. */
const STEPS_PER_QUERY = 4;

/** Starts a stretch: call it after a turn. */
export function startStretch(): Stretch {
  let until = performance.now() + STRETCH;
  const stretch: Stretch = {
    isOver: () => performance.now() >= until,
    async turn() {
      await (hasTimers ? turn() : turnWithoutTimers());
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
  for (let count = 1;; count++) {
    const { done, value } = steps.next();
    if (done) return value;
    if (count % STEPS_PER_QUERY > 0) continue;
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
