import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  createContext,
  exportMlpackage,
  exportOnnx,
  type MLContext,
  MLGraphBuilder,
  type MLNamedOperands,
  type MLOperand,
} from "../../mod.ts";
import { inspectOnnx, loadOnnx } from "../../src/onnx/mod.ts";
import { runChild } from "../../support/child.ts";
import { newBuilder, sharedContext } from "../support/builder.ts";
import { testData, testWithData } from "../support/test_data.ts";
import { CASES } from "../wpt_cases/main.ts";
import { readProgram } from "../coreml/reader.ts";

const FLOAT = { dataType: "float32", shape: [1, 3, 8, 8] } as const;

/** A small network. Its names of inputs and outputs are also names that the exporters give to other values. */
function network(b: MLGraphBuilder): MLNamedOperands {
  const weights = (shape: number[]) =>
    b.constant(
      { dataType: "float32", shape },
      Float32Array.from({ length: shape.reduce((n, size) => n * size, 1) }, (_, i) => Math.sin(i)),
    );
  const x = b.input("t1", FLOAT);
  const stem = b.sigmoid(b.conv2d(x, weights([4, 3, 3, 3]), { padding: [1, 1, 1, 1], strides: [2, 2] }));
  const flat = b.reshape(b.layerNormalization(stem), [4, 16]);
  return { "scores:0": b.softmax(b.matmul(flat, weights([16, 5])), 1), c0: stem, "v/0": b.linear(flat, { beta: 1 }) };
}

async function run(
  context: MLContext,
  builder: MLGraphBuilder,
  outputs: MLNamedOperands,
  input: Float32Array<ArrayBuffer>,
) {
  const shapes = Object.entries(outputs).map(([name, { shape }]) => [name, [...shape]] as const);
  using graph = await builder.build(outputs);
  const x = await context.createTensor({ ...FLOAT, writable: true });
  context.writeTensor(x, input);
  const tensors = Object.fromEntries(
    await Promise.all(
      shapes.map(async ([name, shape]) =>
        [name, await context.createTensor({ dataType: "float32", shape, readable: true })] as const
      ),
    ),
  );
  context.dispatch(graph, { t1: x }, tensors);
  const results: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    results[name] = new Float32Array(await context.readTensor(tensor));
  }
  return results;
}

Deno.test("an exported ONNX file keeps the names of inputs and outputs, and uses only operators of ai.onnx", async () => {
  const builder = await newBuilder();
  const file = await exportOnnx(network(builder));
  const { inputs, opsets, outputs, unsupported } = await inspectOnnx(file, { context: await sharedContext() });
  assertEquals(inputs.map(({ name, shape }) => [name, shape]), [["t1", [1, 3, 8, 8]]]);
  assertEquals(outputs.map(({ name }) => name), ["scores:0", "c0", "v/0"]);
  assertEquals([opsets, unsupported], [{ "": 20 }, []]);
});

Deno.test("an exported file gives the same results, and its builder can still build", async () => {
  const context = await sharedContext();
  const builder = new MLGraphBuilder(context);
  const outputs = network(builder);
  const file = await exportOnnx(outputs);
  const input = Float32Array.from({ length: 192 }, (_, i) => Math.cos(i));
  const expected = await run(context, builder, outputs, input);
  await using model = await loadOnnx(file, { context });
  const results = await model.run({ t1: input });
  for (const [name, values] of Object.entries(expected)) {
    const found = results[name]!.data as Float32Array;
    values.forEach((value, i) => assert(Math.abs(value - found[i]!) <= 1e-6 * Math.abs(value), `${name}[${i}]`));
  }
});

Deno.test("the exported bytes do not depend on the context", async () => {
  await using other = await createContext({ threads: 1, allowReducedPrecision: true });
  const files = await Promise.all([await newBuilder(), new MLGraphBuilder(other)].map((b) => exportOnnx(network(b))));
  assertEquals(files[0], files[1]);
});

Deno.test("4-bit integers need operator version 21; constant tensors are exported as constants", async () => {
  const context = await sharedContext();
  const tensor = await context.createConstantTensor({ dataType: "float32", shape: [2] }, Float32Array.of(0.5, 0.25));
  const b = new MLGraphBuilder(context);
  const x = b.input("x", { dataType: "int4" as "int8", shape: [2, 4] });
  const scale = b.reshape(b.constant(tensor), [2, 1]);
  const zero = b.constant({ dataType: "int4" as "int8", shape: [2, 1] }, Uint8Array.of(0));
  const { opsets, weightBytes } = await inspectOnnx(await exportOnnx({ y: b.dequantizeLinear(x, scale, zero) }), {
    context,
  });
  assertEquals(opsets, { "": 21 });
  assert(weightBytes >= 8);
  tensor.destroy();
});

Deno.test("an exported Core ML package has three files, and names that Core ML allows", async () => {
  const files = await exportMlpackage(network(await newBuilder()));
  assertEquals([...files.keys()], [
    "Manifest.json",
    "Data/com.apple.CoreML/model.mlmodel",
    "Data/com.apple.CoreML/weights/weight.bin",
  ]);
  const [, model, weights] = [...files.values()];
  const { inputs, outputs } = readProgram(model!, weights!);
  assertEquals(inputs.map(({ name, dataType, shape }) => [name, dataType, shape]), [["t1", "fp32", [1, 3, 8, 8]]]);
  assertEquals(outputs.map(({ name }) => name), ["scores_0", "c0", "v_0"]);
});

Deno.test("graphs that cannot be exported are rejected with the reason", async () => {
  const b = await newBuilder();
  const x = b.input("x", { dataType: "int64", shape: [2] });
  const y = b.add(x, x);
  const cases: [outputs: MLNamedOperands, message: RegExp, name: string][] = [
    [{}, /^exportOnnx: outputs must not be empty$/, "TypeError"],
    [{ y: x }, /outputs\["y"\] is an input; outputs must come from operators/, "TypeError"],
    [{ x: y }, /^exportOnnx: "x" names an input and an output; rename one$/, "TypeError"],
    [{ y: {} as MLOperand }, /outputs\["?y"?\]/, "TypeError"],
  ];
  for (const [outputs, message, name] of cases) {
    const error = await assertRejects(() => exportOnnx(outputs), Error);
    assertEquals(error.name, name);
    assertMatch(error.message, message);
  }
  const unsupported = await assertRejects(
    () => exportMlpackage({ y }),
    DOMException,
    "exportMlpackage: Core ML does not support",
  );
  assertEquals(unsupported.name, "NotSupportedError");
  (await b.build({ y })).destroy();
  assertEquals((await assertRejects(() => exportOnnx({ y }), DOMException, "already built")).name, "InvalidStateError");
});

testWithData([CASES], "exported WPT cases give the expected results in onnxruntime-node", async () => {
  const program = new URL("programs/exported_in_node.ts", import.meta.url);
  const { stdout, stderr } = await runChild(program, [testData(CASES)], ["-A"]);
  assertMatch(stdout, /^\d\d+ cases$/, stderr);
});

Deno.test("models of the gallery give the same results in onnxruntime-node after import and export", async () => {
  const { stdout, stderr } = await runChild(new URL("programs/gallery_in_node.ts", import.meta.url), [], ["-A"]);
  assertMatch(stdout, /^2 models$/m, stderr);
});
