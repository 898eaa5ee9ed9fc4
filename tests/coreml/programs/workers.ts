/**
 * Workers that end while they use Core ML. Terminating a worker during a call of Core ML crashes the process: see
 * docs/coreml.md.
 */

import { openFakeControls } from "../fake_framework.ts";

const [library, folder] = Deno.args as [string, string];
const fake = openFakeControls(library);

/** Runs worker.ts until it has started a dispatch or, if `idle`, completed one. */
async function start(options: { idle: boolean; closes: boolean }): Promise<Worker> {
  const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
  const ready = Promise.withResolvers<void>();
  worker.onmessage = () => ready.resolve();
  worker.onerror = (event) => ready.reject(new Error(event.message));
  worker.postMessage({ library, cacheDirectory: `${folder}/cache`, ...options });
  await ready.promise;
  return worker;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

Deno.test("a worker that closes itself waits for the running call, and leaks no objects", async () => {
  fake.delay(100);
  await start({ idle: false, closes: true });
  for (let i = 0; i < 500 && fake.live() > 0; i++) await pause(10);
  fake.delay(0);
  if (fake.live() > 0) throw new Error(`${fake.live()} objects are left`);
  await pause(150); // A late completion would crash the process here.
});

Deno.test("a worker without a running call can be terminated", async () => {
  const worker = await start({ idle: true, closes: false });
  worker.terminate();
  await pause(150);
});
