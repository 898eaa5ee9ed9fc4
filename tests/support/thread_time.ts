/**
 * CPU time of this thread, which other programs do not affect. Linux only: other systems do not provide it for one
 * thread.
 *
 * @module
 */

/** The CPU time of this thread so far, in milliseconds. */
function threadTime(): number {
  return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
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
