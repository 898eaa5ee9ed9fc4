/** The form of weights in compiled graphs: the engine keeps each of them once, in the narrow type. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { createContext, type MLContext, MLGraphBuilder, type MLOperand } from "../../mod.ts";

/** The size of the only compiled graph in a folder. */
async function compiledBytes(build: (builder: MLGraphBuilder, context: MLContext) => Promise<void>): Promise<number> {
  const folder = await Deno.makeTempDir();
  const context = await createContext({ device: "cpu", threads: 1, cacheDirectory: folder });
  try {
    await build(new MLGraphBuilder(context), context);
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assertEquals(names.length, 1);
    return (await Deno.stat(join(folder, names[0]!))).size;
  } finally {
    context.destroy();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a float16 table of gather stays float16", async () => {
  const [rows, columns] = [1024, 256];
  const table = Float16Array.from({ length: rows * columns }, (_, i) => i % 2048);
  const bytes = await compiledBytes(async (builder, context) => {
    const indices = builder.input("indices", { dataType: "int64", shape: [2] });
    const gathered = builder.gather(builder.constant({ dataType: "float16", shape: [rows, columns] }, table), indices);
    const graph = await builder.build({ y: builder.add(gathered, gathered) });
    const x = await context.createTensor({ dataType: "int64", shape: [2], writable: true });
    const y = await context.createTensor({ dataType: "float16", shape: [2, columns], readable: true });
    context.writeTensor(x, BigInt64Array.of(3n, -1n));
    context.dispatch(graph, { indices: x }, { y });
    const expected = [...table.subarray(3 * columns, 4 * columns), ...table.subarray((rows - 1) * columns)];
    assertEquals([...new Float16Array(await context.readTensor(y))], expected.map((value) => 2 * value));
  });
  assert(bytes < 1.5 * table.byteLength, `${bytes} bytes for a table of ${table.byteLength}`);
});

Deno.test("large int8 weights are kept once, as uint8", async () => {
  const [inner, columns] = [1024, 512];
  const weights = Int8Array.from({ length: inner * columns }, (_, i) => (i * 37) % 251 - 125);
  const bytes = await compiledBytes(async (builder) => {
    const one = { dataType: "float32", shape: [1, 1] } as const;
    const scale = builder.constant(one, Float32Array.of(1));
    const dequantized = (x: MLOperand, zeroPoint: number) => {
      const point = builder.constant({ dataType: x.dataType, shape: [1, 1] }, Uint8Array.of(zeroPoint));
      return builder.dequantizeLinear(x, scale, point);
    };
    const x = builder.input("x", { dataType: "uint8", shape: [2, inner] });
    const w = builder.constant({ dataType: "int8", shape: [inner, columns] }, weights);
    await builder.build({ y: builder.matmul(dequantized(x, 3), dequantized(w, 0)) });
  });
  assert(bytes < 1.5 * weights.byteLength, `${bytes} bytes for weights of ${weights.byteLength}`);
});
