/**
 * One phase of the soak, in a process of its own: `phase.ts main|workers IN_FLIGHT SECONDS SEED`. Prints its samples.
 * They start after a warm-up.
 */
import { createShared, requestsDone, runLoops, type Shared, stop } from "./requests.ts";
import { residentMemory, type Sample, TICK } from "./sampling.ts";

const WORKERS = 2;
/**
 * The warm-up: requests per concurrent request until sampling starts. By then, tensors exist and heaps have grown.
 */
const WARM_UP = 4;

const [isolate, ...numbers] = Deno.args;
const [inFlight, seconds, seed] = numbers.map(Number) as [number, number, number];
const shared = createShared();
const samples: Sample[] = [];
let began: number | undefined;
const timer = setInterval(() => {
  const requests = requestsDone(shared);
  if (requests < WARM_UP * inFlight) return;
  began ??= performance.now();
  const elapsed = (performance.now() - began) / 1000;
  samples.push({ seconds: elapsed, requests, resident: residentMemory() });
  if (elapsed < seconds) return;
  clearInterval(timer);
  stop(shared);
}, TICK);
try {
  await (isolate === "main" ? runLoops(inFlight, seed, shared) : runInWorkers(shared));
} finally {
  clearInterval(timer);
}
console.log(JSON.stringify(samples));

async function runInWorkers(shared: Shared): Promise<void> {
  const count = Math.min(WORKERS, inFlight);
  await Promise.all(Array.from({ length: count }, (_, i) => runInWorker(inFlight / count, seed + i, shared)));
}

async function runInWorker(inFlight: number, seed: number, shared: Shared): Promise<void> {
  const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.addEventListener("message", () => resolve());
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  });
  worker.postMessage({ inFlight, seed, shared });
  try {
    await promise;
  } finally {
    worker.terminate();
  }
}
