/**
 * Reading ONNX files: all encodings of tensors, views instead of copies, attributes, external data, and damaged files.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { KnownTensor } from "../../src/onnx/model.ts";
import { finish } from "../../src/event_loop.ts";
import { readModel } from "../../src/onnx/read.ts";
import { numbersOf } from "../../src/onnx/value.ts";
import {
  bytesField,
  floatField,
  graphProto,
  intField,
  message,
  onnxFile,
  type TensorSpec,
} from "../support/onnx_writer.ts";

const NO_FILES = (location: string): Uint8Array => {
  throw new TypeError(`no ${location}`);
};

function read(bytes: Uint8Array, files = NO_FILES) {
  return finish(readModel(bytes, files));
}

function readTensor(tensor: TensorSpec, files = NO_FILES): KnownTensor {
  const file = onnxFile({ nodes: [], outputs: [], initializers: [{ ...tensor, name: "t" }] });
  return read(file, files).graph.initializers.get("t")!;
}

/** A file with one initializer that has these fields. */
function fileWithTensor(...fields: Uint8Array<ArrayBuffer>[]): Uint8Array {
  return message(intField(1, 10), bytesField(7, bytesField(5, message(...fields))));
}

Deno.test("a tensor of every type is read from raw bytes and from its typed field", () => {
  const types = [
    ["float32", [1.5, -2]],
    ["float64", [1.5, -2]],
    ["int64", [3, -4]],
    ["int32", [3, -4]],
    ["uint64", [3, 4]],
    ["uint32", [3, 4]],
    ["int16", [3, -4]],
    ["uint16", [3, 4]],
    ["int8", [3, -4]],
    ["uint8", [3, 250]],
    ["bool", [1, 0]],
  ] as const;
  for (const [type, data] of types) {
    for (const typed of [false, true]) {
      const found = readTensor({ type, shape: [2], data, typed });
      assertEquals([found.type, found.shape, numbersOf(found)], [type, [2], [...data]], `${type}, typed: ${typed}`);
    }
  }
});

Deno.test("float16, bfloat16 and four-bit integers are read from raw bytes and from their typed field", () => {
  for (const typed of [false, true]) {
    const bits = typed ? [0x3e00, 0xc000] : Uint16Array.of(0x3e00, 0xc000);
    assertEquals(numbersOf(readTensor({ type: "float16", shape: [2], data: bits, typed })), [1.5, -2]);
    const brain = typed ? [0x3fc0, 0xc000] : Uint16Array.of(0x3fc0, 0xc000);
    assertEquals(numbersOf(readTensor({ type: "bfloat16", shape: [2], data: brain, typed })), [1.5, -2]);
    const nibbles = typed ? [0x7f, 0x08] : Uint8Array.of(0x7f, 0x08);
    assertEquals(numbersOf(readTensor({ type: "int4", shape: [3], data: nibbles, typed })), [-1, 7, -8]);
    assertEquals(numbersOf(readTensor({ type: "uint4", shape: [3], data: nibbles, typed })), [15, 7, 8]);
  }
});

Deno.test("raw bytes and packed floats are views of the file", () => {
  const data = new Float32Array(100).fill(2);
  for (const typed of [false, true]) {
    const file = onnxFile({
      nodes: [],
      outputs: [],
      initializers: [{ name: "t", type: "float32", shape: [100], data, typed }],
    });
    assert(read(file).graph.initializers.get("t")!.bytes.buffer === file.buffer);
  }
});

Deno.test("unpacked floats, or floats in several packed fields, are collected in order", () => {
  const part = (values: number[]) => bytesField(4, new Uint8Array(Float32Array.from(values).buffer));
  const file = fileWithTensor(
    intField(1, 4),
    intField(2, 1),
    bytesField(8, "t"),
    part([1]),
    part([2, 3]),
    floatField(4, 4),
  );
  assertEquals(numbersOf(read(file).graph.initializers.get("t")!), [1, 2, 3, 4]);
});

Deno.test("external data is read at its offset, and must be within its file", () => {
  const files = (location: string) =>
    location === "w.bin" ? Uint8Array.of(9, 9, 9, 9, 0, 0, 0x80, 0x3f) : NO_FILES(location);
  const at = (offset: number, length: number, location = "w.bin"): TensorSpec => ({
    type: "float32",
    shape: [1],
    data: [],
    external: { location, offset, length },
  });
  assertEquals(numbersOf(readTensor(at(4, 4), files)), [1]);
  assertThrows(() => readTensor(at(6, 4), files), TypeError, "is at bytes 6 to 10 of w.bin, which has 8 bytes");
  assertThrows(() => readTensor(at(0, 4, "other.bin"), files), TypeError, "no other.bin");
});

