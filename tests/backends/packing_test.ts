/** Which graphs get sessions from the cache that do not pack their weights, and that their results are the same. */
import { assertEquals } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { isX64 } from "../../ffi/processors.ts";
import { graphOf } from "../../src/api/graph_builder.ts";
import { gainsFromPacking } from "../../src/backends/onnxruntime/packing.ts";
import { random } from "../../support/random.ts";

const [INNER, COLUMNS] = [300, 70];

type Build = (builder: MLGraphBuilder, x: MLOperand) => MLOperand;

/** A product of `x`, [rows, INNER], and a constant matrix. */
function gemm(options: MLGemmOptions, shape = [COLUMNS, INNER]): Build {
  return (builder, x) => {
    const b = builder.constant({ dataType: "float32", shape }, weights);
    return builder.gemm(x, b, { c: builder.constant("float32", 1), ...options });
  };
}

const next = random(1);
const weights = Float32Array.from({ length: INNER * COLUMNS }, () => next() - 0.5);
const product = gemm({ bTranspose: true });

const unpacked: Record<string, Build> = {
  "a product of one row": product,
  "a product between other operators": (builder, x) => builder.softmax(product(builder, builder.relu(x)), 1),
  "no product": (builder, x) => builder.relu(x),
};
const packed: Record<string, { readonly build: Build; readonly rows?: number }> = {
  "a product of two rows": { build: product, rows: 2 },
  "a matrix that is not transposed": { build: gemm({}, [INNER, COLUMNS]) },
  "a factor": { build: gemm({ bTranspose: true, alpha: 2 }) },
  "a factor of the summand": { build: gemm({ bTranspose: true, beta: 2 }) },
  "a matmul": {
    build: (builder, x) =>
      builder.matmul(x, builder.constant({ dataType: "float32", shape: [INNER, COLUMNS] }, weights)),
  },
  "a product of one row, and an operator that packs": {
    build: (builder, x) => {
      const y = product(builder, x);
      return builder.matmul(
        y,
        builder.constant({ dataType: "float32", shape: [COLUMNS, COLUMNS] }, weights.subarray(0, COLUMNS ** 2)),
      );
    },
  },
};

async function gains(build: Build, rows: number): Promise<boolean> {
  const context = await createContext({ device: "cpu", threads: 1 });
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", { dataType: "float32", shape: [rows, INNER] });
  const graph = graphOf({ y: build(builder, x) }, "test");
  context.destroy();
  return gainsFromPacking(graph);
}

for (const [name, build] of Object.entries(unpacked)) {
  Deno.test(`weights are not packed: ${name}`, async () => assertEquals(await gains(build, 1), !isX64));
}
for (const [name, { build, rows = 1 }] of Object.entries(packed)) {
  Deno.test(`weights are packed: ${name}`, async () => assertEquals(await gains(build, rows), true));
}

Deno.test("a row times a matrix is the same as in a product of two rows, whose weights are packed", async () => {
  const cacheDirectory = await Deno.makeTempDir();
  const context = await createContext({ device: "cpu", threads: 1, cacheDirectory });
  const row = Float32Array.from({ length: INNER }, () => next() - 0.5);
  const results: Float32Array[] = [];
  for (const rows of [1, 2]) {
    const builder = new MLGraphBuilder(context);
    const x = builder.input("x", { dataType: "float32", shape: [rows, INNER] });
    const graph = await builder.build({ y: product(builder, x) });
    const input = await context.createTensor({ dataType: "float32", shape: [rows, INNER], writable: true });
    const output = await context.createTensor({ dataType: "float32", shape: [rows, COLUMNS], readable: true });
    context.writeTensor(input, Float32Array.from({ length: rows * INNER }, (_, i) => row[i % INNER]!));
    context.dispatch(graph, { x: input }, { y: output });
    results.push(new Float32Array(await context.readTensor(output)).subarray(0, COLUMNS));
  }
  context.destroy();
  assertEquals((await Array.fromAsync(Deno.readDir(cacheDirectory))).length, 2);
  await Deno.remove(cacheDirectory, { recursive: true });
  const [one, two] = results as [Float32Array, Float32Array];
  const worst = one.reduce((most, value, i) => Math.max(most, Math.abs(value - two[i]!)), 0);
  assertEquals(worst < 1e-4, true, `differs by ${worst}`);
});
