/** Which instance runs a request, and on which thread. */
import { assertEquals } from "@std/assert";
import { defaultThreads, openRuntime } from "../../src/backends/onnxruntime/runtime.ts";
import { infer, unary, withHandler } from "./client.ts";

/** Longer than runs of a process with several contexts may block the event loop, in milliseconds. */
const DURATION = 2;
const REQUESTS = 8;

/** Counts the nonblocking runs during some work. Runs that block take at least {@linkcode DURATION}. */
async function nonblockingRuns(work: () => Promise<void>): Promise<number> {
  const runtime = await openRuntime(undefined, defaultThreads());
  const { api } = runtime;
  let calls = 0;
  const RunWithBinding: typeof api.RunWithBinding = (...given) => {
    const until = performance.now() + DURATION;
    while (performance.now() < until);
    return api.RunWithBinding(...given);
  };
  const RunWithBindingAsync: typeof api.RunWithBindingAsync = (...given) => {
    calls++;
    return api.RunWithBindingAsync(...given);
  };
  Object.assign(runtime, { api: { ...api, RunWithBinding, RunWithBindingAsync } });
  try {
    await work();
    return calls;
  } finally {
    Object.assign(runtime, { api });
  }
}

withHandler(
  "runs of requests that are alone block the event loop, those of requests that come together do not",
  [unary("Neg")],
  { context: { threads: 2 } },
  async (handler) => {
    const request = { inputs: [{ name: "x", datatype: "FP32", shape: [1, 2], data: [1, 2] }] };
    const send = async (count: number) => {
      const answers = await Promise.all(Array.from({ length: count }, () => infer(handler, "Neg", request)));
      for (const { json } of answers) assertEquals(json.outputs[0].data, [-1, -2]);
    };
    const alone = await nonblockingRuns(async () => {
      for (let i = 0; i < REQUESTS; i++) await send(1);
    });
    const together = await nonblockingRuns(async () => {
      for (let i = 0; i < REQUESTS; i++) await send(2);
    });
    // The times of the first three runs of an instance decide about the others.
    assertEquals([alone, together > 0], [0, true]);
  },
);
