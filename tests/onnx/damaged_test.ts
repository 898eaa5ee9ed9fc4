/**
 * Damaged files: flipped bytes, truncation, changed lengths, parts of other files, missing names, and huge sizes. Each
 * gives one clear error, or still a model if the damage is harmless. The process never ends.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createContext } from "@webnn/deno";
import { loadOnnx } from "@webnn/deno/onnx";
import { type ModelSpec, type NodeSpec, onnxFile } from "../support/onnx_writer.ts";
import { random as seededRandom } from "../../support/random.ts";

const COUNT = 2000;

function node(op: string, inputs: string[], outputs: string[], attributes: NodeSpec["attributes"] = {}): NodeSpec {
  return { op, inputs, outputs, attributes };
}

const BODY = {
  nodes: [node("Identity", ["cond"], ["goes"]), node("Add", ["state", "state"], ["next"])],
  inputs: [
    { name: "i", type: "int64", shape: [] },
    { name: "cond", type: "bool", shape: [] },
    { name: "state", shape: [2, 2] },
  ],
  outputs: [{ name: "goes", type: "bool" }, { name: "next" }, { name: "next" }],
} as const;

/** Models that together use every part of the format and each kind of walk. */
const MODELS: readonly ModelSpec[] = [
  {
    nodes: [
      node("Conv", ["x", "w", "b"], ["c"], { pads: [1, 1, 1, 1], strides: [1, 1], auto_pad: "NOTSET" }),
      node("Relu", ["c"], ["r"]),
      node("MaxPool", ["r"], ["p"], { kernel_shape: [2, 2], strides: [2, 2] }),
      node("Resize", ["p", "", "scales"], ["z"], { mode: "nearest" }),
      node("Pad", ["z", "pads"], ["d"]),
      node("Shape", ["d"], ["s"], { start: 0, end: 1 }),
      node("Concat", ["s", "minus"], ["t"], { axis: 0 }),
      node("Reshape", ["d", "t"], ["y"]),
    ],
    inputs: [{ name: "x", shape: [1, 2, 6, 6] }],
    outputs: [{ name: "y", shape: [1, "n"] }],
    initializers: [
      { name: "w", type: "float32", shape: [3, 2, 3, 3], data: new Float32Array(54).fill(0.5), typed: true },
      { name: "b", type: "float32", shape: [3], data: [1, 2, 3] },
      { name: "scales", type: "float32", shape: [4], data: [1, 1, 2, 2] },
      { name: "pads", type: "int64", shape: [8], data: [0, 0, 1, 1, 0, 0, 1, 1], typed: true },
      { name: "minus", type: "int64", shape: [1], data: [-1] },
    ],
    values: [{ name: "c", shape: [1, 3, 6, 6] }],
  },
  {
    nodes: [
      node("Loop", ["trips", "", "x"], ["end", "all"], { body: { graph: BODY } }),
      node("ConstantOfShape", ["size"], ["fill"], { value: { tensor: { type: "float32", shape: [1], data: [2] } } }),
      node("Expand", ["fill", "wide"], ["e"]),
      node("Tile", ["e", "repeats"], ["tiled"]),
      node("ReduceSum", ["tiled"], ["sum"]),
      node("Range", ["zero", "trips", "step"], ["range"]),
      node("Add", ["end", "sum"], ["y"]),
    ],
    inputs: [{ name: "x", shape: [2, 2] }],
    outputs: [{ name: "y" }, { name: "all" }, { name: "range", type: "int64" }],
    initializers: [
      { name: "trips", type: "int64", shape: [], data: [3], typed: true },
      { name: "zero", type: "int64", shape: [], data: [0] },
      { name: "step", type: "int64", shape: [], data: [1] },
      { name: "size", type: "int64", shape: [2], data: [4, 1], typed: true },
      { name: "wide", type: "int64", shape: [2], data: [4, 8], typed: true },
      { name: "repeats", type: "int64", shape: [2], data: [2, 2], typed: true },
    ],
  },
  {
    nodes: [
      { ...node("Scale", ["x"], ["a"], { alpha: { float: 3 } }), domain: "mine" },
      node("LSTM", ["a", "w", "r"], ["", "h"], { hidden_size: 2 }),
      node("TopK", ["h", "k"], ["v", "i"], { axis: -1 }),
      node("Einsum", ["v", "v"], ["y"], { equation: "abc,abc->b" }),
    ],
    inputs: [{ name: "x", shape: [2, 1, 3] }],
    outputs: [{ name: "y" }, { name: "i", type: "int64" }],
    initializers: [
      { name: "w", type: "float32", shape: [1, 8, 3], data: new Float32Array(24).fill(0.1) },
      { name: "r", type: "float32", shape: [1, 8, 2], data: new Float32Array(16).fill(0.1) },
      { name: "k", type: "int64", shape: [1], data: [1] },
    ],
    functions: [{
      domain: "mine",
      name: "Scale",
      inputs: ["in"],
      outputs: ["out"],
      attributes: ["alpha"],
      nodes: [node("Elu", ["in"], ["out"], { alpha: { reference: "alpha", kind: "float" } })],
    }],
  },
];

/** A number that is likely to cause errors. */
const NUMBERS = [0, 1, 0x7f, 0x80, 0xff];

type Random = () => number;

