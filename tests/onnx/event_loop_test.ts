/**
 * The event loop stays responsive while a model loads.
 *
 * The time between two turns of the event loop is measured as CPU time of this thread, because other programs do not
 * affect that, and compared with the CPU time of the whole load.
 */
import { assert } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";
import { type NodeSpec, onnxFile, type TensorSpec } from "../support/onnx_writer.ts";
import { processorTime, stretchesOf } from "../support/thread_time.ts";
import { floats, node } from "./specs.ts";

/** The number of groups of nodes. Each group has its own constant. */
const GROUPS = 600;
const WIDTH = 64;
const ROWS = 1 << 16;

Deno.test({
  name: "a load never blocks the event loop for more than a quarter of its time plus one copy of the largest weight",
  ignore: Deno.build.os !== "linux", // Other systems do not provide the CPU time of one thread.
  async fn() {
    const weight = { dataType: "float32", shape: [ROWS, WIDTH] } as const;
    const file = largeModel();
    using model = await loadOnnx(file); // The first load also compiles this module's code.
    const context = await createContext();
    try {
      const builder = new MLGraphBuilder(context);
      const copy = processorTime(() => builder.constant(weight, new Float32Array(ROWS * WIDTH)));
      const stretches = await stretchesOf(async () => (await loadOnnx(file, { context })).dispose());
      const [longest, all] = [Math.max(...stretches), stretches.reduce((sum, time) => sum + time)];
      assert(model.isBuilt);
      assert(longest - copy < all / 4, `${longest} of ${all} ms without a turn; a copy takes ${copy} ms`);
    } finally {
      context.destroy();
    }
  },
});

/** y₀ = mean(x · w), yᵢ₊₁ = relu(yᵢ + cᵢ), with a large w. */
function largeModel(): Uint8Array {
  const nodes: NodeSpec[] = [node("MatMul", "x w", "wide"), node("ReduceMean", "wide", "y0")];
  const initializers: TensorSpec[] = [
    { name: "w", type: "float32", shape: [ROWS, WIDTH], data: new Float32Array(ROWS * WIDTH).fill(0.5) },
  ];
  for (let i = 0; i < GROUPS; i++) {
    initializers.push(floats(`c${i}`, Array.from({ length: WIDTH }, (_, j) => i + j)));
    nodes.push(node("Add", `y${i} c${i}`, `s${i}`), node("Relu", `s${i}`, `y${i + 1}`));
  }
  return onnxFile({
    nodes,
    initializers,
    inputs: [{ name: "x", shape: [1, ROWS] }],
    outputs: [{ name: `y${GROUPS}` }],
  });
}
