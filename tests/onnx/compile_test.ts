/** Models compiled ahead of time. */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { createContext } from "@webnn/deno";
import { compileOnnx, loadOnnx, NeedsElements } from "@webnn/deno/onnx";
import { onnxFile } from "../support/onnx_writer.ts";

const FILE = onnxFile({
  inputs: [{ name: "x", shape: ["batch", 2] }],
  outputs: [{ name: "y" }],
  initializers: [{ name: "w", type: "float32", shape: [2, 2], data: [1, 2, 3, 4] }],
  nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
});

function test(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test(`compileOnnx: ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await body(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function filesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

test("the graph is stored in the folder, and other programs load it from there", async (folder) => {
  const cacheDirectory = join(folder, "new", "cache");
  await compileOnnx(FILE, { cacheDirectory, dimensions: { batch: 1 } });
  const files = await filesIn(cacheDirectory);
  assertEquals(files.length, 1);
  await compileOnnx(FILE, { cacheDirectory, dimensions: { batch: 1 } });
  const context = await createContext({ cacheDirectory });
  const model = await loadOnnx(FILE, { context, dimensions: { batch: 1 } });
  const { y } = await model.run({ x: Float32Array.of(1, 1) });
  assertEquals([...y!.data], [4, 6]);
  model.dispose();
  context.destroy();
  assertEquals(await filesIn(cacheDirectory), files);
});

test("the error for free dimensions names them", async (folder) => {
  await assertRejects(() => compileOnnx(FILE, { cacheDirectory: folder }), TypeError, "batch; pass dimensions");
  assertEquals(await filesIn(folder), []);
});

test("it is an error if the graph cannot be stored", async (folder) => {
  const cacheDirectory = join(folder, "file");
  await Deno.writeTextFile(cacheDirectory, "mine");
  const compiling = () => compileOnnx(FILE, { cacheDirectory, dimensions: { batch: 1 } });
  await assertRejects(compiling, Error, `nothing was stored in ${cacheDirectory}`);
  const misspelt = () => compileOnnx(FILE, { cacheDirectory: folder, dimensions: { bach: 1 } });
  await assertRejects(misspelt, TypeError, 'the model has no free dimension "bach"; its free dimensions: "batch"');
});

test("inputs of a run replace free dimensions and elements that determine the graph", async (folder) => {
  const reshape = onnxFile({
    inputs: [{ name: "x", shape: ["n"] }, { name: "sizes", type: "int64", shape: [2] }],
    outputs: [{ name: "y" }],
    initializers: [],
    nodes: [{ op: "Reshape", inputs: ["x", "sizes"], outputs: ["r"] }, { op: "Neg", inputs: ["r"], outputs: ["y"] }],
  });
  const compiling = () => compileOnnx(reshape, { cacheDirectory: folder, dimensions: { n: 4 } });
  await assertRejects(compiling, TypeError, "the elements of its inputs; pass inputs");
  const inputs = { x: Float32Array.of(1, 2, 3, 4), sizes: BigInt64Array.of(2n, 2n) };
  await compileOnnx(reshape, { cacheDirectory: folder, inputs });
  assertEquals((await filesIn(folder)).length, 1);
  const { sizes } = inputs;
  await compileOnnx(reshape, { cacheDirectory: folder, dimensions: { n: 4 }, inputs: { sizes } });
  assertEquals((await filesIn(folder)).length, 1);
  await assertRejects(
    () => compileOnnx(reshape, { cacheDirectory: folder, dimensions: { n: 4 }, inputs: {} }),
    NeedsElements,
    "sizes",
  );
  await assertRejects(
    () => compileOnnx(reshape, { cacheDirectory: folder, inputs: { sizes } }),
    TypeError,
    'the input "x" is missing',
  );
});
