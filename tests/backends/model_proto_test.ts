/** Encodes lowered graphs as ONNX files, and reads them with the importer. */
import { assertEquals, assertThrows } from "@std/assert";
import { encodeModel } from "../../src/backends/onnxruntime/model_proto.ts";
import { Float, type OnnxGraph, type OnnxInitializer } from "../../src/backends/onnxruntime/onnx.ts";
import { finish } from "../../src/event_loop.ts";
import { readModel } from "../../src/onnx/read.ts";

const weights: OnnxInitializer = {
  name: "weights",
  dataType: "float32",
  shape: [2, 100],
  data: new Uint8Array(Float32Array.from({ length: 200 }, (_, i) => i / 7).buffer),
};
const scalar: OnnxInitializer = { name: "scalar", dataType: "int64", shape: [], data: new Uint8Array(8).fill(255) };
const nibbles: OnnxInitializer = { name: "nibbles", dataType: "int4", shape: [3], data: Uint8Array.of(0x21, 0x03) };

const GRAPH: OnnxGraph = {
  inputs: [{ name: "x", dataType: "float32", shape: [1, 300, 70000] }, { name: "y", dataType: "uint8", shape: [] }],
  outputs: [{ name: "z", dataType: "float16", shape: [2] }],
  initializers: [weights, scalar, nibbles],
  nodes: [
    {
      op: "Some",
      domain: "",
      name: "conv2d [Größe ✓] #0",
      inputs: ["x", "", "weights"],
      outputs: ["a", "b"],
      attributes: {
        absent: undefined,
        axes: [-1, 0, 2 ** 40],
        empty: [],
        int: -2,
        large: 2 ** 53 - 1,
        small: new Float(-0),
        nan: new Float(NaN),
        text: "constant",
        long: "é".repeat(200),
        texts: ["sum", ""],
      },
    },
    { op: "Own", domain: "com.microsoft", name: "own", inputs: ["a"], outputs: ["z"], attributes: {} },
  ],
};

function read(bytes: Uint8Array) {
  return finish(readModel(bytes, (location) => location === "weights" ? weights.data as Uint8Array : undefined));
}

Deno.test("an encoded model has the nodes, attributes and operator sets of its graph", () => {
  const { graph, opsets } = read(encodeModel(GRAPH));
  assertEquals([...opsets], [["", 21], ["com.microsoft", 1]]);
  const [some, own] = graph.nodes;
  assertEquals(some!.name, "conv2d [Größe ✓] #0");
  assertEquals([some!.inputs, some!.outputs], [["x", "", "weights"], ["a", "b"]]);
  assertEquals(Object.fromEntries(Array.from(some!.attributes, ([name, { kind, value }]) => [name, [kind, value]])), {
    axes: ["ints", [-1, 0, 2 ** 40]],
    empty: ["ints", []],
    int: ["int", -2],
    large: ["int", 2 ** 53 - 1],
    small: ["float", -0],
    nan: ["float", NaN],
    text: ["string", "constant"],
    long: ["string", "é".repeat(200)],
    texts: ["strings", ["sum", ""]],
  });
  assertEquals([own!.domain, own!.operator, own!.inputs, own!.outputs], ["com.microsoft", "Own", ["a"], ["z"]]);
});

Deno.test("an encoded model has the inputs, outputs and weights of its graph", () => {
  const { graph } = read(encodeModel(GRAPH));
  const infos = (list: typeof graph.inputs) => list.map(({ name, type, shape }) => ({ name, dataType: type, shape }));
  assertEquals(infos(graph.inputs), [...GRAPH.inputs]);
  assertEquals(infos(graph.outputs), [...GRAPH.outputs]);
  for (const { name, dataType, shape, data } of GRAPH.initializers) {
    const { type, shape: readShape, bytes } = graph.initializers.get(name)!;
    assertEquals([type, readShape, bytes.slice()], [dataType, shape, data as Uint8Array], name);
  }
});

Deno.test("a model of standard operators imports no other operator set", () => {
  const { opsets } = read(encodeModel({ ...GRAPH, nodes: GRAPH.nodes.slice(0, 1) }));
  assertEquals([...opsets], [["", 21]]);
});

Deno.test("external weights are not in the bytes of the model", () => {
  const bytes = encodeModel(GRAPH, { isExternal: ({ name }) => name === "weights", externalFile: "weights" });
  assertEquals(encodeModel(GRAPH).byteLength - bytes.byteLength > 700, true);
  assertEquals(read(bytes).graph.initializers.get("weights")!.bytes.slice(), weights.data as Uint8Array);
});

Deno.test("a model of 2 GiB or more is an error", () => {
  const data = { byteLength: 2 ** 31 } as Uint8Array;
  const initializers = [{ name: "w", dataType: "uint8" as const, shape: [2 ** 31], data }];
  assertThrows(() => encodeModel({ ...GRAPH, initializers }), RangeError, "2147483648 bytes");
});
