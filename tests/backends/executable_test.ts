/** Which runs are synchronous: short ones, by the estimate at first, then by their times. */
import { assertEquals } from "@std/assert";
import { OrtExecutable } from "../../src/backends/onnxruntime/executable.ts";
import type { OrtRuntime } from "../../src/backends/onnxruntime/runtime.ts";

/**
 * Runs a graph 20 times with an engine and a clock that say how many milliseconds each run takes. Returns the ways of
 * the first run, of the fourth, whose way the times decide, and of the last one.
 */
async function waysOf(
  estimated: number,
  measured: number | readonly number[],
  contexts: number,
  blockingLimit?: number,
): Promise<string[]> {
  const ways: string[] = [];
  let now = 0;
  const takes = (way: string) => {
    now += typeof measured === "number" ? measured : measured[ways.length % measured.length]!;
    ways.push(way);
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
    blockingLimit,
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
  return [ways[0]!, ways[3]!, ways.at(-1)!];
}

Deno.test("an estimate, then measured times decide whether runs are synchronous", async () => {
  assertEquals(await waysOf(0.5, 0.5, 2), ["synchronous", "synchronous", "synchronous"]);
  assertEquals(await waysOf(2, 0.5, 2), ["nonblocking", "synchronous", "synchronous"]);
  assertEquals(await waysOf(0.5, 2, 2), ["synchronous", "nonblocking", "nonblocking"]);
  assertEquals(await waysOf(2, 2, 2), ["nonblocking", "nonblocking", "nonblocking"]);
});

Deno.test("a slow first run, or a few delayed ones, do not decide", async () => {
  assertEquals(await waysOf(2, [9, 0.5, 0.5, 0.5, 0.5], 2), ["nonblocking", "synchronous", "synchronous"]);
  assertEquals(await waysOf(0.5, [0.5, 2, 2, 2, 2, 2, 2, 2], 2), ["synchronous", "synchronous", "nonblocking"]);
});

Deno.test("the only context of the process also runs graphs of 3 ms synchronously, once they are measured", async () => {
  assertEquals(await waysOf(2, 2.9, 1), ["nonblocking", "synchronous", "synchronous"]);
  assertEquals(await waysOf(2, 3.1, 1), ["nonblocking", "nonblocking", "nonblocking"]);
});

Deno.test("blockingLimit replaces the limits, with any number of contexts", async () => {
  for (const contexts of [1, 2]) {
    assertEquals(await waysOf(2, 7.9, contexts, 8), ["nonblocking", "synchronous", "synchronous"]);
    assertEquals(await waysOf(2, 8.1, contexts, 8), ["nonblocking", "nonblocking", "nonblocking"]);
    assertEquals(await waysOf(0.01, 0.01, contexts, 0), ["nonblocking", "nonblocking", "nonblocking"]);
  }
});
