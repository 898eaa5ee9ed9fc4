/** Threads that sleep while they wait compute the same results, in pools of their own. */
import { assertEquals } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { openCpu } from "../../src/backends/onnxruntime/mod.ts";
import type { OrtDevice } from "../../src/backends/onnxruntime/device.ts";
import { createSessionOptions } from "../../src/backends/onnxruntime/session_options.ts";
import { DEFAULTS } from "../../src/options.ts";

const SHAPE = [256, 256];

Deno.test("a context whose threads sleep computes what others compute", async () => {
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

Deno.test("sessions whose threads spin share the process's pool, those whose threads sleep do not", async () => {
  const device = await openCpu(DEFAULTS) as OrtDevice;
  const { api, poolThreads } = device.runtime;
  const calls: string[] = [];
  const watched = {
    ...api,
    DisablePerSessionThreads: () => void calls.push("shared"),
    SetIntraOpNumThreads: (_options: unknown, threads: number) => void calls.push(`${threads} of its own`),
  };
  for (const spinning of [true, false]) {
    const options = createSessionOptions({ ...device.runtime, api: watched }, { threads: poolThreads, spinning });
    api.ReleaseSessionOptions(options);
  }
  assertEquals(calls, ["shared", `${poolThreads} of its own`]);
  device.close();
});
