/** One model on several contexts, which share the memory of its weights. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createContext, type MLContext, MLGraphBuilder, shareConstant } from "@webnn/deno";
import { loadOnnxInstances } from "@webnn/deno/onnx";
import { loadInstances, type ShareConstant } from "../../src/onnx/load.ts";
import { openRuntime } from "../../src/backends/onnxruntime/runtime.ts";
import { settingsOf } from "../../src/backends/onnxruntime/session_options.ts";
import { DEFAULTS } from "../../src/options.ts";
import { onnxFile } from "../support/onnx_writer.ts";

const SIZE = 128;
const WEIGHT = { dataType: "float32", shape: [SIZE, SIZE] } as const;
const DATA = Float32Array.from({ length: SIZE * SIZE }, (_, i) => (i % 5) - 2);
/** Ones times the weight. */
const SUMS = Array.from({ length: SIZE }, (_, i) => DATA.reduce((sum, w, k) => k % SIZE === i ? sum + w : sum, 0));

/** x times a weight, for a free or a fixed number of rows. */
function product(rows: "n" | 1): Uint8Array {
  return onnxFile({
    nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
    inputs: [{ name: "x", shape: [rows, SIZE] }],
    outputs: [{ name: "y", shape: [rows, SIZE] }],
    initializers: [{ name: "w", type: "float32", shape: [SIZE, SIZE], data: DATA }],
  });
}

/** The bytes that the engine's allocator has handed out and not got back, as this module counts them. */
async function allocatedDuring(work: () => Promise<unknown>): Promise<number> {
  const runtime = await openRuntime(settingsOf(DEFAULTS).library, 1);
  const count = () => runtime.freshBytes - runtime.freedBytes;
  const before = count();
  await work();
  return count() - before;
}

for (const rows of ["n", 1] as const) {
  Deno.test(`instances with ${rows} rows compute the same at once, and after the first one is disposed`, async () => {
    const contexts = [await createContext(), await createContext({ threads: 1 }), await createContext({ threads: 1 })];
    const models = await loadOnnxInstances(product(rows), contexts);
    const check = async (count: number) => {
      const running = models.slice(-count);
      assertEquals(running.map(({ context }) => context), contexts.slice(-count));
      for (const { y } of await Promise.all(running.map((model) => model.run({ x: new Float32Array(SIZE).fill(1) })))) {
        assertEquals([...y!.data as Float32Array], SUMS);
      }
    };
    await check(3);
    models[0]!.dispose();
    contexts[0]!.destroy();
    await contexts[0]!.lost;
    await check(2);
    for (const context of contexts) context.destroy();
  });
}

Deno.test("three instances allocate the weights once", async () => {
  const contexts = [await createContext({ threads: 1 }), await createContext({ threads: 1 })];
  const one = await allocatedDuring(() => loadOnnxInstances(product("n"), contexts.slice(1)));
  const two = await allocatedDuring(() => loadOnnxInstances(product("n"), contexts));
  assert(one >= WEIGHT.shape[0] * WEIGHT.shape[1] * 4, `${one}`);
  assertEquals(two, one);
  for (const context of contexts) context.destroy();
});

Deno.test("instances reject like loadOnnx, and leave their contexts usable", async () => {
  using context = await createContext();
  await assertRejects(() => loadOnnxInstances(new Uint8Array(8), [context]), TypeError);
  const unknown = onnxFile({
    nodes: [{ op: "Unheard", inputs: ["x"], outputs: ["y"] }],
    inputs: [{ name: "x", shape: [1] }],
    outputs: [{ name: "y", shape: [1] }],
  });
  await assertRejects(() => loadOnnxInstances(unknown, [context, context]), DOMException, "Unheard");
  assertEquals(await loadOnnxInstances(product(1), []), []);
  const [model] = await loadOnnxInstances(product(1), [context]);
  assertEquals((await model!.run({ x: new Float32Array(SIZE).fill(1) })).y!.shape, [1, SIZE]);
});

Deno.test("if a weight cannot be shared with a context, the tensors made before are destroyed", async () => {
  const file = onnxFile({
    nodes: [
      { op: "MatMul", inputs: ["x", "v"], outputs: ["h"] },
      { op: "MatMul", inputs: ["h", "w"], outputs: ["y"] },
    ],
    inputs: [{ name: "x", shape: ["n", SIZE] }],
    outputs: [{ name: "y", shape: ["n", SIZE] }],
    initializers: ["v", "w"].map((name) => ({ name, type: "float32", shape: [SIZE, SIZE], data: DATA })),
  });
  const runtimes = [1, 2, 3].map(async () => ({ context: await createContext({ threads: 1 }), MLGraphBuilder }));
  let shared = 0;
  let destroyed = 0;
  const share: ShareConstant = (tensor) => {
    if (++shared === 4) throw new DOMException("no memory", "UnknownError");
    const destroy = () => {
      destroyed++;
      tensor.destroy();
    };
    return { destroy } as MLTensor;
  };
  await assertRejects(
    async () => loadInstances(await Promise.all(runtimes), share, file, {}),
    DOMException,
    "no memory",
  );
  assertEquals([shared, destroyed], [4, 3]);
  for (const runtime of runtimes) (await runtime).context.destroy();
});

/** The elements of a constant: a graph adds it to zero. */
async function elementsOf(context: MLContext, constant: MLTensor): Promise<number[]> {
  const builder = new MLGraphBuilder(context);
  const { dataType, shape } = constant;
  const zero = builder.input("zero", { dataType, shape });
  using graph = await builder.build({ y: builder.add(zero, builder.constant(constant)) });
  using input = await context.createTensor({ dataType, shape });
  using output = await context.createTensor({ dataType, shape, readable: true });
  context.dispatch(graph, { zero: input }, { y: output });
  return [...new Float32Array(await context.readTensor(output))];
}

Deno.test("a shared constant outlives the context and the tensor that it came from", async () => {
  const first = await createContext();
  await using second = await createContext();
  const constant = await first.createConstantTensor({ dataType: "float32", shape: [3] }, Float32Array.of(1, -2, 3));
  const shared = shareConstant(constant, second);
  const again = shareConstant(shared, second);
  assertEquals([shared.dataType, [...shared.shape], shared.constant], ["float32", [3], true]);
  constant.destroy();
  first.destroy();
  assertEquals(await elementsOf(second, shared), [1, -2, 3]);
  shared.destroy();
  assertEquals(await elementsOf(second, again), [1, -2, 3]);
});

Deno.test("shareConstant refuses other tensors, destroyed ones and lost contexts", async () => {
  await using context = await createContext();
  const plain = await context.createTensor({ dataType: "float32", shape: [1] });
  assertThrows(() => shareConstant(plain, context), TypeError, "was not made by MLContext.createConstantTensor()");
  assertThrows(() => shareConstant({} as MLTensor, context), TypeError, "shareConstant: tensor");
  const constant = await context.createConstantTensor({ dataType: "float32", shape: [1] }, Float32Array.of(1));
  assertThrows(() => shareConstant(constant, {} as MLContext), TypeError, "shareConstant: context");
  const lost = await createContext();
  lost.destroy();
  const error = assertThrows(() => shareConstant(constant, lost), DOMException);
  assertEquals(error.name, "InvalidStateError");
  constant.destroy();
  assertThrows(() => shareConstant(constant, context), DOMException, "the tensor is destroyed");
});
