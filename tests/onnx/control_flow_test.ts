/** If, Loop and Scan, and the functions of models. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { GraphSpec, ModelSpec, NodeSpec } from "../support/onnx_writer.ts";
import { f32, floats, i64, ints, load, node, run } from "./specs.ts";

const THEN: GraphSpec = {
  nodes: [node("Add", "x one", "t")],
  outputs: [{ name: "t" }],
  initializers: [floats("one", [1])],
};
const ELSE: GraphSpec = { nodes: [node("Neg", "x", "e")], outputs: [{ name: "e" }] };

Deno.test("If with a known condition selects a branch", async () => {
  using model = await load({
    nodes: [
      node("Equal", "rate wanted", "c"),
      node("If", "c", "y", { then_branch: { graph: THEN }, else_branch: { graph: ELSE } }),
    ],
    inputs: [{ name: "x", shape: [2] }, { name: "rate", type: "int64", shape: [] }],
    outputs: [{ name: "y" }],
    initializers: [ints("wanted", [16000], [])],
  });
  assertEquals((await run(model, { x: f32(1, 2), rate: i64(16000) })).y!.data, [2, 3]);
  assertEquals((await run(model, { x: f32(1, 2), rate: i64(8000) })).y!.data, [-1, -2]);
});

Deno.test("If with a computed condition runs both branches, if they have the same shape", async () => {
  const spec = (other: GraphSpec): ModelSpec => ({
    nodes: [
      node("ReduceSum", "x", "sum", { keepdims: 0 }),
      node("Greater", "sum zero", "c"),
      node("If", "c", "y", { then_branch: { graph: THEN }, else_branch: { graph: other } }),
    ],
    inputs: [{ name: "x", shape: [40] }],
    outputs: [{ name: "y" }],
    initializers: [floats("zero", [0], [])],
  });
  using model = await load(spec(ELSE));
  assertEquals((await run(model, { x: new Float32Array(40).fill(2) })).y!.data, new Array(40).fill(3));
  assertEquals((await run(model, { x: new Float32Array(40).fill(-2) })).y!.data, new Array(40).fill(2));
  const half: GraphSpec = { nodes: [node("ReduceMax", "x", "e")], outputs: [{ name: "e" }] };
  await assertRejects(() => load(spec(half)), DOMException, "the branches have different shapes");
});

Deno.test("Loop is unrolled, and its scan outputs are stacked", async () => {
  const body: GraphSpec = {
    nodes: [
      node("Identity", "cond", "goes"),
      node("Add", "state x", "next"),
      node("Mul", "i two", "double"),
    ],
    inputs: [
      { name: "i", type: "int64", shape: [] },
      { name: "cond", type: "bool", shape: [] },
      { name: "state", shape: [2] },
    ],
    outputs: [{ name: "goes", type: "bool" }, { name: "next" }, { name: "next" }, { name: "double", type: "int64" }],
    initializers: [ints("two", [2], [])],
  };
  using model = await load({
    nodes: [node("Loop", "trips _ start", "end all doubles", { body: { graph: body } })],
    inputs: [{ name: "x", shape: [2] }],
    outputs: [{ name: "end" }, { name: "all" }, { name: "doubles" }],
    initializers: [ints("trips", [3], []), floats("start", [0, 10])],
  });
  assertEquals(await run(model, { x: f32(1, 2) }), {
    end: { data: [3, 16], shape: [2] },
    all: { data: [1, 12, 2, 14, 3, 16], shape: [3, 2] },
    doubles: { data: [0, 2, 4], shape: [3] },
  });
});

Deno.test("Loop ends when its condition is false", async () => {
  const body: GraphSpec = {
    nodes: [node("Less", "i two", "goes"), node("Neg", "state", "next")],
    inputs: [
      { name: "i", type: "int64", shape: [] },
      { name: "cond", type: "bool", shape: [] },
      { name: "state", shape: [1] },
    ],
    outputs: [{ name: "goes", type: "bool" }, { name: "next" }],
    initializers: [ints("two", [2], [])],
  };
  using model = await load({
    nodes: [node("Loop", "_ _ x", "y", { body: { graph: body } })],
    inputs: [{ name: "x", shape: [1] }],
    outputs: [{ name: "y" }],
  });
  assertEquals((await run(model, { x: f32(5) })).y!.data, [-5], "the body runs three times, with i = 0, 1 and 2");
});

Deno.test("Scan iterates over its sequences, also backward and along other axes", async () => {
  const body: GraphSpec = {
    nodes: [node("Add", "sum element", "next"), node("Identity", "next", "out")],
    inputs: [{ name: "sum", shape: [2] }, { name: "element", shape: [2] }],
    outputs: [{ name: "next" }, { name: "out" }],
  };
  const spec = (attributes: NodeSpec["attributes"], shape: readonly number[]): ModelSpec => ({
    nodes: [node("Scan", "start x", "end all", { body: { graph: body }, num_scan_inputs: 1, ...attributes })],
    inputs: [{ name: "x", shape }],
    outputs: [{ name: "end" }, { name: "all" }],
    initializers: [floats("start", [0, 0])],
  });
  using forward = await load(spec({}, [3, 2]));
  assertEquals(await run(forward, { x: f32(1, 2, 3, 4, 5, 6) }), {
    end: { data: [9, 12], shape: [2] },
    all: { data: [1, 2, 4, 6, 9, 12], shape: [3, 2] },
  });
  using other = await load(spec({ scan_input_axes: [1], scan_input_directions: [1], scan_output_axes: [1] }, [2, 3]));
  assertEquals(await run(other, { x: f32(1, 2, 3, 4, 5, 6) }), {
    end: { data: [6, 15], shape: [2] },
    all: { data: [3, 5, 6, 6, 11, 15], shape: [2, 3] },
  });
});

Deno.test("functions of the model are inlined with the attributes and inputs of the call", async () => {
  using model = await load({
    nodes: [
      { ...node("Scale", "x", "a", { alpha: { float: 3 } }), domain: "mine" },
      { ...node("Scale", "a b", "y"), domain: "mine" },
    ],
    inputs: [{ name: "x", shape: [2] }, { name: "b", shape: [1] }],
    outputs: [{ name: "y" }],
    functions: [{
      domain: "mine",
      name: "Scale",
      inputs: ["in", "slope"],
      outputs: ["out"],
      attributes: ["alpha"],
      nodes: [
        node("LeakyRelu", "in", "l", { alpha: { reference: "alpha", kind: "float" } }),
        node("Clip", "l slope", "out"),
      ],
    }],
  });
  // The first call has alpha 3 and no lower bound, the second the default alpha 0.01 and the bound b.
  assertEquals((await run(model, { x: f32(-1, 2), b: f32(-0.5) })).y!.data.map((y) => Math.round(y * 1000) / 1000), [
    -0.03,
    2,
  ]);
});

Deno.test("functions that recurse without end are rejected", async () => {
  const call = { ...node("F", "x", "y"), domain: "mine" };
  const error = await assertRejects(() =>
    load({
      nodes: [call],
      inputs: [{ name: "x", shape: [1] }],
      outputs: [{ name: "y" }],
      functions: [{ domain: "mine", name: "F", inputs: ["x"], outputs: ["y"], nodes: [call] }],
    }), DOMException);
  assert(error.message.includes("are nested more than"), error.message);
});
