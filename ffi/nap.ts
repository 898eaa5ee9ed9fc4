/**
 * Short naps of the event loop.
 *
 * @module
 */

import { libc } from "./system.ts";

const FUNCTIONS = {
  usleep: { parameters: ["u32"], result: "void", nonblocking: true }, // usec
} as const;

/**
 * With a shorter nap, or a call that does nothing, the event loop would resume the waiting function first, before timers
 * that are due: it looks for them when it has nothing to do.
 */
const MICROSECONDS = 30;

/**
 * A function that waits for another thread, which sleeps for 0.1 ms, so that timers and other events are served.
 * `undefined` on Windows, where threads sleep for a millisecond or more.
 */
export function napFunction(): (() => Promise<void>) | undefined {
  if (Deno.build.os === "windows") return undefined;
  const { usleep } = libc(FUNCTIONS);
  return () => usleep(MICROSECONDS);
}
