/** Results of operators that only move elements, for random arguments and for values that engines may get wrong. */

import { assertEquals } from "@std/assert";
import { DATA_TYPES } from "../../src/data_type.ts";
import type { OperatorName } from "../../src/ops/operators.ts";
import { type Element, type RefDataType, type RefTensor, tensor } from "../reference/mod.ts";
import { newBuilder, sharedContext } from "../support/builder.ts";
import { operandValues, WILD } from "../support/operand_values.ts";
import { randomShape, testProperty } from "../support/property.ts";
import type { Random } from "../../support/random.ts";
import { runGraph, runOperator } from "../support/run_operator.ts";

/** A tensor of random values from the whole range of its type. */
function wild(next: Random, dataType: RefDataType, shape: readonly number[]): RefTensor {
  return operandValues(dataType, shape, WILD, next.integer(0, 2 ** 32 - 1));
}

/** Random attributes for a shape; `undefined` if the operator does not support the shape. */
type Attributes = (next: Random, shape: readonly number[]) => Record<string, unknown> | undefined;

/** Tests an operator with one operand. */
function testUnary(name: OperatorName, attributes: Attributes): void {
  testProperty(name, (next, dataType, rank) => {
    const shape = randomShape(next, rank);
    const chosen = attributes(next, shape);
    return chosen && { operands: { input: wild(next, dataType, shape) }, attributes: chosen };
  });
}

/** The axes in random order. */
function shuffledAxes(next: Random, rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => ({ axis, key: next() })).sort((a, b) => a.key - b.key).map(
    ({ axis }) => axis,
  );
}

testUnary("expand", (next, shape) => ({
  newShape: [
    ...randomShape(next, next.integer(0, 2)),
    ...shape.map((dimension) => dimension === 1 ? next.integer(1, 3) : dimension),
  ],
}));

testUnary("pad", (next, shape) => {
  const mode = next.pick(["constant", "edge", "reflection"]);
  const padding = () =>
    shape.map((dimension) => next.integer(0, mode === "reflection" ? Math.min(2, dimension - 1) : 2));
  return {
    beginningPadding: padding(),
    endingPadding: padding(),
    mode,
    value: next.pick([0, 1.7, -3.5, Infinity, 300]),
  };
});

testUnary(
  "reshape",
  (next, shape) => ({ newShape: [1, ...shuffledAxes(next, shape.length).map((axis) => shape[axis]!)] }),
);

testUnary("reverse", (next, shape) => ({
  axes: shuffledAxes(next, shape.length).slice(0, next.integer(0, shape.length)),
}));

testUnary("slice", (next, shape) => {
  const starts = shape.map((dimension) => next.integer(0, dimension - 1));
  const sizes = shape.map((dimension, axis) => next.integer(1, dimension - starts[axis]!));
  return { starts, sizes, strides: sizes.map((size) => next.integer(1, size)) };
});

testUnary("split", (next, shape) => {
  if (shape.length === 0) return undefined;
  const axis = next.integer(0, shape.length - 1);
  const first = next.integer(1, shape[axis]!);
  const rest = shape[axis]! - first;
  return { axis, splits: next.pick([shape[axis]!, rest > 0 ? [first, rest] : [first]]) };
});

testUnary("tile", (next, shape) => ({ repetitions: shape.map(() => next.integer(1, 2)) }));

testUnary("transpose", (next, shape) => ({ permutation: shuffledAxes(next, shape.length) }));

testUnary("triangular", (next, shape) =>
  shape.length < 2 ? undefined : {
    upper: next() < 0.5,
    diagonal: next.pick([next.integer(-6, 6), next.integer(-2, 2), -(2 ** 31), 2 ** 31 - 1]),
  });

testProperty("concat", (next, dataType, rank) => {
  if (rank === 0) return undefined;
  const shape = randomShape(next, rank);
  const axis = next.integer(0, rank - 1);
  const inputs = Array.from(
    { length: next.integer(1, 4) },
    () => wild(next, dataType, shape.with(axis, next.integer(1, 3))),
  );
  return { operands: { inputs }, attributes: { axis } };
});

testProperty("where", (next, dataType, rank) => {
  const shape = randomShape(next, rank);
  const part = () =>
    shape.map((dimension) => next() < 0.3 ? 1 : dimension).slice(next() < 0.3 ? next.integer(0, rank) : 0);
  const [trueValue, falseValue] = [wild(next, dataType, part()), wild(next, dataType, part())];
  return { operands: { condition: wild(next, "uint8", part()), trueValue, falseValue } };
});

/** Runs an operator on a 1-D tensor. */
async function run(
  name: OperatorName,
  dataType: RefDataType,
  elements: readonly Element[],
  attributes: Readonly<Record<string, unknown>>,
): Promise<readonly Element[]> {
  const input = tensor(dataType, [elements.length], elements);
  const [output] = await runOperator(await sharedContext(), name, { input }, attributes);
  return output!.data;
}

