/**
 * Loading and running models: shapes, values that determine shapes, errors, tensors, and disposal.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createContext, MLGraphBuilder } from "@webnn/deno";
import { buildOnnx, inspectOnnx, loadOnnx, type OnnxModel } from "@webnn/deno/onnx";
import { type GraphSpec, type ModelSpec, onnxFile } from "../support/onnx_writer.ts";
import { f32, floats, i64, ints, load, node, run } from "./specs.ts";

/** y = x · w + b with free rows. */
const LINEAR: ModelSpec = {
  nodes: [node("MatMul", "x w", "p"), node("Add", "p b", "y")],
  inputs: [{ name: "x", shape: ["rows", 2] }],
  outputs: [{ name: "y", shape: ["rows", 2] }],
  initializers: [floats("w", [1, 2, 3, 4], [2, 2]), floats("b", [10, 20])],
};

Deno.test("a model describes its inputs and outputs, and runs on arrays or on data with a shape", async () => {
  using model = await load(LINEAR);
  assertEquals(model.inputs, [{ name: "x", dataType: "float32", elementType: "float32", shape: ["rows", 2] }]);
  assertEquals(model.outputs, [{ name: "y", dataType: "float32", elementType: "float32", shape: ["rows", 2] }]);
  assertEquals(await run(model, { x: f32(1, 1) }), { y: { data: [14, 26], shape: [1, 2] } });
  assertEquals(await run(model, { x: { data: f32(1, 0, 0, 1), shape: [2, 2] } }), {
    y: { data: [11, 22, 13, 24], shape: [2, 2] },
  });
  const { y } = await model.run({ x: f32(1, 1) });
  assertEquals([y!.dataType, y!.data], ["float32", f32(14, 26)]);
});

Deno.test("dimensions passed as options are fixed, and the model's inputs show their sizes", async () => {
  using model = await load(LINEAR, { dimensions: { rows: 2 } });
  assertEquals(model.inputs[0]!.shape, [2, 2]);
  assertEquals((await run(model, { x: f32(1, 0, 0, 1) })).y!.data, [11, 22, 13, 24]);
  await assertRejects(
    () => model.run({ x: { data: f32(1, 1), shape: [1, 2] } }),
    TypeError,
    'the input "x" must have the shape [2, 2], not [1, 2]',
  );
  await assertRejects(() => load(LINEAR, { dimensions: { rows: -1 } }), TypeError, "dimensions.rows");
});

Deno.test("sizes of unknown dimensions are rejected with a message that names them", async () => {
  const context = await createContext();
  const file = onnxFile({ ...LINEAR, values: [{ name: "p", shape: ["inner", 2] }] });
  const fixed = onnxFile({ ...LINEAR, inputs: [{ name: "x", shape: [1, 2] }], outputs: [{ name: "y" }] });
  const refused = (work: () => Promise<unknown>, message: string) => assertRejects(work, TypeError, message);
  const dimensions = { rows: 1, nope: 2 };
  const reason = 'the model has no free dimension "nope"; its free dimensions: "rows"';
  await refused(() => loadOnnx(file, { context, dimensions }), `loadOnnx: ${reason}`);
  await refused(() => inspectOnnx(file, { context, dimensions }), `inspectOnnx: ${reason}`);
  await refused(() => buildOnnx(new MLGraphBuilder(context), file, { context, dimensions }), `buildOnnx: ${reason}`);
  await refused(() => loadOnnx(file, { context, dimensions: { inner: 1 } }), 'no free dimension "inner"');
  await refused(
    () => loadOnnx(fixed, { context, dimensions: { rows: 1 } }),
    '"rows"; its free dimensions: none',
  );
  context.destroy();
});

Deno.test("graphs of several shapes are kept up to maxGraphs; others are built again", async () => {
  using model = await load(LINEAR, { maxGraphs: 2 });
  for (const rows of [1, 2, 3, 1, 2, 2, 3]) {
    const { y } = await run(model, { x: new Float32Array(2 * rows).fill(1) });
    assertEquals(y, { data: Array.from({ length: rows }, () => [14, 26]).flat(), shape: [rows, 2] });
  }
  await assertRejects(() => load(LINEAR, { maxGraphs: 0 }), TypeError, "maxGraphs");
});

