/** A slow graph: a chain of matrix products of any length. */
import { createContext, type MLContext, type MLGraph, MLGraphBuilder, type MLTensor } from "@webnn/deno";

const SIZE = 512;
const DESCRIPTOR = { dataType: "float32", shape: [SIZE, SIZE] } as const;

/** A slow graph with tensors for its input and output. */
export interface Slow {
  readonly context: MLContext;
  readonly graph: MLGraph;
  readonly input: MLTensor;
  readonly output: MLTensor;
}

/** Builds a chain of `steps` products; each takes about 1 to 4 ms on one thread. */
export async function buildSlow(steps: number): Promise<Slow> {
  const context = await createContext({ threads: 1 });
  const builder = new MLGraphBuilder(context);
  const identity = new Float32Array(SIZE * SIZE).map((_, i) => i % (SIZE + 1) === 0 ? 1 : 0);
  const factor = builder.constant(DESCRIPTOR, identity);
  let x = builder.input("x", DESCRIPTOR);
  for (let i = 0; i < steps; i++) x = builder.matmul(x, factor);
  const graph = await builder.build({ y: x });
  const options = { ...DESCRIPTOR, readable: true, writable: true };
  return { context, graph, input: await context.createTensor(options), output: await context.createTensor(options) };
}

/** Queues a run. */
export function dispatch({ context, graph, input, output }: Slow): void {
  context.dispatch(graph, { x: input }, { y: output });
}
