/** Starts and terminates workers that call functions by symbols. The program's own symbols must continue to work. */
import { assertEquals } from "@std/assert";
import { callable, directCalls } from "../../ffi/direct_calls.ts";
import { ADDRESSES, addressOf, FUNCTIONS } from "./libc_functions.ts";

const ROUNDS = 8;
const abs = callable(addressOf("abs"), FUNCTIONS.abs, directCalls(ADDRESSES));

for (let round = 0; round < ROUNDS; round++) {
  const [waiting, calling] = [start(0), start(1e6)];
  await Promise.all([waiting.called, calling.called]);
  call();
  waiting.worker.terminate();
  calling.worker.terminate();
  call();
}
console.log("done");

function call(): void {
  for (let i = 1; i < 1000; i++) assertEquals(abs(-i), i);
}

/** Starts a worker that makes `more` calls after the first ones. */
function start(more: number): { worker: Worker; called: Promise<unknown> } {
  const worker = new Worker(import.meta.resolve("./calling_worker.ts"), { type: "module" });
  const called = new Promise((resolve) => worker.onmessage = resolve);
  worker.postMessage(more);
  return { worker, called };
}
