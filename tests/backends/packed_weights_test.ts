/** Weights that graphs share: their bytes are freed when no graph reads them. */
import { assert, assertEquals } from "@std/assert";
import { createContext, type MLContext, MLGraphBuilder, type MLOperand } from "@webnn/deno";
import { canCountReferences } from "../../ffi/onnxruntime/value_references.ts";
import { openRuntime } from "../../src/backends/onnxruntime/runtime.ts";
import { settingsOf } from "../../src/backends/onnxruntime/session_options.ts";
import { DEFAULTS } from "../../src/options.ts";

const SIZE = 128;
const BYTES = 4 * SIZE * SIZE;
const X = { dataType: "float32", shape: [SIZE, SIZE] } as const;

/** The runtime of contexts with default options, which counts the bytes that they free. */
const runtime = await openRuntime(settingsOf(DEFAULTS).library, 1);

type Use = (builder: MLGraphBuilder, x: MLOperand, weight: MLOperand) => MLOperand;
const product: Use = (builder, x, weight) => builder.matmul(x, weight);
const sum: Use = (builder, x, weight) => builder.add(x, weight);

/** Builds a graph for each use of a weight, destroys the weight, and returns the number of freed bytes. */
async function freedAfter(context: MLContext, uses: readonly Use[]): Promise<number> {
  const weight = await context.createConstantTensor(X, new Float32Array(SIZE * SIZE).fill(2));
  const [x, y] = [
    await context.createTensor({ ...X, writable: true }),
    await context.createTensor({ ...X, readable: true }),
  ];
  const graphs = [];
  for (const use of uses) {
    const builder = new MLGraphBuilder(context);
    graphs.push(await builder.build({ y: use(builder, builder.input("x", X), builder.constant(weight)) }));
  }
  context.writeTensor(x, new Float32Array(SIZE * SIZE).fill(1));
  await context.readTensor(y);
  const before = runtime.freedBytes;
  weight.destroy();
  await context.readTensor(y);
  const freed = runtime.freedBytes - before;
  for (const [i, graph] of graphs.entries()) {
    context.dispatch(graph, { x }, { y });
    const results = new Float32Array(await context.readTensor(y));
    const expected = uses[i] === product ? 2 * SIZE : uses[i] === sum ? 3 : 2 * SIZE + 2;
    assert(results.every((value) => value === expected));
  }
  return freed;
}

Deno.test("the references to a value can be counted", () => {
  assert(canCountReferences(runtime));
});

Deno.test("the bytes of a weight are freed with its tensor if all graphs have packed it", async () => {
  using context = await createContext({ threads: 1 });
  assertEquals(await freedAfter(context, [product]), BYTES);
  assertEquals(await freedAfter(context, [product, product]), BYTES);
});

Deno.test("a graph that reads the weight, even if it also packs it, keeps its bytes", async () => {
  using context = await createContext({ threads: 1 });
  assertEquals(await freedAfter(context, [sum]), 0);
  assertEquals(await freedAfter(context, [product, sum]), 0);
  assertEquals(await freedAfter(context, [(builder, x, w) => builder.add(builder.matmul(x, w), w)]), 0);
});
