/** Measures how late a timer of 1 ms is during a build and during a slow dispatch. */
import { buildSlow, dispatch } from "./slow.ts";

async function lateness(
  work: () => Promise<unknown>,
): Promise<{ ticks: number; median: number; max: number; ms: number }> {
  const began = performance.now();
  let last = began;
  const late: number[] = [];
  const timer = setInterval(() => {
    const now = performance.now();
    late.push(now - last - 1);
    last = now;
  }, 1);
  await work();
  clearInterval(timer);
  late.sort((a, b) => a - b);
  return {
    ticks: late.length,
    median: late[late.length >> 1] ?? 0,
    max: late.at(-1) ?? 0,
    ms: performance.now() - began,
  };
}

// Deno loads its timers when the first one starts, which blocks the event loop for 20 ms.
await new Promise((resolve) => setTimeout(resolve, 1));
const slow = await buildSlow(60);
console.log(JSON.stringify({
  dispatch: await lateness(() => {
    dispatch(slow);
    return slow.context.readTensor(slow.output);
  }),
  build: await lateness(() => buildSlow(200)),
}));
