/**
 * Computes a chain of matrix products in one run, with context options given as JSON. Prints how many threads the
 * process has, and how many of them did the work. Other arguments: the number of products, and of rows.
 */
import { createContext, MLGraphBuilder } from "@webnn/deno";
import "../../support/devices.ts"; // Finds a driver for WebGPU.

const [options, products, size] = Deno.args as [string, string, string];
const SIZE = Number(size);

/** The processor time of each thread, in ticks. */
function ticks(): Map<string, number> {
  const threads = [...Deno.readDirSync("/proc/self/task")].map(({ name }) => name);
  return new Map(threads.map((thread) => {
    // After the name in parentheses; utime and stime are fields 14 and 15.
    const values = Deno.readTextFileSync(`/proc/self/task/${thread}/stat`).split(") ")[1]!.split(" ");
    return [thread, Number(values[11]) + Number(values[12])];
  }));
}

const context = await createContext(JSON.parse(options));
const descriptor = { dataType: "float32", shape: [SIZE, SIZE] } as const;
const builder = new MLGraphBuilder(context);
const x = builder.input("x", descriptor);
const weights = builder.constant(descriptor, new Float32Array(SIZE * SIZE).fill(1 / SIZE));
let y = x;
for (let i = 0; i < Number(products); i++) y = builder.matmul(y, weights);
const graph = await builder.build({ y });
const input = await context.createTensor(descriptor);
const output = await context.createTensor({ ...descriptor, readable: true });
const before = ticks();
context.dispatch(graph, { x: input }, { y: output });
await context.readTensor(output);
const after = ticks();
const work = [...after].map(([thread, time]) => time - (before.get(thread) ?? 0));
const working = work.filter((time) => time > Math.max(...work) / 3).length;
console.log(JSON.stringify({ threads: after.size, working }));
context.destroy();
