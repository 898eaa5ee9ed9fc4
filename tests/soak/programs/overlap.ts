/** `overlap.ts LOOPS ROUNDS`: concurrent loops that write 4 MB, dispatch and read. Prints resident memory in bytes. */
import { createContext, MLGraphBuilder } from "@webnn/deno";

const [loops, rounds] = Deno.args.map(Number) as [number, number];
const SAMPLES = 40;
const descriptor = { dataType: "float32", shape: [1024, 1024] } as const;

const context = await createContext();
const builder = new MLGraphBuilder(context);
const graph = await builder.build({ y: builder.reduceSum(builder.input("x", descriptor)) });
const data = new Float32Array(1024 * 1024).fill(1);
const samples: number[] = [];
let done = 0;

async function loop(): Promise<void> {
  const x = await context.createTensor({ ...descriptor, writable: true });
  const y = await context.createTensor({ dataType: "float32", shape: [], readable: true });
  while (done < rounds) {
    context.writeTensor(x, data);
    context.dispatch(graph, { x }, { y });
    const [sum] = new Float32Array(await context.readTensor(y));
    if (sum !== data.length) throw new Error(`the sum is ${sum}`);
    if (++done % Math.ceil(rounds / SAMPLES) === 0) samples.push(Deno.memoryUsage().rss);
  }
}

await Promise.all(Array.from({ length: loops }, loop));
console.log(JSON.stringify(samples));
