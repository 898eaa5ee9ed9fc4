/**
 * Builds graphs with weights of 1 MB that become unreachable. Prints the live objects before, the most graphs at a
 * time, and the live objects at the end and after destroying the context.
 */
import { createContext, type MLContext, MLGraphBuilder } from "@webnn/deno";
import { openFaults, settled } from "../../faults/library.ts";

declare const gc: () => void;

const [library, count] = [Deno.args[0]!, Number(Deno.args[1])];
const descriptor = { dataType: "float32", shape: [512, 512] } as const;
const weights = new Float32Array(512 * 512).fill(1);

using faults = await openFaults(library);
const context = await createContext({ library });
const before = faults.leaked();
let most = 0;

async function forget(context: MLContext): Promise<void> {
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", descriptor);
  await builder.build({ y: builder.matmul(x, builder.constant(descriptor, weights)) });
  most = Math.max(most, faults.leaked()["session"] ?? 0);
}

for (let i = 0; i < count; i++) await forget(context);
const rss = Deno.memoryUsage().rss;
for (let i = 0; i < 200 && JSON.stringify(faults.leaked()) !== JSON.stringify(before); i++) {
  gc();
  await new Promise((resolve) => setTimeout(resolve, 10));
}
const end = faults.leaked();
const rssAtEnd = Deno.memoryUsage().rss;
context.destroy();
await settled(faults);
const after = faults.leaked();
console.log(JSON.stringify({ before, most, end, after, rss, rssAtEnd, reports: faults.reports() }));