const DAMAGES: readonly ((bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array)[] = [
  function flipBits(bytes, random) {
    const copy = bytes.slice();
    for (let i = 0; i < 1 + random() * 4; i++) {
      copy[Math.floor(random() * copy.length)]! ^= 1 << Math.floor(random() * 8);
    }
    return copy;
  },
  function cut(bytes, random) {
    return bytes.slice(0, Math.floor(random() * bytes.length));
  },
  function setBytes(bytes, random) {
    const copy = bytes.slice();
    const at = Math.floor(random() * copy.length);
    copy.fill(NUMBERS[Math.floor(random() * NUMBERS.length)]!, at, at + 1 + Math.floor(random() * 5));
    return copy;
  },
  function removePart(bytes, random) {
    const at = Math.floor(random() * bytes.length);
    return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + Math.floor(random() * 12))]);
  },
  function insertPart(bytes, random, other) {
    const at = Math.floor(random() * bytes.length), from = Math.floor(random() * other.length);
    const part = other.subarray(from, from + Math.floor(random() * 40));
    return Uint8Array.from([...bytes.subarray(0, at), ...part, ...bytes.subarray(at)]);
  },
  function swapLetter(bytes, random) {
    // A name that no longer matches, or an unknown operator.
    const copy = bytes.slice();
    const letters = [...copy.keys()].filter((i) => copy[i]! > 96 && copy[i]! < 123);
    copy[letters[Math.floor(random() * letters.length)]!] = 97 + Math.floor(random() * 26);
    return copy;
  },
];

Deno.test(`each of ${COUNT} damaged files gives a clear error, or is still a model`, async () => {
  const context = await createContext();
  const random = seededRandom(15);
  const files = MODELS.map(onnxFile);
  for (const file of files) (await loadOnnx(file, { context })).dispose();
  const counts = { model: 0, TypeError: 0, NotSupportedError: 0 };
  for (let i = 0; i < COUNT; i++) {
    const file = files[i % files.length]!;
    const damage = DAMAGES[i % DAMAGES.length]!;
    const damaged = damage(file, random, files[(i + 1) % files.length]!);
    try {
      (await loadOnnx(damaged, { context })).dispose();
      counts.model++;
    } catch (error) {
      assert(error instanceof TypeError || error instanceof DOMException, `${damage.name} ${i}: ${error}`);
      assert(error.name in counts, `${damage.name} ${i}: ${error}`);
      assert(
        !/undefined|NaN|is not a function|Cannot read|Invalid (array|typed)/.test(error.message),
        `${i}: ${error.stack}`,
      );
      counts[error.name as keyof typeof counts]++;
    }
  }
  assertEquals(counts.model + counts.TypeError + counts.NotSupportedError, COUNT);
  assert(counts.TypeError > COUNT / 3 && counts.NotSupportedError > COUNT / 10, JSON.stringify(counts));
  context.destroy();
});

Deno.test("huge sizes are rejected before memory is allocated", async () => {
  const context = await createContext();
  const big = 2 ** 31 - 1;
  const constants = (...shape: number[]) => [{ name: "s", type: "int64" as const, shape: [shape.length], data: shape }];
  const hostile: ModelSpec[] = [
    { nodes: [node("ConstantOfShape", ["s"], ["y"])], outputs: [{ name: "y" }], initializers: constants(big, big) },
    { nodes: [node("ConstantOfShape", ["s"], ["y"])], outputs: [{ name: "y" }], initializers: constants(big) },
    {
      nodes: [node("Expand", ["c", "s"], ["y"])],
      outputs: [{ name: "y" }],
      initializers: [...constants(big), { name: "c", type: "float32", shape: [1], data: [1] }],
    },
    {
      nodes: [node("Loop", ["s", "", "c"], ["y"], { body: { graph: BODY } })],
      outputs: [{ name: "y" }],
      initializers: [
        { name: "s", type: "int64", shape: [], data: [2n ** 62n] },
        { name: "c", type: "float32", shape: [2, 2], data: [1, 2, 3, 4] },
      ],
    },
    {
      nodes: [node("Range", ["z", "s", "o"], ["y"])],
      outputs: [{ name: "y" }],
      initializers: [
        { name: "z", type: "int64", shape: [], data: [0] },
        { name: "s", type: "int64", shape: [], data: [2n ** 62n] },
        { name: "o", type: "int64", shape: [], data: [1] },
      ],
    },
    // A cycle, an undefined name, and functions that double the work with each call.
    { nodes: [node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"])], outputs: [{ name: "b" }] },
    { nodes: [node("Relu", ["nowhere"], ["a"])], outputs: [{ name: "a" }] },
    {
      nodes: [{ ...node("F0", ["x"], ["y"]), domain: "mine" }],
      inputs: [{ name: "x", shape: [1] }],
      outputs: [{ name: "y" }],
      functions: Array.from({ length: 40 }, (_, i) => ({
        domain: "mine",
        name: `F${i}`,
        inputs: ["a"],
        outputs: ["c"],
        nodes: [
          { ...node(`F${i + 1}`, ["a"], ["b"]), domain: "mine" },
          { ...node(`F${i + 1}`, ["b"], ["c"]), domain: "mine" },
        ],
      })),
    },
  ];
  for (const [i, spec] of hostile.entries()) {
    const error = await assertRejects(
      () => loadOnnx(onnxFile(spec), { context }),
      DOMException,
      undefined,
      `model ${i}`,
    );
    assertEquals(error.name, "NotSupportedError");
  }
  context.destroy();
});