Deno.test("the graphs of all shapes share large weights", async () => {
  const size = 64;
  const w = Float32Array.from({ length: size * size }, (_, i) => i % 7);
  using model = await load({
    nodes: [node("Identity", "w", "v"), node("MatMul", "x v", "y")],
    inputs: [{ name: "x", shape: ["rows", size] }],
    outputs: [{ name: "y" }],
    initializers: [{ name: "w", type: "float32", shape: [size, size], data: w }],
  });
  const expected = (rows: number) =>
    Array.from(
      { length: rows * size },
      (_, i) => w.reduce((sum, value, k) => k % size === i % size ? sum + value : sum, 0),
    );
  for (const rows of [1, 3]) {
    assertEquals((await run(model, { x: new Float32Array(rows * size).fill(1) })).y!.data, expected(rows));
  }
});

Deno.test("shapes that are computed from shapes are folded", async () => {
  using model = await load({
    nodes: [
      node("Shape", "x", "s"),
      node("Gather", "s zero", "batch"),
      node("Unsqueeze", "batch axes", "b"),
      node("Concat", "b minus", "t", { axis: 0 }),
      node("Reshape", "x t", "y"),
    ],
    inputs: [{ name: "x", shape: ["n", 2, 3] }],
    outputs: [{ name: "y" }, { name: "s" }],
    initializers: [ints("zero", [0], []), ints("axes", [0]), ints("minus", [-1])],
  });
  assertEquals(await run(model, { x: { data: new Float32Array(12), shape: [2, 2, 3] } }), {
    y: { data: new Array(12).fill(0), shape: [2, 6] },
    s: { data: [2, 2, 3], shape: [3] },
  });
});

Deno.test("if the elements of an input determine shapes, a graph is built for each of its values", async () => {
  using model = await load({
    nodes: [node("Reshape", "x shape", "r"), node("Neg", "r", "y")],
    inputs: [{ name: "x", shape: [4] }, { name: "shape", type: "int64", shape: [2] }],
    outputs: [{ name: "y" }],
  });
  const x = f32(1, 2, 3, 4);
  for (const shape of [[2, 2], [4, 1], [2, 2], [1, -1]]) {
    const { y } = await run(model, { x, shape: i64(...shape) });
    assertEquals(y, { data: [-1, -2, -3, -4], shape: shape.map((size) => size === -1 ? 4 : size) });
  }
});

Deno.test("constants that the evaluator cannot fold are computed by a graph that runs once", async () => {
  // The evaluator has no ReduceMean: [1, 3] and [2, 4] give 2 and 3.
  const spec: ModelSpec = {
    nodes: [
      node("ReduceMean", "c", "m", { keepdims: 0, axes: [1] }),
      node("Cast", "m", "shape", { to: 7 }),
      node("Reshape", "x shape", "y"),
    ],
    opset: 13,
    inputs: [{ name: "x", shape: [6] }],
    outputs: [{ name: "y" }],
    initializers: [floats("c", [1, 3, 2, 4], [2, 2])],
  };
  using model = await load(spec);
  assertEquals((await run(model, { x: new Float32Array(6) })).y!.shape, [2, 3]);
  // The same with the weights in tensors, and as a value that the graph computes too.
  using open = await load({ ...spec, inputs: [{ name: "x", shape: ["n"] }], outputs: [{ name: "y" }, { name: "m" }] });
  assertEquals((await run(open, { x: new Float32Array(6) })).m!.data, [2, 3]);
});

Deno.test("outputs may be known values, inputs or constants; inputs may be unused", async () => {
  using model = await load({
    nodes: [node("Identity", "x", "same"), node("Identity", "c", "constant"), node("Shape", "x", "shape")],
    inputs: [{ name: "x", shape: [2] }, { name: "unused", shape: [1] }],
    outputs: [{ name: "same" }, { name: "constant" }, { name: "shape" }, { name: "x" }],
    initializers: [floats("c", [7])],
  });
  assertEquals(await run(model, { x: f32(1, 2), unused: f32(0) }), {
    same: { data: [1, 2], shape: [2] },
    constant: { data: [7], shape: [1] },
    shape: { data: [2], shape: [1] },
    x: { data: [1, 2], shape: [2] },
  });
});

