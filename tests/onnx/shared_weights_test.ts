/**
 * Graphs of several shapes share their packed weights, which are released with the last graph.
 */
import { assertEquals } from "@std/assert";
import { createContext } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";
import { onnxFile } from "../support/onnx_writer.ts";

const SIZE = 128;

Deno.test("models with shared weights are right for every shape, in concurrent and successive runs", async () => {
  const context = await createContext();
  const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => (i % 5) - 2);
  const file = onnxFile({
    nodes: [
      { op: "MatMul", inputs: ["x", "w"], outputs: ["h"] },
      { op: "MatMul", inputs: ["h", "w"], outputs: ["y"] },
    ],
    inputs: [{ name: "x", shape: ["n", SIZE] }],
    outputs: [{ name: "h" }],
    initializers: [{ name: "w", type: "float32", shape: [SIZE, SIZE], data }],
  });
  const column = Array.from({ length: SIZE }, (_, i) => data.reduce((sum, w, k) => k % SIZE === i ? sum + w : sum, 0));
  // maxGraphs 2, so that sessions are created and released while others use the packed weights.
  const models = await Promise.all([1, 2].map(() => loadOnnx(file, { context, maxGraphs: 2 })));
  for (const rows of [1, 2, 3, 4, 1]) {
    for (const model of models) {
      const { h } = await model.run({ x: new Float32Array(rows * SIZE).fill(1) });
      assertEquals([...h!.data as Float32Array], Array.from({ length: rows }, () => column).flat());
    }
  }
  models[0]!.dispose();
  const { h } = await models[1]!.run({ x: new Float32Array(5 * SIZE).fill(1) });
  assertEquals([...h!.data as Float32Array].slice(-SIZE), column);
  models[1]!.dispose();
  context.destroy();
});
