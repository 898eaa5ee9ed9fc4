/**
 * Decides which runs may block the thread.
 *
 * @module
 */

import { type Executable, SHORT_RUN } from "../backends/backend.ts";
import type { Queue } from "./queue.ts";

/**
 * How long a run may block the thread if short runs before it took as long, in milliseconds. Such a program blocks the
 * thread anyway, and letting another thread run one part costs more than it gains: a token of a language model takes 60
 * short runs and one of 5 ms.
 */
const FOLLOWING_RUN = 6;

/**
 * Starts a run of an executable, with the number of milliseconds for which even a long run may block the thread.
 * @param start runs the executable; must not throw or reject
 */
export type StartRun = (
  executable: Executable,
  start: (followingLimit: number) => void | Promise<void>,
) => void | Promise<void>;

/** Starts the runs of a timeline. They are steps of the queue. */
export function blockingRuns(queue: Queue): StartRun {
  /** How long short runs have blocked the thread since the last long one. */
  let shortRuns = 0;
  const begin: StartRun = (executable, start) => {
    const pending = start(Math.min(shortRuns, FOLLOWING_RUN));
    const { blockingTime = 0 } = executable;
    if (!pending) queue.spend(blockingTime);
    shortRuns = pending || blockingTime > SHORT_RUN ? 0 : shortRuns + blockingTime;
    return pending;
  };
  return (executable, start) => {
    const { blockingTime = 0 } = executable;
    const isLong = blockingTime > SHORT_RUN && blockingTime <= Math.min(shortRuns, FOLLOWING_RUN);
    // A long run begins after a turn of the event loop, so that it does not add to the time of the runs before it.
    return isLong && queue.hasSpent ? queue.turn().then(() => begin(executable, start)) : begin(executable, start);
  };
}