Deno.test("if only the shape of an input is used, it is not an input of the graph", async () => {
  using model = await load({
    nodes: [node("CastLike", "x y", "z")],
    inputs: [{ name: "x", shape: [2] }, { name: "y", type: "int32", shape: ["n"] }],
    outputs: [{ name: "z" }],
  });
  assertEquals((await run(model, { x: f32(1.5, 2), y: Int32Array.of(1) })).z!.data, [1, 2]);
});

Deno.test("inputs without elements are supported", async () => {
  using model = await load({
    nodes: [node("Concat", "x y", "z", { axis: 0 }), node("Neg", "z", "n")],
    inputs: [{ name: "x", shape: ["a"] }, { name: "y", shape: ["b"] }],
    outputs: [{ name: "n" }],
  });
  assertEquals(await run(model, { x: f32(), y: f32(1, 2) }), { n: { data: [-1, -2], shape: [2] } });
});

Deno.test("all unsupported nodes are listed with operator, name and reason", async () => {
  const spec: ModelSpec = {
    nodes: [
      { ...node("Nonsense", "x", "a"), name: "first" },
      node("Relu", "a", "b"),
      { ...node("MadeUp", "b", "c"), domain: "example", name: "second" },
      { ...node("Conv", "x w", "d"), name: "third" },
      node("Nonsense", "x", "unneeded"),
    ],
    inputs: [{ name: "x", shape: [2] }],
    outputs: [{ name: "c" }, { name: "d" }],
    initializers: [floats("w", [1])],
    values: [{ name: "a", shape: [2] }],
  };
  const { unsupported, missing } = await inspectOnnx(onnxFile(spec));
  assertEquals(unsupported.map(({ operator, name }) => [operator, name]), [
    ["Nonsense", "first"],
    ["example.MadeUp", "second"],
    ["Conv", "third"],
  ]);
  assert(unsupported.every(({ reason }) => reason.length > 10));
  assertEquals(missing, []);
  const error = await assertRejects(() => load(spec), DOMException);
  assertEquals(error.name, "NotSupportedError");
  for (
    const text of [
      "Nonsense (first): the importer does not support the operator",
      "example.MadeUp (second)",
      "Conv (third)",
    ]
  ) {
    assert(error.message.includes(text), error.message);
  }
});

Deno.test("inputs and outputs that are not tensors are reported together with all unsupported nodes", async () => {
  const spec = (shape: readonly (number | string)[]): ModelSpec => ({
    nodes: [
      { ...node("MadeUp", "s", "t"), name: "first" },
      { ...node("Conv", "x w", "d"), name: "second" },
      { ...node("Nonsense", "t", "z"), name: "third" },
    ],
    inputs: [{ name: "s", type: "string", shape: [1] }, { name: "x", shape }],
    outputs: [{ name: "z", type: "string", shape: [1] }, { name: "d" }],
    initializers: [floats("w", [1])],
  });
  const ports = [["input", "s"], ["output", "z"]];
  const { inputs, outputs, unsupported, missing } = await inspectOnnx(onnxFile(spec([2])));
  assertEquals([inputs.map(({ name }) => name), outputs.map(({ name }) => name), missing], [["x"], ["d"], []]);
  assertEquals(unsupported.map(({ operator, name }) => [operator, name]), [
    ...ports,
    ["MadeUp", "first"],
    ["Conv", "second"],
    ["Nonsense", "third"],
  ]);
  const free = await inspectOnnx(onnxFile(spec(["n"])));
  assertEquals(free.missing, ["n"]);
  assertEquals(free.unsupported.map(({ name }) => name), ["s", "z", "first", "third"]);
  const context = await createContext();
  const builder = new MLGraphBuilder(context);
  for (
    const work of [() => load(spec([2]), { context }), () => buildOnnx(builder, onnxFile(spec([2])), { context })]
  ) {
    const error = await assertRejects(work, DOMException);
    assertEquals(error.name, "NotSupportedError");
    for (
      const text of ["input (s): WebNN does not support the type (string)", "output (z)", "first", "second", "third"]
    ) {
      assert(error.message.includes(text), error.message);
    }
  }
  context.destroy();
});

