/**
 * Computes a chain of matrix products in one run, with context options given as JSON. Prints how many threads the
 * process has at most, because some engines end theirs with the run. Other arguments: the number of products, and of
 * rows.
 */
import { createContext, MLGraphBuilder } from "@webnn/deno";
import "../../support/devices.ts"; // Finds a driver for WebGPU.

const [options, products, size] = Deno.args as [string, string, string];
const SIZE = Number(size);

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
let isDone = false;
let most = 0;
context.dispatch(graph, { x: input }, { y: output });
const read = context.readTensor(output).then(() => isDone = true);
do {
  most = Math.max(most, [...Deno.readDirSync("/proc/self/task")].length);
  await new Promise((resolve) => setTimeout(resolve, 1));
} while (!isDone);
await read;
console.log(most);
context.destroy();
