/**
 * Cycles of create, write, dispatch, read and destroy. Prints resident memory, and the live objects before and after.
 */
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { openFaults, settled } from "../../faults/library.ts";

declare const gc: () => void;

const [library, count] = [Deno.args[0]!, Number(Deno.args[1])];
const SAMPLES = 20;

using faults = await openFaults(library);
const context = await createContext({ library });
const builder = new MLGraphBuilder(context);
const descriptor = { dataType: "float32", shape: [64, 64] } as const;
const graph = await builder.build({
  y: builder.matmul(builder.input("x", descriptor), builder.input("w", descriptor)),
});
const data = new Float32Array(64 * 64).fill(1);

async function cycle(): Promise<void> {
  const x = await context.createTensor({ ...descriptor, writable: true });
  const w = await context.createTensor({ ...descriptor, writable: true });
  const y = await context.createTensor({ ...descriptor, readable: true });
  context.writeTensor(x, data);
  context.writeTensor(w, data);
  context.dispatch(graph, { x, w }, { y });
  const result = new Float32Array(await context.readTensor(y));
  if (result.some((element) => element !== 64)) throw new Error("the result is wrong");
  for (const tensor of [x, w, y]) tensor.destroy();
}

const before = faults.leaked();
for (let i = 0; i < count; i++) await cycle(); // The warm-up, in which heaps grow.
/** Resident memory, in bytes. */
const samples: number[] = [];
for (let i = 0; i < count; i++) {
  await cycle();
  if ((i + 1) % (count / SAMPLES) !== 0) continue;
  gc();
  samples.push(Deno.memoryUsage().rss);
}
const end = faults.leaked();
context.destroy();
await settled(faults);
console.log(JSON.stringify({ samples, before, end, after: faults.leaked(), reports: faults.reports() }));
