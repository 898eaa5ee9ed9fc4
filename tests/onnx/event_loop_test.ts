/**
 * The event loop stays responsive while a model loads.
 *
 * The time between two turns of the loop is measured as CPU time of this thread, which other programs lengthen only as
 * far as they share caches and cores. That factor is measured too, with fixed work in the same process.
 */
import { assert } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";
import { median } from "../../support/statistics.ts";
import { type NodeSpec, onnxFile, type TensorSpec } from "../support/onnx_writer.ts";
import { processorTime, stretchesOf } from "../support/thread_time.ts";
import { floats, node } from "./specs.ts";

/** The number of groups of nodes. Each group has its own constant. */
const GROUPS = 600;
const WIDTH = 64;
const ROWS = 1 << 14;

/** How long the loop may wait, in milliseconds of the machine for which the goal was set. */
const LONGEST_STRETCH = 10;
/** How long the fixed work takes on that machine, an AMD EPYC without other programs. */
const FIXED_WORK_TIME = 2.2;
/** A stretch that belongs to loading, and not to a garbage collection by chance, is in each load. */
const LOADS = 3;

Deno.test({
  name: "a load never blocks the event loop for more than 10 ms plus one copy of the largest weight",
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
      const longest: number[] = [], copies: number[] = [], factors: number[] = [];
      for (let i = 0; i < LOADS; i++) {
        copies.push(processorTime(() => builder.constant(weight, elements)));
        longest.push(Math.max(...await stretchesOf(async () => (await loadOnnx(file, { context })).dispose())));
        factors.push(slowness());
      }
      const [stretch, copy, factor] = [Math.min(...longest), Math.max(...copies), Math.max(1, ...factors)];
      assert(
        stretch - copy <= LONGEST_STRETCH * factor,
        `${stretch} ms without a turn; a copy takes ${copy} ms, and this machine ${factor} times as long as the other`,
      );
    } finally {
      context.destroy();
    }
  },
});

/** How many times as long as on the other machine this one takes now. */
function slowness(): number {
  return median(Array.from({ length: 15 }, () => processorTime(fixedWork))) / FIXED_WORK_TIME;
}

function fixedWork(): void {
  const found = new Map<string, { index: number }>();
  for (let index = 0; index < 10_000; index++) found.set(`name ${index}`, { index });
}

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
