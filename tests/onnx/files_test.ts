/**
 * Files of a model: the importer frees those it read when the weights are copied, and keeps those the caller passed.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { buildOnnx, inspectOnnx, loadOnnx, loadOnnxInstances } from "@webnn/deno/onnx";
import { PartialFile } from "../../ffi/partial_file.ts";
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

const WIDE = 600;
const WIDE_WEIGHTS = Float32Array.from({ length: WIDE * WIDE }, (_, i) => i % (WIDE + 1) === 0 ? 2 : 0);

/** y = (x · w + b) · w, whose file is read in parts. */
function wide(rows: number | string, external?: TensorSpec["external"]): ModelSpec {
  const w: TensorSpec = { name: "w", type: "float32", shape: [WIDE, WIDE], data: external ? [] : WIDE_WEIGHTS };
  return {
    nodes: [
      { op: "MatMul", inputs: ["x", "w"], outputs: ["p"] },
      { op: "Add", inputs: ["p", "b"], outputs: ["q"] },
      { op: "MatMul", inputs: ["q", "w"], outputs: ["y"] },
    ],
    inputs: [{ name: "x", shape: [rows, WIDE] }],
    outputs: [{ name: "y" }],
    initializers: [external ? { ...w, external } : w, { name: "b", type: "float32", shape: [1], data: [3] }],
  };
}

async function checkWide(model: Awaited<ReturnType<typeof loadOnnx>>, rows: number): Promise<void> {
  const { y } = await model.run({ x: new Float32Array(rows * WIDE).fill(rows) });
  assertEquals(y!.data, new Float32Array(rows * WIDE).fill(4 * rows + 6));
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const external = { location: "w.bin", offset: 4096, length: WIDE_WEIGHTS.byteLength };
    const data = new Uint8Array(4096 + WIDE_WEIGHTS.byteLength);
    data.set(new Uint8Array(WIDE_WEIGHTS.buffer), 4096);
    await Deno.writeFile(`${folder}/w.bin`, data);
    for (const rows of [2, "n"]) {
      await Deno.writeFile(`${folder}/inside_${rows}.onnx`, onnxFile(wide(rows)));
      await Deno.writeFile(`${folder}/beside_${rows}.onnx`, onnxFile(wide(rows, external)));
    }
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("large files: fixed and free shapes, weights inside and beside the model, several loads at once", () =>
  withFolder(async (folder) => {
    const names = ["inside_2", "beside_2", "inside_n", "beside_n"];
    await using context = await createContext();
    const models = await Promise.all([
      ...names.map((name) => loadOnnx(`${folder}/${name}.onnx`, { context })),
      ...names.map((name) => loadOnnx(new URL(`file://${folder}/${name}.onnx`))),
    ]);
    for (const model of models) {
      await checkWide(model, 2);
      model.dispose();
    }
    for (const name of names) {
      const [instance] = await loadOnnxInstances(`${folder}/${name}.onnx`, [context]);
      await checkWide(instance!, 2);
      instance!.dispose();
      assertEquals((await inspectOnnx(`${folder}/${name}.onnx`)).weightBytes, WIDE_WEIGHTS.byteLength + 4);
    }
  }));

Deno.test({
  name: "weights of large files are not read into JavaScript's memory",
  ignore: Deno.build.os !== "linux", // Other systems read files as a whole.
  fn: () =>
    withFolder(async (folder) => {
      const { readNow } = PartialFile.prototype;
      let count = 0;
      PartialFile.prototype.readNow = function (memory, offset) {
        count += memory.byteLength;
        readNow.call(this, memory, offset);
      };
      try {
        for (const name of ["inside_2", "beside_2"]) {
          using model = await loadOnnx(`${folder}/${name}.onnx`);
          await checkWide(model, 2);
          await inspectOnnx(`${folder}/${name}.onnx`);
        }
      } finally {
        PartialFile.prototype.readNow = readNow;
      }
      assert(count < 200_000, `${count} bytes were read`);
    }),
});

Deno.test("a file that becomes shorter while its model loads is an error, and other loads are not affected", () =>
  withFolder(async (folder) => {
    await using context = await createContext();
    const paths = ["inside_2", "beside_2"].map((name) => `${folder}/${name}.onnx`);
    const [cut, whole] = paths.map((path) => loadOnnx(path, { context }));
    // Before the file is cut off, so that the load cannot reject unobserved.
    const rejection = assertRejects(() => cut!, TypeError);
    await Deno.truncate(paths[0]!, 1000);
    await rejection;
    using model = await whole!;
    await checkWide(model, 2);
  }));

Deno.test({
  name: "a load that fails reads the weights that are pending, and frees them and the file",
  ignore: Deno.build.os !== "linux", // Other systems read files as a whole.
  fn: () =>
    withFolder(async (folder) => {
      const spec = wide(2);
      const nodes = [...spec.nodes, { op: "Nonsense", inputs: ["y"], outputs: ["z"] }];
      await Deno.writeFile(`${folder}/refused.onnx`, onnxFile({ ...spec, nodes, outputs: [{ name: "z" }] }));
      const { close, readInto } = PartialFile.prototype;
      const calls: string[] = [];
      PartialFile.prototype.readInto = function (...args) {
        calls.push("read");
        return readInto.apply(this, args);
      };
      PartialFile.prototype.close = function () {
        calls.push("close");
        close.call(this);
      };
      try {
        await assertRejects(() => loadOnnx(`${folder}/refused.onnx`), DOMException, "Nonsense");
      } finally {
        Object.assign(PartialFile.prototype, { close, readInto });
      }
      assertEquals(calls, ["read", "close"]);
    }),
});
