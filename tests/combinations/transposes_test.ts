/** Values that are transposed and also used elsewhere: ONNX Runtime moves and removes transposes. */

import { assertEquals } from "@std/assert";
import { MLGraphBuilder } from "@webnn/deno";
import { tensor } from "../reference/mod.ts";
import { sharedContext } from "../support/builder.ts";
import { runGraph } from "../support/run_operator.ts";

Deno.test("a transpose before gemm whose result is an output is computed", async () => {
  const context = await sharedContext();
  const builder = new MLGraphBuilder(context);
  const descriptor = { dataType: "float32", shape: [2, 2] } as const;
  const x = builder.input("x", descriptor);
  const transposed = builder.transpose(x);
  const product = builder.gemm(transposed, builder.constant(descriptor, Float32Array.of(1, 0, 0, 1)));
  const input = tensor("float32", [2, 2], [1, 2, 3, 4]);
  const [first, second] = await runGraph(context, builder, { x: input }, [transposed, product]);
  assertEquals([first!.data, second!.data], [[1, 3, 2, 4], [1, 3, 2, 4]]);
});

/** Transposes and quantises a value, and also uses it otherwise. Returns the results of both. */
async function usedAndQuantized(use: (builder: MLGraphBuilder, y: ReturnType<MLGraphBuilder["tile"]>) => typeof y) {
  const context = await sharedContext();
  const builder = new MLGraphBuilder(context);
  const y = builder.tile(builder.input("x", { dataType: "float32", shape: [1, 2] }), [1, 2]);
  const scale = builder.constant({ dataType: "float32", shape: [1, 1] }, Float32Array.of(0.5));
  const zeroPoint = builder.constant({ dataType: "uint8", shape: [1, 1] }, Uint8Array.of(0));
  const quantized = builder.quantizeLinear(builder.transpose(y), scale, zeroPoint);
  const floats = builder.dequantizeLinear(quantized, scale, zeroPoint);
  const x = tensor("float32", [1, 2], [-1.2, 3.3]);
  const [used, steps] = await runGraph(context, builder, { x }, [use(builder, y), floats]);
  return [used!.data, steps!.data];
}

Deno.test("a value that is transposed and quantised is not quantised for its other uses", async () => {
  const [low, high] = [Math.fround(-1.2), Math.fround(3.3)];
  const steps = [0, 3.5, 0, 3.5];
  assertEquals(await usedAndQuantized((_, y) => y), [[low, high, low, high], steps]);
  assertEquals(await usedAndQuantized((builder, y) => builder.neg(y)), [[-low, -high, -low, -high], steps]);
});
