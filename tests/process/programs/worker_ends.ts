/**
 * Starts workers that throw or close themselves. Prints how much memory they leave, and a result of the main isolate.
 */
import { buildSlow, dispatch } from "./slow.ts";

const slow = await buildSlow(2);
const rss = () => Deno.memoryUsage().rss / 2 ** 20;
/** How many megabytes the resident memory grew by each worker, without the first ones. */
const left: Record<"close" | "throw", number[]> = { close: [], throw: [] };
for (let i = 0; i < 12; i++) {
  const end = i % 3 === 2 ? "throw" : "close";
  const before = rss();
  const worker = new Worker(new URL("worker_end.ts", import.meta.url), { type: "module" });
  await new Promise((resolve) => {
    worker.onmessage = ({ data }) => data === "closed" && setTimeout(resolve, 50);
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(undefined);
    };
    worker.postMessage(end);
  });
  worker.terminate();
  if (i > 2) left[end].push(Math.round(rss() - before));
}
dispatch(slow);
const [value] = new Float32Array(await slow.context.readTensor(slow.output));
console.log(JSON.stringify({ value, left }));
