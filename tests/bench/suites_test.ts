import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { optimizers, plainArithmetic } from "../../bench/support/optimizers.ts";
import { captureGraph } from "../../bench/support/capture.ts";
import { loadSuite, suites } from "../../bench/support/suites.ts";
import { createTraining } from "../../bench/support/training.ts";
import { workOf } from "../../bench/support/work.ts";
import { type GraphFile, writeGraph } from "../../bench/report/graph_file.ts";
import "@webnn/deno/polyfill";

const parameters = [0.5, -1, 2];
const gradients = [0.1, -0.2, 0.3];
/**
 * The results of torch.optim in PyTorch 2.15, in double precision: eight steps with lr = 1e-3 and other defaults, where
 * each gradient is larger than the one before by a tenth of the first.
 */
const TORCH: Record<string, readonly number[]> = {
  adam: [0.49191822156974546, -0.991918221224883, 1.9919182211099284],
  adamw: [0.49187850428778124, -0.991838505342904, 1.991758508027898],
  radam: [0.4993463127557007, -0.9987919384238111, 1.9982375641218195],
  nadam: [0.4929704929022159, -0.9929704926017972, 1.9929704925016574],
  adamax: [0.4928351652018172, -0.9928351649253585, 1.9928351648332057],
};

for (const optimizer of optimizers) {
  Deno.test(`${optimizer.name} takes the same steps as PyTorch`, () => {
    for (const [i, start] of parameters.entries()) {
      let state = { parameter: start, gradient: 0, first: 0, second: 0 };
      for (let step = 1; step <= 8; step++) {
        const gradient = gradients[i]! * (1 + 0.1 * (step - 1));
        const scalars = optimizer.scalars(step);
        state = { gradient, ...optimizer.update(plainArithmetic, { ...state, gradient }, scalars) };
      }
      assertAlmostEquals(state.parameter, TORCH[optimizer.name]![i]!, 1e-10); // NAdam stores a scalar in float32.
    }
  });
}

Deno.test("optimizer steps with their state on the device equal the reference", async () => {
  const context = await navigator.ml.createContext();
  await (await createTraining(context, optimizers.find(({ name }) => name === "nadam")!)).check(3);
  context.destroy();
});

Deno.test("the work of operators equals counts by hand", async () => {
  const flopOf = async (name: string) => {
    const suite = await loadSuite(name);
    return workOf((await captureGraph((context) => suite.build(context))).graph).flop;
  };
  assertEquals(await flopOf("matmul-64"), 2 * 64 ** 3);
  assertEquals(await flopOf("add"), 32 * 112 * 112);
  assertEquals(await flopOf("reduce-max"), 256 * 1024);
  assertEquals(await flopOf("max-pool"), 4 * 32 * 56 * 56);
  assertEquals(await flopOf("lstm"), 2 * 32 * 4 * 128 * (128 + 128));
  const elements = 64 * 56 * 56;
  assertEquals(await flopOf("conv-block"), 2 * (2 * elements * 64 * 9 + elements) + 3 * elements);
});

Deno.test("names of suites are unique, and a check fails for wrong numbers", async () => {
  assertEquals(new Set(suites.map(({ name }) => name)).size, suites.length);
  const { check } = await loadSuite("matmul-64");
  assertThrows(() => check(new Float32Array(64 * 64)), Error, "element 0 is 0, not ");
});

Deno.test("a graph file has the calls with their parameters, options and weights", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { graph } = await captureGraph(async (context) => {
      const builder = new MLGraphBuilder(context);
      const x = builder.input("x", { dataType: "float32", shape: [2, 2] });
      const weight = builder.constant({ dataType: "float32", shape: [2, 2] }, Float32Array.of(1, 2, 3, 4));
      const bias = builder.constant({ dataType: "float32", shape: [2] }, Float32Array.of(5, 6));
      await builder.build({ y: builder.softmax(builder.gemm(x, weight, { c: bias, alpha: 2 }), 1) });
    });
    await writeGraph(graph, folder);
    const file: GraphFile = JSON.parse(await Deno.readTextFile(`${folder}/graph.json`));
    const [x, weight, bias] = [file.inputs[0]!, ...file.constants];
    assertEquals(file.nodes.map(({ outputs: _, ...call }) => call), [
      {
        operator: "gemm",
        operands: [x.id, weight!.id],
        parameters: [],
        options: { alpha: 2, beta: 1, aTranspose: false, bTranspose: false },
        optional: { c: bias!.id },
      },
      { operator: "softmax", operands: [file.nodes[0]!.outputs[0]!], parameters: [1], options: {}, optional: {} },
    ]);
    assertEquals(file.outputs, [{ name: "y", id: file.nodes[1]!.outputs[0]!, dataType: "float32", shape: [2, 2] }]);
    const bytes = await Deno.readFile(`${folder}/weights.bin`);
    assertEquals([...new Float32Array(bytes.buffer)], [1, 2, 3, 4, 5, 6]);
    assert(bias!.offset === weight!.byteLength);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
