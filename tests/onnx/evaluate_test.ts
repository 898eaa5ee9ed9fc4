/**
 * Operators on small known values, which are computed while the graph is built: each row, without a builder.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { MLGraphBuilder, MLOpSupportLimits } from "@webnn/deno";
import { Unsupported, unsupported } from "../../src/onnx/errors.ts";
import type { Attribute, KnownTensor } from "../../src/onnx/model.ts";
import { NodeView } from "../../src/onnx/node.ts";
import { Operand, Recorder } from "../../src/onnx/operand.ts";
import { rowOf } from "../../src/onnx/rows/rows.ts";
import { elementsOf, isKnown, knownTensor } from "../../src/onnx/value.ts";

const limits = {
  constant: { dataTypes: ["float32", "float16", "int32", "uint32", "int64", "uint64", "int8", "uint8"] },
} as unknown as MLOpSupportLimits;

/** A recorder that cannot add operators to a graph. */
const recorder = new Recorder({} as MLGraphBuilder, limits, {
  demand: (value, what) => isKnown(value) ? value : unsupported(`${what} is not known`),
  makeConstant: () => () => unsupported("it is left to the engine"),
});

type Type = Parameters<typeof knownTensor>[0];
type Attributes = Readonly<Record<string, number | string | readonly number[] | KnownTensor>>;

function attribute(value: Attributes[string]): Attribute {
  if (typeof value === "number") return { kind: "int", value };
  if (typeof value === "string") return { kind: "string", value };
  return Array.isArray(value) ? { kind: "ints", value } : { kind: "tensor", value: value as KnownTensor };
}

/** A tensor: its type, elements, and shape, by default a vector. */
function t(type: Type, elements: readonly number[], shape: readonly number[] = [elements.length]): KnownTensor {
  return knownTensor(type, shape, elements);
}

const i64 = (elements: readonly number[], shape?: readonly number[]) => t("int64", elements, shape);
const f32 = (elements: readonly number[], shape?: readonly number[]) => t("float32", elements, shape);
const i32 = (elements: readonly number[], shape?: readonly number[]) => t("int32", elements, shape);
const bool = (elements: readonly number[], shape?: readonly number[]) => t("bool", elements, shape);

function evaluate(
  operator: string,
  inputs: readonly (KnownTensor | undefined)[],
  attributes: Attributes = {},
  { opset = 21, outputs = 1 } = {},
): readonly KnownTensor[] {
  const node = {
    domain: "",
    operator,
    name: "",
    inputs: inputs.map((_, i) => `i${i}`),
    outputs: Array.from({ length: outputs }, (_, i) => `o${i}`),
    attributes: new Map(Object.entries(attributes).map(([name, value]) => [name, attribute(value)])),
  };
  const operands = inputs.map((value) => value && new Operand(recorder, value));
  const view = new NodeView(recorder, node, operands, { opset, since: opset });
  return [rowOf(node)!.build(view, ...operands as Operand[])].flat().map((output) => {
    const { value } = output!;
    assert(isKnown(value), operator);
    return value;
  });
}

function describe(value: KnownTensor) {
  return {
    type: value.type,
    shape: value.shape,
    elements: Array.from(elementsOf(value) as Iterable<number | bigint>, Number),
  };
}

type Case = readonly [
  operator: string,
  inputs: readonly (KnownTensor | undefined)[],
  attributes: Attributes,
  expected: KnownTensor | readonly KnownTensor[],
  more?: { opset?: number; outputs?: number },
];

