/**
 * Files of a model: the importer frees those it read when the weights are copied, and keeps those the caller passed.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { buildOnnx, inspectOnnx, loadOnnx } from "@webnn/deno/onnx";
import { type ModelSpec, onnxFile, type TensorSpec } from "../support/onnx_writer.ts";

const SIZE = 64;
const BASE = "https://models.example/";
/** The identity matrix times 2. */
const WEIGHT = Float32Array.from({ length: SIZE * SIZE }, (_, i) => i % (SIZE + 1) === 0 ? 2 : 0);

/** y = x · w + b, and k, an output that is known without running. */
function linear(rows: number | string, external?: TensorSpec["external"]): ModelSpec {
  const w: TensorSpec = { name: "w", type: "float32", shape: [SIZE, SIZE], data: external ? [] : WEIGHT };
  return {
    nodes: [
      { op: "MatMul", inputs: ["x", "w"], outputs: ["p"] },
      { op: "Add", inputs: ["p", "b"], outputs: ["y"] },
      { op: "Identity", inputs: ["b"], outputs: ["k"] },
    ],
    inputs: [{ name: "x", shape: [rows, SIZE] }],
    outputs: [{ name: "y" }, { name: "k" }],
    initializers: [external ? { ...w, external } : w, { name: "b", type: "float32", shape: [1], data: [3] }],
  };
}

/** Serves files during `work`. Returns their buffers, which the importer uses without copying. */
async function served(
  files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
  work: (buffers: Readonly<Record<string, ArrayBuffer>>) => Promise<void>,
): Promise<void> {
  const buffers = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, bytes.slice().buffer]));
  const { fetch } = globalThis;
  globalThis.fetch = (input) => {
    const buffer = buffers[String(input).slice(BASE.length)];
    const response = new Response(null, { status: buffer ? 200 : 404 });
    return Promise.resolve(Object.assign(response, { arrayBuffer: () => Promise.resolve(buffer) }));
  };
  try {
    await work(buffers);
  } finally {
    globalThis.fetch = fetch;
  }
}

async function checkRun(model: Awaited<ReturnType<typeof loadOnnx>>, rows: number): Promise<void> {
  const { y, k } = await model.run({ x: new Float32Array(rows * SIZE).fill(rows) });
  assertEquals(y!.data, new Float32Array(rows * SIZE).fill(2 * rows + 3));
  assertEquals(k!.data, Float32Array.of(3));
}

Deno.test("a model with fixed shapes frees its files when it is loaded", async () => {
  const external = { location: "w.bin", offset: 0, length: WEIGHT.byteLength };
  const files = {
    "one.onnx": onnxFile(linear(2)),
    "two.onnx": onnxFile(linear(2, external)),
    "w.bin": new Uint8Array(WEIGHT.slice().buffer),
  };
  await served(files, async (buffers) => {
    for (const name of ["one.onnx", "two.onnx"]) {
      using model = await loadOnnx(BASE + name);
      assert(buffers[name]!.detached, name);
      await checkRun(model, 2);
      await checkRun(model, 2);
    }
    assert(buffers["w.bin"]!.detached);
  });
});

Deno.test("a model with free shapes frees its file before the first run, and still accepts new shapes", async () => {
  await served({ "free.onnx": onnxFile(linear("n")) }, async (buffers) => {
    using model = await loadOnnx(`${BASE}free.onnx`, { maxGraphs: 2 });
    assert(buffers["free.onnx"]!.detached);
    for (const rows of [1, 2, 3, 4, 1]) await checkRun(model, rows);
  });
});

Deno.test("files are freed if loading fails, and by inspectOnnx and buildOnnx", async () => {
  const unknown = {
    ...linear(1),
    nodes: [{ op: "Nonsense", inputs: ["x"], outputs: ["y"] }],
    outputs: [{ name: "y" }],
  };
  const files = {
    "inspected.onnx": onnxFile(linear(1)),
    "built.onnx": onnxFile(linear(1)),
    "refused.onnx": onnxFile(unknown),
  };
  await served(files, async (buffers) => {
    assertEquals((await inspectOnnx(`${BASE}inspected.onnx`)).weightBytes, WEIGHT.byteLength + 4);
    const context = await createContext();
    const builder = new MLGraphBuilder(context);
    const { y } = await buildOnnx(builder, new URL(`${BASE}built.onnx`), { context });
    await assertRejects(() => loadOnnx(`${BASE}refused.onnx`, { context }), DOMException, "Nonsense");
    for (const [name, buffer] of Object.entries(buffers)) assert(buffer.detached, name);
    using graph = await builder.build({ y: y! });
    const x = await context.createTensor({ dataType: "float32", shape: [1, SIZE], writable: true });
    const result = await context.createTensor({ dataType: "float32", shape: [1, SIZE], readable: true });
    context.writeTensor(x, new Float32Array(SIZE).fill(1));
    context.dispatch(graph, { x }, { y: result });
    assertEquals(new Float32Array(await context.readTensor(result)), new Float32Array(SIZE).fill(5));
    context.destroy();
  });
});

Deno.test("bytes passed by the caller are not freed", async () => {
  const external = { location: "w.bin", offset: 0, length: WEIGHT.byteLength };
  const [bytes, weights] = [onnxFile(linear("n", external)), new Uint8Array(WEIGHT.slice().buffer)];
  const copies = [bytes.slice(), weights.slice()];
  for (const externalData of [{ "w.bin": weights }, () => weights]) {
    using model = await loadOnnx(bytes, { externalData });
    await checkRun(model, 1);
    await inspectOnnx(bytes, { externalData });
  }
  await served({ "beside.onnx": bytes }, async () => {
    using model = await loadOnnx(`${BASE}beside.onnx`, { externalData: { "w.bin": weights } });
    await checkRun(model, 1);
  });
  assertEquals([bytes, weights], copies);
});
