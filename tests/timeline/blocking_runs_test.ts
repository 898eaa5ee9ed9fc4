/** Which runs may block the thread: short ones, and longer ones after as much time in short ones. */
import { assert, assertEquals } from "@std/assert";
import { type Executable, SHORT_RUN } from "../../src/backends/backend.ts";
import { blockingRuns } from "../../src/timeline/blocking_runs.ts";
import { Queue } from "../../src/timeline/queue.ts";

/** Starts runs that take a number of milliseconds. Each tells whether it may block the thread. */
function runner(queue = new Queue()): (duration: number) => Promise<boolean> {
  const startRun = blockingRuns(queue);
  return async (duration) => {
    let blocks = false;
    await startRun({ blockingTime: duration } as Executable, (limit) => {
      blocks = duration <= Math.max(SHORT_RUN, limit);
      return blocks ? undefined : Promise.resolve();
    });
    return blocks;
  };
}

/** Which of these runs block. */
async function blocking(durations: readonly number[]): Promise<boolean[]> {
  const run = runner();
  const result: boolean[] = [];
  for (const duration of durations) result.push(await run(duration));
  return result;
}

Deno.test("a long run blocks only after as much time in short runs, and up to a limit", async () => {
  assertEquals(await blocking([5]), [false]);
  assertEquals(await blocking([1, 1, 1, 1, 5]), [true, true, true, true, false]);
  assertEquals(await blocking([1, 1, 1, 1, 1, 5]), [true, true, true, true, true, true]);
  assertEquals((await blocking([...Array(30).fill(1), 7])).at(-1), false);
  assertEquals((await blocking([...Array(30).fill(1), 6])).at(-1), true);
});

Deno.test("each long run needs short runs of its own before it", async () => {
  assertEquals((await blocking([2, 2, 4, 4])).slice(2), [true, false]);
  // A run on another thread also begins anew.
  assertEquals((await blocking([2, 2, 9, 4])).slice(2), [false, false]);
  assertEquals((await blocking([2, 2, 4, 3, 1, 4])).slice(2), [true, true, true, true]);
});

Deno.test("a long run that blocks begins after a turn of the event loop", async () => {
  const queue = new Queue();
  const run = runner(queue);
  for (let i = 0; i < 2; i++) await run(SHORT_RUN);
  assert(queue.hasSpent);
  let isTurned = false;
  setImmediate(() => isTurned = true);
  assert(await run(5));
  assert(isTurned);
});