const CASES: readonly Case[] = [
  ["Shape", [f32([1, 2, 3, 4, 5, 6], [2, 3])], {}, i64([2, 3])],
  ["Shape", [f32([1, 2, 3, 4, 5, 6], [1, 2, 3])], { start: -2 }, i64([2, 3])],
  ["Shape", [f32([1, 2, 3, 4, 5, 6], [1, 2, 3])], { start: 1, end: -1 }, i64([2])],
  ["Shape", [f32([1])], { start: 5 }, i64([])],
  ["Size", [f32([1, 2, 3, 4, 5, 6], [2, 3])], {}, i64([6], [])],
  ["ConstantOfShape", [i64([2, 2])], {}, f32([0, 0, 0, 0], [2, 2])],
  ["ConstantOfShape", [i64([3])], { value: i64([7]) }, i64([7, 7, 7])],
  ["ConstantOfShape", [i64([])], { value: i64([7]) }, i64([7], [])],
  ["ConstantOfShape", [i64([0])], { value: i64([7]) }, i64([])],
  ["Reshape", [i64([1, 2, 3, 4]), i64([2, -1])], {}, i64([1, 2, 3, 4], [2, 2])],
  ["Reshape", [i64([1, 2, 3, 4], [2, 2]), i64([0, 1, 2])], {}, i64([1, 2, 3, 4], [2, 1, 2])],
  ["Reshape", [i64([], [0, 3]), i64([3, 0])], { allowzero: 1 }, i64([], [3, 0])],
  ["Squeeze", [i64([5], [1, 1])], {}, i64([5], [])],
  ["Squeeze", [i64([5, 6], [1, 2, 1]), i64([-1])], {}, i64([5, 6], [1, 2])],
  ["Squeeze", [i64([5, 6], [1, 2])], { axes: [0] }, i64([5, 6]), { opset: 11 }],
  ["Unsqueeze", [i64([5, 6]), i64([0, -1])], {}, i64([5, 6], [1, 2, 1])],
  ["Unsqueeze", [i64([5], [])], { axes: [0] }, i64([5]), { opset: 11 }],
  ["Flatten", [i64([1, 2, 3, 4], [2, 1, 2])], { axis: 2 }, i64([1, 2, 3, 4], [2, 2])],
  ["Flatten", [i64([1, 2], [1, 2])], { axis: 0 }, i64([1, 2], [1, 2])],
  ["Gather", [i64([10, 20, 30]), i64([2, -3], [2])], {}, i64([30, 10])],
  ["Gather", [i64([10, 20, 30]), i64([1], [])], {}, i64([20], [])],
  ["Gather", [i64([1, 2, 3, 4, 5, 6], [2, 3]), i64([2, 0])], { axis: 1 }, i64([3, 1, 6, 4], [2, 2])],
  ["GatherElements", [i64([1, 2, 3, 4], [2, 2]), i64([0, 0, 1, -2], [2, 2])], { axis: 1 }, i64([1, 1, 4, 3], [2, 2])],
  ["GatherND", [i64([1, 2, 3, 4], [2, 2]), i64([0, 1, 1, 0], [2, 2])], {}, i64([2, 3])],
  ["GatherND", [i64([1, 2, 3, 4], [2, 2]), i64([1], [1, 1])], {}, i64([3, 4], [1, 2])],
  ["Concat", [i64([1]), i64([2, 3])], { axis: 0 }, i64([1, 2, 3])],
  ["Concat", [i64([1, 2], [2, 1]), i64([3, 4, 5, 6], [2, 2])], { axis: -1 }, i64([1, 3, 4, 2, 5, 6], [2, 3])],
  ["Concat", [i64([]), i64([2])], { axis: 0 }, i64([2])],
  ["Slice", [i64([0, 1, 2, 3, 4]), i64([1]), i64([4])], {}, i64([1, 2, 3])],
  ["Slice", [i64([0, 1, 2, 3, 4]), i64([-1]), i64([-100]), i64([0]), i64([-2])], {}, i64([4, 2, 0])],
  ["Slice", [i64([0, 1, 2, 3, 4]), i64([3]), i64([2 ** 53])], {}, i64([3, 4])],
  ["Slice", [i64([0, 1, 2, 3, 4]), i64([4]), i64([1])], {}, i64([])],
  ["Slice", [i64([0, 1, 2, 3], [2, 2]), i64([1]), i64([2]), i64([-1])], {}, i64([1, 3], [2, 1])],
  ["Slice", [i64([0, 1, 2])], { starts: [1], ends: [3], axes: [0] }, i64([1, 2]), { opset: 9 }],
  ["Split", [i64([1, 2, 3, 4])], {}, [i64([1, 2]), i64([3, 4])], { outputs: 2 }],
  ["Split", [i64([1, 2, 3]), i64([1, 2])], {}, [i64([1]), i64([2, 3])], { outputs: 2 }],
  ["Split", [i64([1, 2, 3, 4, 5])], { num_outputs: 2 }, [i64([1, 2, 3]), i64([4, 5])], { outputs: 2 }],
  ["Transpose", [i64([1, 2, 3, 4, 5, 6], [2, 3])], {}, i64([1, 4, 2, 5, 3, 6], [3, 2])],
  ["Transpose", [i64([1, 2, 3, 4], [1, 2, 2])], { perm: [1, 0, 2] }, i64([1, 2, 3, 4], [2, 1, 2])],
  ["Expand", [i64([1, 2], [2, 1]), i64([3])], {}, i64([1, 1, 1, 2, 2, 2], [2, 3])],
  ["Tile", [i64([1, 2]), i64([2])], {}, i64([1, 2, 1, 2])],
  ["Range", [i64([1], []), i64([7], []), i64([2], [])], {}, i64([1, 3, 5])],
  ["Range", [i64([3], []), i64([0], []), i64([-1], [])], {}, i64([3, 2, 1])],
  ["Range", [i64([3], []), i64([0], []), i64([1], [])], {}, i64([])],
  ["NonZero", [i64([0, 5, 0, 6], [2, 2])], {}, i64([0, 1, 1, 1], [2, 2])],
  ["ScatterElements", [i64([1, 2, 3]), i64([1, -1]), i64([9, 8])], {}, i64([1, 9, 8])],
  ["ScatterND", [i64([1, 2, 3, 4], [2, 2]), i64([1], [1, 1]), i64([8, 9], [1, 2])], {}, i64([1, 2, 8, 9], [2, 2])],
  ["Compress", [i64([1, 2, 3, 4], [2, 2]), bool([0, 1])], { axis: 1 }, i64([2, 4], [2, 1])],
  ["Compress", [i64([1, 2, 3, 4], [2, 2]), bool([0, 1, 1])], {}, i64([2, 3])],
  ["Add", [i64([1, 2]), i64([10], [])], {}, i64([11, 12])],
  ["Add", [i32([2 ** 31 - 1]), i32([1])], {}, i32([-(2 ** 31)])],
  ["Sub", [i64([1, 2], [2, 1]), i64([1, 2])], {}, i64([0, -1, 1, 0], [2, 2])],
  ["Mul", [i32([65536, 3]), i32([65536, 4])], {}, i32([0, 12])],
  ["Div", [i64([7, -7]), i64([2, 2])], {}, i64([3, -3])],
  ["Div", [f32([7]), f32([2])], {}, f32([3.5])],
  ["Mod", [i64([7, -7, 7, -7]), i64([3, 3, -3, -3])], {}, i64([1, 2, -2, -1])],
  ["Mod", [i64([7, -7]), i64([3, 3])], { fmod: 1 }, i64([1, -1])],
  ["Neg", [i64([3])], {}, i64([-3])],
  ["Abs", [i64([-3])], {}, i64([3])],
  ["Sign", [i64([-3, 0, 9])], {}, i64([-1, 0, 1])],
  ["Max", [i64([1, 5]), i64([3], []), i64([2, 9])], {}, i64([3, 9])],
  ["Min", [i64([1, 5]), i64([3], [])], {}, i64([1, 3])],
  ["Floor", [f32([1.5, -1.5])], {}, f32([1, -2])],
  ["Ceil", [f32([1.5, -1.5])], {}, f32([2, -1])],
  ["Round", [f32([0.5, 1.5, 2.5, -0.5, -1.5, 2.6])], {}, f32([0, 2, 2, -0, -2, 3])],
  ["Sqrt", [f32([16])], {}, f32([4])],
  ["Reciprocal", [f32([4])], {}, f32([0.25])],
  ["Clip", [i64([1, 5, 9]), i64([2], []), i64([8], [])], {}, i64([2, 5, 8])],
  ["Clip", [i64([1, 5, 9]), undefined, i64([8], [])], {}, i64([1, 5, 8])],
  ["Equal", [i64([1, 2]), i64([2], [])], {}, bool([0, 1])],
  ["Less", [i64([1, 2]), i64([2], [])], {}, bool([1, 0])],
  ["LessOrEqual", [i64([1, 2, 3]), i64([2], [])], {}, bool([1, 1, 0])],
  ["Greater", [f32([1, 3]), f32([2], [])], {}, bool([0, 1])],
  ["GreaterOrEqual", [i64([1, 2]), i64([2], [])], {}, bool([0, 1])],
  ["And", [bool([0, 1, 1]), bool([1, 0, 1])], {}, bool([0, 0, 1])],
  ["Or", [bool([0, 1, 0]), bool([1, 0, 0])], {}, bool([1, 1, 0])],
  ["Xor", [bool([0, 1, 1]), bool([1, 0, 1])], {}, bool([1, 1, 0])],
  ["Not", [bool([0, 1])], {}, bool([1, 0])],
  ["Where", [bool([1, 0]), i64([1, 2]), i64([9], [])], {}, i64([1, 9])],
  ["Cast", [f32([1.9, -1.9])], { to: 7 }, i64([1, -1])],
  ["Cast", [f32([0, 0.25, NaN])], { to: 9 }, bool([0, 1, 1])],
  ["Cast", [i64([300])], { to: 2 }, t("uint8", [44])],
  ["Cast", [bool([1, 0])], { to: 1 }, f32([1, 0])],
  ["CastLike", [i64([3]), f32([0])], {}, f32([3])],
  ["ReduceProd", [i64([2, 3, 4])], { keepdims: 0 }, i64([24], [])],
  ["ReduceSum", [i64([1, 2, 3, 4], [2, 2]), i64([1])], {}, i64([3, 7], [2, 1])],
  ["ReduceMax", [i64([1, 5, 3, 4], [2, 2])], { axes: [0], keepdims: 0 }, i64([3, 5]), { opset: 13 }],
  ["ReduceMin", [f32([4, 2])], { keepdims: 1 }, f32([2])],
];