Deno.test("an unsupported operator set version is rejected for the operators that it changed", async () => {
  const spec = (op: string, opset: number): ModelSpec => ({
    nodes: [node(op, "x", "y")],
    inputs: [{ name: "x", shape: [2] }],
    outputs: [{ name: "y" }],
    opset,
  });
  using model = await load(spec("Relu", 24));
  assertEquals((await run(model, { x: f32(-1, 1) })).y!.data, [0, 1]);
  await assertRejects(() => load(spec("Transpose", 24)), DOMException, "Transpose (y): version 24");
  await assertRejects(() => load(spec("Relu", 99)), DOMException, "Relu (y): version 99");
});

Deno.test("inspectOnnx describes operators, versions, weights, and what it needs to know", async () => {
  const found = await inspectOnnx(onnxFile(LINEAR));
  assertEquals(found.operators, { MatMul: 1, Add: 1 });
  assertEquals(found.opsets[""], 21);
  assertEquals(found.weightBytes, 24);
  assertEquals(found.missing, ["rows"]);
  assertEquals((await inspectOnnx(onnxFile(LINEAR), { dimensions: { rows: 1 } })).missing, []);
});

Deno.test("inspectOnnx counts nodes in the bodies of If, and counts constants as weights", async () => {
  const branch = (op: string): GraphSpec => ({
    nodes: [node("Constant", "", "k", { value: { tensor: floats("k", [1, 2]) } }), node(op, "x k", "z")],
    outputs: [{ name: "z" }],
    initializers: [floats("unused", [1])],
  });
  const found = await inspectOnnx(onnxFile({
    nodes: [node("If", "c", "y", { then_branch: { graph: branch("Add") }, else_branch: { graph: branch("Mul") } })],
    inputs: [{ name: "c", type: "bool", shape: [] }, { name: "x", shape: [2] }],
    outputs: [{ name: "y" }],
  }));
  assertEquals(found.operators, { If: 1, Add: 1, Mul: 1 });
  assertEquals(found.weights, { float32: { tensors: 4, bytes: 24 } });
});

Deno.test("invalid inputs are rejected with messages that name them", async () => {
  using model = await load({
    nodes: [node("Add", "x y", "z")],
    inputs: [{ name: "x", shape: ["n", 2] }, { name: "y", shape: ["n", "m"] }],
    outputs: [{ name: "z" }],
  });
  const y = { data: f32(1, 2), shape: [1, 2] };
  const refused: [Record<string, unknown>, string][] = [
    [{ x: f32(1, 2) }, 'the input "y" is missing'],
    [{ x: f32(1, 2), y, z: y }, 'the model has no input "z"; its inputs are "x", "y"'],
    [{ x: [1, 2], y }, 'the input "x" must be a Float32Array, or { data, shape } with such data'],
    [{ x: Float64Array.of(1, 2), y }, 'the input "x" is float32 and must be a Float32Array, not a Float64Array'],
    [{ x: Int8Array.of(1, 2), y }, 'the input "x" is float32 and must be a Float32Array, not an Int8Array'],
    [{ x: f32(1, 2), y: f32(1, 2) }, 'the input "y" has free dimensions, [n, m]; pass { data, shape }'],
    [{ x: { data: f32(1, 2), shape: [2, 1] }, y }, 'the input "x" must have the shape [n, 2], not [2, 1]'],
    [{ x: { data: f32(1, 2), shape: [2] }, y }, 'the input "x" must have the shape [n, 2], not [2]'],
    [{ x: { data: f32(1, 2), shape: [1.5, 2] }, y }, 'the input "x" must have a shape of non-negative integers'],
    [{ x: f32(1, 2, 3, 4), y }, 'the dimension n is 2 in the input "x" and 1 in "y"'],
    [{ x: f32(1, 2, 3), y }, 'the input "x" has 3 elements, which do not match [n, 2]'],
    [{ x: f32(1), y }, 'the input "x" has 1 elements, which do not match [n, 2]'],
    [{ x: { data: f32(1, 2, 3), shape: [1, 2] }, y }, 'the input "x" has 12 bytes; float32 [1, 2] needs 8'],
  ];
  for (const [inputs, message] of refused) {
    const error = await assertRejects(() => model.run(inputs as Parameters<OnnxModel["run"]>[0]), TypeError);
    assert(error.message.includes(`OnnxModel.run: ${message}`), error.message);
  }
});