Deno.test("attributes keep their kind, including graphs and references in functions", () => {
  const body = { nodes: [{ op: "Relu", inputs: ["x"], outputs: ["y"] }], outputs: [{ name: "y" }] };
  const { graph } = read(onnxFile({
    nodes: [{
      op: "Any",
      inputs: [],
      outputs: ["o"],
      attributes: { i: -3, s: "text", is: [1, 2], f: { float: 0.5 }, fs: { floats: [1, 2.5] }, g: { graph: body } },
    }],
    outputs: [],
  }));
  const { attributes } = graph.nodes[0]!;
  assertEquals(attributes.get("i"), { kind: "int", value: -3 });
  assertEquals(attributes.get("s"), { kind: "string", value: "text" });
  assertEquals(attributes.get("is"), { kind: "ints", value: [1, 2] });
  assertEquals(attributes.get("f"), { kind: "float", value: 0.5 });
  assertEquals(attributes.get("fs"), { kind: "floats", value: [1, 2.5] });
  const inner = attributes.get("g")!;
  assert(inner.kind === "graph");
  assertEquals(inner.value.nodes.map(({ operator }) => operator), ["Relu"]);
});

Deno.test("a Constant becomes an initializer, and an initializer is not an input", () => {
  const tensor = { type: "float32", shape: [1], data: [7] } as const;
  const { graph } = read(onnxFile({
    nodes: [{ op: "Constant", inputs: [], outputs: ["c"], attributes: { value: { tensor } } }],
    inputs: [{ name: "x", shape: [1] }, { name: "w", shape: [1] }],
    outputs: [],
    initializers: [{ ...tensor, name: "w" }],
  }));
  assertEquals(graph.nodes, []);
  assertEquals([...graph.initializers.keys()].sort(), ["c", "w"]);
  assertEquals(graph.inputs.map(({ name }) => name), ["x"]);
});

Deno.test("free dimensions keep their names; unnamed ones and ? have none", () => {
  const { graph } = read(onnxFile({ nodes: [], inputs: [{ name: "x", shape: ["n", 3, "?", null, ""] }], outputs: [] }));
  assertEquals(graph.inputs[0]!.shape, ["n", 3, null, null, null]);
});

Deno.test("invalid or inconsistent files are rejected with the reason", () => {
  const refused: [string, Uint8Array, string][] = [
    ["nothing", new Uint8Array(0), "it has no graph"],
    ["a text", new TextEncoder().encode("this is not a model"), "is not an ONNX model"],
    ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), "is not an ONNX model"],
    ["a length beyond the end", message(intField(1, 10), Uint8Array.of(0x3a, 0xff, 0x7f)), "a field is cut off"],
    [
      "too few bytes",
      fileWithTensor(intField(1, 3), intField(2, 1), bytesField(9, "1234")),
      "needs 12 bytes but has 4",
    ],
    ["too few elements", fileWithTensor(intField(1, 3), intField(2, 7), intField(7, 1)), "has 1 of 3 elements"],
    ["a negative size", fileWithTensor(intField(1, -3), intField(2, 1)), "has the invalid shape [-3]"],
    ["an unknown type", fileWithTensor(intField(2, 99)), "unknown element type 99"],
    [
      "a huge size",
      fileWithTensor(intField(1, 2 ** 40), intField(2, 1), bytesField(9, "1234")),
      "needs 4398046511104 bytes",
    ],
  ];
  for (const [what, bytes, text] of refused) {
    const error = assertThrows(() => read(bytes), TypeError, text);
    assert(error.message.startsWith("The file is damaged or is not an ONNX model: "), what);
  }
});

Deno.test("too deeply nested graphs are rejected", () => {
  let inner = graphProto({ nodes: [], outputs: [] });
  for (let depth = 0; depth < 200; depth++) {
    const attribute = message(bytesField(1, "body"), intField(20, 5), bytesField(6, inner));
    inner = bytesField(1, bytesField(5, attribute)) as typeof inner;
  }
  assertThrows(() => read(message(intField(1, 10), bytesField(7, inner))), TypeError, "graphs are nested");
});

Deno.test("tensors of unsupported types are kept without elements", () => {
  const { type, bytes } = read(fileWithTensor(intField(1, 1), intField(2, 17), bytesField(8, "t"), bytesField(9, "1")))
    .graph.initializers.get("t")!;
  assertEquals([type, bytes.byteLength], ["other", 0]);
});