Deno.test("each operator gives the result that ONNX defines", () => {
  for (const [operator, inputs, attributes, expected, more] of CASES) {
    const found = evaluate(operator, inputs, attributes, more);
    assertEquals(found.map(describe), [expected].flat().map((value) => describe(value as KnownTensor)), operator);
  }
});

Deno.test("64-bit integers are exact", () => {
  const large = knownTensor("int64", [1], [2n ** 60n + 1n]);
  const [sum] = evaluate("Add", [large, knownTensor("int64", [1], [1n])])!;
  assertEquals(elementsOf(sum!), BigInt64Array.of(2n ** 60n + 2n));
  const [product] = evaluate("Mul", [large, knownTensor("int64", [1], [16n])])!;
  assertEquals(elementsOf(product!), BigInt64Array.of(16n), "wraps as in C");
});

Deno.test("undefined results are rejected", () => {
  const refused: [string, readonly KnownTensor[], Attributes][] = [
    ["Gather", [i64([1, 2]), i64([2])], {}],
    ["GatherND", [i64([1, 2]), i64([5], [1, 1])], {}],
    ["ScatterElements", [i64([1, 2]), i64([2]), i64([0])], {}],
    ["Div", [i64([1]), i64([0])], {}],
    ["Mod", [i32([1]), i32([0])], {}],
    ["Add", [i64([1, 2]), i64([1, 2, 3])], {}],
    ["Add", [i64([1]), i32([1])], {}],
    ["Reshape", [i64([1, 2, 3]), i64([2, 2])], {}],
    ["Squeeze", [i64([1, 2]), i64([0])], {}],
    ["Concat", [i64([1]), i64([1], [1, 1])], { axis: 0 }],
    ["Range", [i64([0], []), i64([2 ** 40], []), i64([1], [])], {}],
    ["Range", [i64([0], []), i64([1], []), i64([0], [])], {}],
    ["Split", [i64([1, 2, 3]), i64([1, 1])], {}],
  ];
  for (const [operator, inputs, attributes] of refused) {
    assertThrows(() => evaluate(operator, inputs, attributes), Unsupported, undefined, operator);
  }
});

Deno.test("a reduction without options is over all axes", () => {
  const result = new Operand(recorder, f32([1, 5, 3, 4], [2, 2])).reduceMax();
  assertEquals(describe(result.known("the result")), describe(f32([5], [])));
});

Deno.test("large results are left to the engine", () => {
  const large: [string, readonly KnownTensor[]][] = [
    ["Expand", [i64([1, 2]), i64([2 ** 30, 1])]],
    ["ConstantOfShape", [i64([2 ** 20])]],
    ["Equal", [i64([1, 2, 3, 4], [1, 4]), i64(new Array(20000).fill(1), [20000, 1])]],
    ["Neg", [f32(new Array(70000).fill(1))]],
  ];
  for (const [operator, inputs] of large) {
    assertThrows(() => evaluate(operator, inputs), Unsupported, "it is left to the engine", operator);
  }
});