Deno.test("concurrent runs have their own results", async () => {
  using model = await load(LINEAR);
  const runs = Array.from({ length: 20 }, (_, i) => {
    const rows = 1 + i % 3;
    return { i, rows, outputs: model.run({ x: new Float32Array(2 * rows).fill(i) }) };
  });
  for (const { i, rows, outputs } of runs) {
    const expected = Array.from({ length: rows }, () => [4 * i + 10, 6 * i + 20]).flat();
    assertEquals([...(await outputs).y!.data as Float32Array], expected);
  }
});

Deno.test("dispatch runs on tensors of the context", async () => {
  const context = await createContext();
  using model = await load(LINEAR, { context });
  const descriptor = { dataType: "float32", shape: [1, 2] } as const;
  const [x, y] = await Promise.all([
    context.createTensor({ ...descriptor, writable: true }),
    context.createTensor({ ...descriptor, readable: true, writable: true }),
  ]);
  context.writeTensor(x, f32(1, 1));
  await model.dispatch({ x }, { y });
  assertEquals(new Float32Array(await context.readTensor(y)), f32(14, 26));
  // If the graph exists, a dispatch is queued immediately, so the next read returns its result.
  const queued = model.dispatch({ x: y }, { y: x });
  await queued;
  await model.dispatch({ x: f32(0, 0) }, { y });
  assertEquals(new Float32Array(await context.readTensor(y)), f32(10, 20));
  await assertRejects(() => model.dispatch({ x }, { z: y }), TypeError, 'the model has no output "z"');
  context.destroy();
});

Deno.test("a disposed model cannot run, and its own context is destroyed", async () => {
  const model = await load(LINEAR);
  await model.run({ x: f32(1, 1) });
  model.dispose();
  model.dispose();
  await assertRejects(() => model.run({ x: f32(1, 1) }), DOMException, "the model is disposed");
  await model.context.lost;
  const context = await createContext();
  (await load(LINEAR, { context })).dispose();
  using again = await load(LINEAR, { context });
  assertEquals((await run(again, { x: f32(1, 1) })).y!.data, [14, 26]);
  context.destroy();
});

Deno.test("buildOnnx adds a model to a graph", async () => {
  const context = await createContext();
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", { dataType: "float32", shape: [1, 2] });
  const { y } = await buildOnnx(builder, onnxFile(LINEAR), { context, inputs: { x: builder.neg(x) } });
  const graph = await builder.build({ z: builder.relu(y!) });
  const input = await context.createTensor({ dataType: "float32", shape: [1, 2], writable: true });
  const output = await context.createTensor({ dataType: "float32", shape: [1, 2], readable: true });
  context.writeTensor(input, f32(-1, 100));
  context.dispatch(graph, { x: input }, { z: output });
  assertEquals(new Float32Array(await context.readTensor(output)), f32(0, 0));
  const other = new MLGraphBuilder(context);
  await assertRejects(
    () => buildOnnx(other, onnxFile(LINEAR), { context }),
    TypeError,
    'the input "x" has free dimensions',
  );
  context.destroy();
});

Deno.test("buildOnnx returns operands that can be outputs of a graph, even for inputs and constants", async () => {
  const context = await createContext();
  const builder = new MLGraphBuilder(context);
  const file = onnxFile({
    nodes: [node("Identity", "x", "same"), node("Identity", "c", "constant")],
    inputs: [{ name: "x", shape: [2] }],
    outputs: [{ name: "same", shape: [2] }, { name: "constant", shape: [1] }],
    initializers: [floats("c", [7])],
  });
  const graph = await builder.build(await buildOnnx(builder, file, { context }));
  const x = await context.createTensor({ dataType: "float32", shape: [2], writable: true });
  const same = await context.createTensor({ dataType: "float32", shape: [2], readable: true });
  const constant = await context.createTensor({ dataType: "float32", shape: [1], readable: true });
  context.writeTensor(x, f32(3, 4));
  context.dispatch(graph, { x }, { same, constant });
  assertEquals(new Float32Array(await context.readTensor(same)), f32(3, 4));
  assertEquals(new Float32Array(await context.readTensor(constant)), f32(7));
  context.destroy();
});

