/**
 * CPU time of this thread, which other programs do not affect. Linux only: other systems do not provide it for one
 * thread.
 *
 * @module
 */

import { libc } from "../../ffi/system.ts";

const CLOCK = { clock_gettime: { parameters: ["i32", "buffer"], result: "i32" } } as const;
const CLOCK_THREAD_CPUTIME_ID = 3;

let clock: ReturnType<typeof libc<typeof CLOCK>> | undefined;

/** The CPU time of this thread so far, in milliseconds. The times in /proc only change a few hundred times a second. */
function threadTime(): number {
  const time = new BigInt64Array(2); // struct timespec: tv_sec, tv_nsec
  (clock ??= libc(CLOCK)).clock_gettime(CLOCK_THREAD_CPUTIME_ID, time);
  return 1e3 * Number(time[0]) + Number(time[1]) / 1e6;
}

/** The CPU time that some work takes on this thread, in milliseconds. */
export function processorTime(work: () => void): number {
  const start = threadTime();
  work();
  return threadTime() - start;
}

/** The CPU times of this thread between successive turns of the event loop during some work, in milliseconds. */
export async function stretchesOf(work: () => Promise<void>): Promise<number[]> {
  const stretches: number[] = [];
  let last = threadTime();
  let isDone = false;
  const turn = () => {
    const now = threadTime();
    stretches.push(now - last);
    last = threadTime();
    if (!isDone) setTimeout(turn, 0);
  };
  setTimeout(turn, 0);
  await work();
  isDone = true;
  turn();
  return stretches;
}
