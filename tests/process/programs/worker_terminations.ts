/** Terminates workers at random moments of a dispatch, while the main isolate runs its own graphs. */
import { random } from "../../../support/random.ts";
import { buildSlow, dispatch } from "./slow.ts";

const count = Number(Deno.args[0]);
const numbers = random(1);
const slow = await buildSlow(2);
const rss = () => Deno.memoryUsage().rss / 2 ** 20;
let before = rss();

for (let i = 0; i < count; i++) {
  const worker = new Worker(new URL("worker_slow.ts", import.meta.url), { type: "module" });
  await new Promise((resolve) => worker.onmessage = resolve);
  await new Promise((resolve) => setTimeout(resolve, numbers.integer(0, 60)));
  worker.terminate();
  dispatch(slow);
  const [value] = new Float32Array(await slow.context.readTensor(slow.output));
  if (value !== 0) throw new Error("the result of the main isolate is wrong");
  if (i === 9) before = rss();
}
console.log(JSON.stringify({ terminations: count, megabytesEach: (rss() - before) / (count - 10) }));