Deno.test("buildOnnx uses elements that determine shapes, and ignores others", async () => {
  const context = await createContext();
  const file = onnxFile({
    nodes: [{ op: "Reshape", inputs: ["x", "to"], outputs: ["y"] }],
    inputs: [{ name: "x", shape: [6] }, { name: "to", type: "int64", shape: [2] }],
    outputs: [{ name: "y", shape: [null, null] }],
  });
  const elements = { x: new Float32Array(6), to: BigInt64Array.of(2n, 3n) };
  const { y } = await buildOnnx(new MLGraphBuilder(context), file, { context, elements });
  assertEquals(y!.shape, [2, 3]);
  const without = () => buildOnnx(new MLGraphBuilder(context), file, { context });
  await assertRejects(without, TypeError, "shapes depend on the elements of to; pass these as elements");
  const wrong = () => buildOnnx(new MLGraphBuilder(context), file, { context, elements: { to: Int32Array.of(2, 3) } });
  await assertRejects(wrong, TypeError, 'buildOnnx: the input "to" is int64');
  context.destroy();
});

Deno.test("external weights are read only from the model's folder", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const spec = (location: string): ModelSpec => ({
      ...LINEAR,
      initializers: [
        { name: "w", type: "float32", shape: [2, 2], data: [], external: { location, offset: 4, length: 16 } },
        floats("b", [10, 20]),
      ],
    });
    await Deno.writeFile(`${folder}/w.bin`, new Uint8Array(f32(9, 1, 2, 3, 4).buffer));
    await Deno.writeFile(`${folder}/model.onnx`, onnxFile(spec("w.bin")));
    await Deno.writeFile(`${folder}/outside.onnx`, onnxFile(spec("../w.bin")));
    using model = await loadOnnx(`${folder}/model.onnx`);
    assertEquals((await run(model, { x: f32(1, 1) })).y!.data, [14, 26]);
    using byUrl = await loadOnnx(new URL(`file://${folder}/model.onnx`));
    assertEquals((await run(byUrl, { x: f32(1, 1) })).y!.data, [14, 26]);
    await assertRejects(() => loadOnnx(`${folder}/outside.onnx`), TypeError, "outside of its folder");
    await assertRejects(() => load(spec("w.bin")), TypeError, "pass that file as externalData");
    const externalData = { "w.bin": await Deno.readFile(`${folder}/w.bin`) };
    using given = await load(spec("w.bin"), { externalData });
    assertEquals((await run(given, { x: f32(1, 1) })).y!.data, [14, 26]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("inputs and outputs of type bool, float16, int64, float64 and bfloat16 use WebNN's types", async () => {
  using model = await load({
    nodes: [
      node("Not", "b", "nb"),
      node("Add", "h h", "hh"),
      node("Add", "i i", "ii"),
      node("Add", "d dc", "dd"),
      node("Cast", "bf", "f", { to: 1 }),
      node("Add", "x f", "xf"),
    ],
    inputs: [
      { name: "b", type: "bool", shape: [2] },
      { name: "h", type: "float16", shape: [1] },
      { name: "i", type: "int64", shape: [1] },
      { name: "d", type: "float64", shape: [1] },
      { name: "x", shape: [1] },
    ],
    outputs: [
      { name: "nb", type: "bool" },
      { name: "hh", type: "float16" },
      { name: "ii", type: "int64" },
      { name: "dd", type: "float64" },
      { name: "xf" },
    ],
    initializers: [
      { name: "dc", type: "float64", shape: [1], data: [0.5] },
      { name: "bf", type: "bfloat16", shape: [1], data: Uint16Array.of(0x3fc0) },
    ],
  });
  assertEquals(model.inputs.map(({ dataType }) => dataType), ["uint8", "float16", "int64", "float32", "float32"]);
  const outputs = await model.run({
    b: Uint8Array.of(1, 0),
    h: Float16Array.of(1.5),
    i: i64(2 ** 40),
    d: f32(1),
    x: f32(1),
  });
  assertEquals(Object.values(outputs).map(({ data }) => data), [
    Uint8Array.of(0, 1),
    Float16Array.of(3),
    i64(2 ** 41),
    f32(1.5),
    f32(2.5),
  ]);
});
