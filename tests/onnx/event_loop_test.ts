/** The event loop stays responsive while a model loads. */
import { assert } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";
import { type NodeSpec, onnxFile, type TensorSpec } from "../support/onnx_writer.ts";
import { processorTime, stretchesOf } from "../support/thread_time.ts";
import { floats, node } from "./specs.ts";

/** The number of groups of nodes. Each group has its own constant. */
const GROUPS = 600;
const WIDTH = 64;
const ROWS = 1 << 14;

/** A stretch that belongs to loading, and not to a garbage collection or a pause of the machine, is in each load. */
const LOADS = 5;
/**
 * A ratio, because the same load takes several times as long on another machine. On the one for which the goal of 10 ms
 * was set, this is about 25 ms: parts that cannot be interrupted do not get shorter with the load.
 */
const LARGEST_SHARE = 0.25;

Deno.test({
  name: "a load of many nodes never blocks the event loop for long, apart from the copy of a weight",
  ignore: Deno.build.os !== "linux", // Other systems do not provide the CPU time of one thread.
  async fn() {
    const weight = { dataType: "float32", shape: [ROWS, WIDTH] } as const;
    const file = largeModel();
    using model = await loadOnnx(file); // The first load also compiles this module's code.
    assert(model.isBuilt);
    const context = await createContext();
    try {
      const builder = new MLGraphBuilder(context);
      const elements = new Float32Array(ROWS * WIDTH).fill(0.5);
      const shares: number[] = [];
      for (let i = 0; i < LOADS; i++) {
        const copy = processorTime(() => builder.constant(weight, elements));
        const stretches = await stretchesOf(async () => (await loadOnnx(file, { context })).dispose());
        shares.push((Math.max(...stretches) - copy) / stretches.reduce((sum, time) => sum + time));
      }
      assert(
        Math.min(...shares) < LARGEST_SHARE,
        `the longest stretches without a turn, less one copy, as shares of the load: ${shares}`,
      );
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
