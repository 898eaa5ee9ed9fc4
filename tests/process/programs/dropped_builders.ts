/** Prints resident memory before, during and after creating 100 builders with 4 MB each that never build. */
import { createContext, MLGraphBuilder } from "@webnn/deno";

declare const gc: () => void;

const context = await createContext();
const descriptor = { dataType: "float32", shape: [1 << 20] } as const;
const data = new Float32Array(1 << 20).fill(1);

function drop(): void {
  const builder = new MLGraphBuilder(context);
  builder.relu(builder.constant(descriptor, data));
}

async function collectAll(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

drop();
await collectAll();
const before = Deno.memoryUsage().rss;
let peak = before;
for (let i = 0; i < 100; i++) {
  drop();
  peak = Math.max(peak, Deno.memoryUsage().rss);
}
await collectAll();
console.log(JSON.stringify({ before, peak, after: Deno.memoryUsage().rss }));
