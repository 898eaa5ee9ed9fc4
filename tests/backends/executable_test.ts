/** Which runs are synchronous: short ones, by the estimate at first, then by their times. */
import { assertEquals } from "@std/assert";
import { OrtExecutable } from "../../src/backends/onnxruntime/executable.ts";
import type { OrtRuntime } from "../../src/backends/onnxruntime/runtime.ts";

/**
 * Runs a graph 20 times with an engine and a clock that say that each run takes some milliseconds. Returns the way of
 * the first run and that of the last one.
 */
async function waysOf(estimated: number, measured: number, contexts: number): Promise<string[]> {
  const ways: string[] = [];
  let now = 0;
  const takes = (way: string) => {
    ways.push(way);
    now += measured;
  };
  const runtime = {
    api: {
      CreateIoBinding: () => ({}),
      ReleaseIoBinding() {},
      RunWithBinding: () => takes("synchronous"),
      RunWithBindingAsync: () => Promise.resolve(takes("nonblocking")),
    },
    devices: contexts,
    graphs: 0,
    freedBytes: 0,
  } as unknown as OrtRuntime;
  const session = { pointer: {} as Deno.PointerObject, weightBytes: 0, release() {} };
  const executable = new OrtExecutable(runtime, session, {
    signature: { inputs: [], outputs: [] },
    runOptions: {} as Deno.PointerObject,
    estimatedMicroseconds: 1000 * estimated,
    record: undefined,
  });
  const { now: original } = performance;
  performance.now = () => now;
  try {
    for (let i = 0; i < 20; i++) await executable.run([], []);
  } finally {
    performance.now = original;
    executable.release();
  }
  return [ways[0]!, ways.at(-1)!];
}

Deno.test("an estimate, then measured times decide whether runs are synchronous", async () => {
  assertEquals(await waysOf(0.5, 0.5, 2), ["synchronous", "synchronous"]);
  assertEquals(await waysOf(2, 0.5, 2), ["nonblocking", "synchronous"]);
  assertEquals(await waysOf(0.5, 2, 2), ["synchronous", "nonblocking"]);
  assertEquals(await waysOf(2, 2, 2), ["nonblocking", "nonblocking"]);
});

Deno.test("the only context of the process also runs graphs of 3 ms synchronously, once they are measured", async () => {
  assertEquals(await waysOf(2, 2.9, 1), ["nonblocking", "synchronous"]);
  assertEquals(await waysOf(2, 3.1, 1), ["nonblocking", "nonblocking"]);
});