Deno.test("pad casts its value to the type: integers truncate and clamp, floats round", async () => {
  const pad = (dataType: RefDataType, value: Element) =>
    run("pad", dataType, [1], { beginningPadding: [1], endingPadding: [0], value }).then(([padding]) => padding);
  assertEquals(await pad("int32", 3.9), 3);
  assertEquals(await pad("int32", -3.9), -3);
  assertEquals(await pad("uint8", -1), 0);
  assertEquals(await pad("uint8", 300), 255);
  assertEquals(await pad("int8", NaN), 0);
  assertEquals(await pad("uint32", Infinity), 2 ** 32 - 1);
  assertEquals(await pad("int64", -(2n ** 63n)), -(2n ** 63n));
  assertEquals(await pad("uint64", 2n ** 64n), 2n ** 64n - 1n);
  assertEquals(await pad("float32", 0.1), Math.fround(0.1));
  assertEquals(await pad("float16", 1e6), Infinity);
  assertEquals(await pad("float32", NaN), NaN);
});

Deno.test("cast from integer to integer keeps the low bits", async () => {
  const cast = (from: RefDataType, value: Element, dataType: RefDataType) =>
    run("cast", from, [value], { dataType }).then(([result]) => result);
  assertEquals(await cast("int32", 300, "uint8"), 44);
  assertEquals(await cast("int32", -1, "uint32"), 2 ** 32 - 1);
  assertEquals(await cast("int64", -1n, "uint64"), 2n ** 64n - 1n);
  assertEquals(await cast("uint64", 2n ** 63n + 5n, "int32"), 5);
  assertEquals(await cast("uint32", 2 ** 31, "int32"), -(2 ** 31));
  assertEquals(await cast("uint8", 200, "int8"), -56);
  assertEquals(await cast("int8", -1, "uint64"), 2n ** 64n - 1n);
});

Deno.test("cast from float to integer truncates toward zero", async () => {
  for (const from of ["float32", "float16"] as const) {
    for (const dataType of DATA_TYPES.filter((type) => !type.startsWith("float"))) {
      const result = await run("cast", from, [0.9, -0.9, 2.5, 100.99, -0], { dataType });
      assertEquals(result.map(Number), [0, 0, 2, from === "float16" ? 101 : 100, 0], `${from} to ${dataType}`);
    }
  }
  assertEquals(await run("cast", "float32", [3e9], { dataType: "uint32" }), [3e9]);
  assertEquals(await run("cast", "float32", [-(2 ** 63)], { dataType: "int64" }), [-(2n ** 63n)]);
  assertEquals(await run("cast", "float32", [2 ** 63], { dataType: "uint64" }), [2n ** 63n]);
});

Deno.test("casting floats out of the integer's range does not change other elements", async () => {
  // The standard does not define their values, but they must not depend on the position, as in some vectorised loops.
  const outOfRange = [NaN, Infinity, -Infinity, 1e30, -1e30];
  const elements = Array.from({ length: 35 }, (_, i) => i % 2 === 0 ? i : outOfRange[(i - 1) / 2 % 5]!);
  for (const dataType of DATA_TYPES.filter((type) => !type.startsWith("float"))) {
    const result = await run("cast", "float32", elements, { dataType });
    assertEquals(result.filter((_, i) => i % 2 === 0).map(Number), elements.filter((_, i) => i % 2 === 0));
    assertEquals(result.slice(11, 21).filter((_, i) => i % 2 === 0), result.slice(1, 11).filter((_, i) => i % 2 === 0));
  }
});

/** Calls that do not change their input. */
const UNCHANGED: readonly [OperatorName, readonly number[], Record<string, unknown>][] = [
  ["identity", [2], {}],
  ["transpose", [2], { permutation: [0] }],
  ["reverse", [2], { axes: [] }],
  ["reverse", [], {}],
  ["slice", [], { starts: [], sizes: [] }],
  ["pad", [], { beginningPadding: [], endingPadding: [], mode: "reflection" }],
  ["tile", [], { repetitions: [] }],
  ["expand", [], { newShape: [] }],
  ["reshape", [], { newShape: [] }],
];

for (const constants of [[], ["input"]]) {
  const kind = constants.length === 0 ? "an input" : "a constant";
  Deno.test(`${kind} that an operator does not change can be an output, even twice`, async () => {
    const context = await sharedContext();
    for (const [name, shape, attributes] of UNCHANGED) {
      const input = tensor("float32", shape, shape.length === 0 ? [5] : [5, 6]);
      assertEquals(await runOperator(context, name, { input }, attributes, constants), [input], name);
    }
    const builder = await newBuilder();
    const descriptor = { dataType: "float32", shape: [] } as const;
    const source = constants.length === 0 ? builder.input("x", descriptor) : builder.constant("float32", 5);
    const outputs = [builder.reverse(source), builder.tile(source, []), builder.slice(source, [], [])];
    const value = tensor("float32", [], [5]);
    assertEquals(await runGraph(context, builder, constants.length === 0 ? { x: value } : {}, outputs), [
      value,
      value,
      value,
    ]);
  });
}
