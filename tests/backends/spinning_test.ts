/** How threads wait for each other, and which pool they belong to. */
import { assertEquals } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { openCpu } from "../../src/backends/onnxruntime/mod.ts";
import type { OrtDevice } from "../../src/backends/onnxruntime/device.ts";
import { defaultThreads, openRuntime } from "../../src/backends/onnxruntime/runtime.ts";
import { createSessionOptions, waitingOf } from "../../src/backends/onnxruntime/session_options.ts";
import { DEFAULTS } from "../../src/options.ts";

const SHAPE = [256, 256];

Deno.test("a context whose threads sleep computes the same results", async () => {
  const results = [];
  for (const spinning of [true, false]) {
    await using context = await createContext({ threads: 2, spinning });
    const builder = new MLGraphBuilder(context);
    const a = builder.input("a", { dataType: "float32", shape: SHAPE });
    const graph = await builder.build({ c: builder.matmul(a, a) });
    const input = await context.createTensor({ dataType: "float32", shape: SHAPE, writable: true });
    const output = await context.createTensor({ dataType: "float32", shape: SHAPE, readable: true });
    context.writeTensor(input, Float32Array.from({ length: 256 * 256 }, (_, i) => (i % 7) - 3));
    context.dispatch(graph, { a: input }, { c: output });
    results.push(new Float32Array(await context.readTensor(output)));
  }
  assertEquals(results[0], results[1]);
});

Deno.test("sessions whose threads sleep share the process's pool, those whose threads spin do not", async () => {
  const device = await openCpu(DEFAULTS) as OrtDevice;
  const { api, poolThreads } = device.runtime;
  const calls: string[] = [];
  const watched = {
    ...api,
    DisablePerSessionThreads: () => void calls.push("shared"),
    SetIntraOpNumThreads: (_options: unknown, threads: number) => void calls.push(`${threads} of its own`),
  };
  for (
    const [threads, waiting] of [[poolThreads, "sleep"], [poolThreads, "spin"], [poolThreads + 1, "sleep"]] as const
  ) {
    const options = createSessionOptions({ ...device.runtime, api: watched }, { threads }, waiting);
    api.ReleaseSessionOptions(options);
  }
  assertEquals(calls, ["shared", `${poolThreads} of its own`, `${poolThreads + 1} of its own`]);
  device.close();
});

Deno.test("the user, or else the length of runs and the number of contexts and graphs, determines how threads wait", () => {
  const waits = (spinning?: boolean) =>
    (["tiny", "short", "long"] as const).flatMap((run) =>
      [{ contexts: 1, graphs: 0 }, { contexts: 2, graphs: 1 }, { contexts: 1, graphs: 16 }].map((counts) =>
        waitingOf(spinning === undefined ? {} : { spinning }, { run, ...counts })
      )
    );
  assertEquals(waits().slice(0, 3), ["sleep", "sleep", "sleep"]);
  assertEquals(waits().slice(3, 6), ["spin", "spin", "sleep"]);
  assertEquals(waits().slice(6), ["spin briefly", "sleep", "sleep"]);
  assertEquals(new Set(waits(true)), new Set(["spin"]));
  assertEquals(new Set(waits(false)), new Set(["sleep"]));
});

/** Whether a graph that takes some milliseconds gets the threads of the process, or its own. */
async function threadsOfLongGraph(context: MLContext): Promise<string[]> {
  const runtime = await openRuntime(undefined, defaultThreads());
  const { api } = runtime;
  const calls: string[] = [];
  const DisablePerSessionThreads: typeof api.DisablePerSessionThreads = (options) => {
    calls.push("the process's");
    api.DisablePerSessionThreads(options);
  };
  const SetIntraOpNumThreads: typeof api.SetIntraOpNumThreads = (options, threads) => {
    calls.push("its own");
    api.SetIntraOpNumThreads(options, threads);
  };
  const builder = new MLGraphBuilder(context);
  const a = builder.input("a", { dataType: "float32", shape: [512, 512] });
  Object.assign(runtime, { api: { ...api, DisablePerSessionThreads, SetIntraOpNumThreads } });
  try {
    await builder.build({ c: builder.matmul(a, a) });
    return calls;
  } finally {
    Object.assign(runtime, { api });
  }
}

Deno.test("a graph of the only context has its own threads; graphs of several contexts share those of the process", async () => {
  await using first = await createContext();
  assertEquals(await threadsOfLongGraph(first), ["its own"]);
  {
    await using second = await createContext();
    assertEquals(await threadsOfLongGraph(second), ["the process's"]);
    assertEquals(await threadsOfLongGraph(first), ["the process's"]);
  }
  await using lone = await createContext({ spinning: true });
  first.destroy();
  assertEquals(await threadsOfLongGraph(lone), ["its own"]);
});
