/** Workers that throw or close themselves; the main isolate goes on. Tells what each orderly end leaves behind. */
import { buildSlow, dispatch } from "./slow.ts";

const slow = await buildSlow(2);
const rss = () => Deno.memoryUsage().rss / 2 ** 20;
/** Resident megabytes that the second and later workers of each way of ending left behind. */
const left: Record<"close" | "throw", number[]> = { close: [], throw: [] };
for (let i = 0; i < 12; i++) {
  const way = i % 3 === 2 ? "throw" : "close";
  const before = rss();
  const worker = new Worker(new URL("worker_end.ts", import.meta.url), { type: "module" });
  await new Promise((resolve) => {
    worker.onmessage = ({ data }) => data === "closed" && setTimeout(resolve, 50);
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(undefined);
    };
    worker.postMessage(way);
  });
  worker.terminate();
  if (i > 2) left[way].push(Math.round(rss() - before));
}
dispatch(slow);
const [value] = new Float32Array(await slow.context.readTensor(slow.output));
console.log(JSON.stringify({ value, left }));
