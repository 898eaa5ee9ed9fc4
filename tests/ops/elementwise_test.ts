/** Validation of element-wise operators, and their results for values that engines often get wrong. */

import { assertEquals } from "@std/assert";
import type { MLOperandDataType } from "../../mod.ts";
import { DATA_TYPES, integerRange, isFloat, isUnsigned } from "../../src/data_type.ts";
import type { OperatorName } from "../../src/ops/operators.ts";
import { type Element, evaluate, tensor } from "../reference/mod.ts";
import { sharedContext } from "../support/builder.ts";
import { runOperator } from "../support/run_operator.ts";
import { testValidation } from "../support/validation.ts";

const ANY = DATA_TYPES;
const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];
const SIGNED: readonly MLOperandDataType[] = ["float32", "float16", "int64", "int32", "int8"];
const WIDE: readonly MLOperandDataType[] = ["float32", "float16", "int32", "uint32", "int64", "uint64"];
const UINT8: readonly MLOperandDataType[] = ["uint8"];
const INTEGERS = ANY.filter((dataType) => !isFloat(dataType));

/** Tests the validation of operators whose two operands are broadcast. */
function testBroadcast(
  name: OperatorName,
  types: readonly MLOperandDataType[],
  outputType?: MLOperandDataType,
  [a, b]: readonly [string, string] = ["a", "b"],
): void {
  const output = outputType === undefined ? {} : { outputType };
  const call = (shapeA: number[], shapeB: number[]) => ({ shapes: { [a]: shapeA, [b]: shapeB } });
  testValidation(name, {
    types: { [a]: types },
    valid: [
      { ...call([2, 3], [2, 3]), outputs: [[2, 3]], ...output },
      { ...call([], []), outputs: [[]], ...output },
      { ...call([4, 1], [3]), outputs: [[4, 3]], ...output },
      { ...call([], [1, 1, 1, 1, 1, 1, 1, 2]), outputs: [[1, 1, 1, 1, 1, 1, 1, 2]], ...output },
    ],
    invalid: [
      { ...call([2, 3], [2, 4]), message: `${a} and ${b} must have shapes that broadcast to each other, not [2, 3]` },
      { ...call([2, 3], [3, 2]), message: "broadcast" },
      { ...call([2 ** 16, 1], [2 ** 16]), message: "has more than 2147483647 elements" },
      ...ANY.filter((type) => type !== types[0]).slice(0, 1).map((type) => ({
        ...call([2], [2]),
        types: { [b]: type },
        message: types.includes(type) ? `${b} must be ${types[0]} like ${a}, not ${type}` : `${b} must be`,
      })),
    ],
  });
}

for (const name of ["add", "sub", "mul", "div", "max", "min", "pow"] as const) testBroadcast(name, ANY);
for (const name of ["equal", "notEqual", "greater", "greaterOrEqual", "lesser", "lesserOrEqual"] as const) {
  testBroadcast(name, ANY, "uint8");
}
for (const name of ["logicalAnd", "logicalOr", "logicalXor"] as const) testBroadcast(name, UINT8, "uint8");
testBroadcast("prelu", SIGNED, undefined, ["input", "slope"]);

/** Tests the validation of operators with one operand, whose shape is also that of the output. */
function testUnary(
  name: OperatorName,
  types: readonly MLOperandDataType[],
  options: readonly string[] = [],
  operand = "input",
  outputType?: MLOperandDataType,
): void {
  const shapes: [number[], ...number[][]] = [[2, 3], [], [1, 1, 1, 1, 1, 1, 1, 2]];
  const valid = shapes.map((shape) => ({
    shapes: { [operand]: shape },
    outputs: [shape],
    ...(outputType ? { outputType } : {}),
  }));
  testValidation(name, {
    types: { [operand]: types },
    valid: [
      valid[0]!,
      ...valid.slice(1),
      ...options.map((option) => ({ ...valid[0]!, attributes: { [option]: -1.5 } })),
    ],
    invalid: [],
    unconvertible: options.flatMap((option) =>
      [NaN, Infinity, -Infinity, "x"].map((value) => ({
        shapes: { [operand]: [2] },
        attributes: { [option]: value },
        message: option,
      }))
    ),
  });
}

const mathematics = ["ceil", "cos", "erf", "exp", "floor", "log", "reciprocal", "roundEven", "sin", "sqrt", "tan"];
const activations = ["gelu", "hardSwish", "sigmoid", "softplus", "softsign", "tanh"];
for (const name of [...mathematics, ...activations] as OperatorName[]) testUnary(name, FLOATS);
for (const name of ["abs", "neg", "relu", "sign"] as const) testUnary(name, SIGNED);
for (const name of ["elu", "leakyRelu"] as const) testUnary(name, FLOATS, ["alpha"]);
for (const name of ["hardSigmoid", "linear"] as const) testUnary(name, FLOATS, ["alpha", "beta"]);
testUnary("logicalNot", UINT8, [], "a", "uint8");
for (const name of ["isNaN", "isInfinite"] as const) testUnary(name, FLOATS, [], "a", "uint8");

testValidation("clamp", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [2, 3] }, outputs: [[2, 3]] },
    { shapes: { input: [] }, attributes: { minValue: 1, maxValue: 1 }, outputs: [[]] },
    { shapes: { input: [2] }, attributes: { minValue: NaN, maxValue: -Infinity }, outputs: [[2]] },
    // Both bounds are 255 in the type of the input.
    {
      shapes: { input: [2] },
      types: { input: "uint8" },
      attributes: { minValue: 300, maxValue: 255.9 },
      outputs: [[2]],
    },
    { shapes: { input: [2] }, types: { input: "int64" }, attributes: { minValue: -(2n ** 70n) }, outputs: [[2]] },
    { shapes: { input: [2] }, types: { input: "uint64" }, attributes: { maxValue: 2n ** 64n - 1n }, outputs: [[2]] },
  ],
  invalid: [
    {
      shapes: { input: [2] },
      attributes: { minValue: 2, maxValue: 1 },
      message: "minValue (2) must not be greater than maxValue (1)",
    },
    {
      shapes: { input: [2] },
      types: { input: "int64" },
      attributes: { minValue: 2n ** 62n + 1n, maxValue: 2n ** 62n },
      message: "must not be greater than maxValue",
    },
    ...ANY.filter((type) => !type.endsWith("64")).flatMap((type) =>
      ["minValue", "maxValue"].map((bound) => ({
        shapes: { input: [2] },
        types: { input: type },
        attributes: { [bound]: 1n },
        message: `${bound} must be a number for ${type}, not a BigInt`,
      }))
    ),
  ],
});

testValidation("cumulativeSum", {
  types: { input: WIDE },
  valid: [
    { shapes: { input: [2, 3] }, attributes: { axis: 1 }, outputs: [[2, 3]] },
    { shapes: { input: [4] }, attributes: { axis: 0, exclusive: true, reversed: true }, outputs: [[4]] },
    // In the standard, this axis wraps.
    { shapes: { input: [4] }, attributes: { axis: 2 ** 32 }, outputs: [[4]] },
  ],
  invalid: [
    { shapes: { input: [2, 3] }, attributes: { axis: 2 }, message: "axis must be less than the rank 2, not 2" },
    {
      shapes: { input: [2, 3] },
      attributes: { axis: -1 },
      message: "axis must be less than the rank 2, not 4294967295",
    },
    { shapes: { input: [] }, attributes: { axis: 0 }, message: "input must have rank 1 to 8, not 0" },
  ],
});

/** Runs an operator on 1-D operands. */
async function compute(
  name: OperatorName,
  operands: Readonly<Record<string, readonly [MLOperandDataType, readonly Element[]]>>,
  attributes: Readonly<Record<string, unknown>> = {},
  constants: readonly string[] = [],
): Promise<readonly Element[]> {
  const tensors = Object.entries(operands).map(([key, [type, data]]) => [key, tensor(type, [data.length], data)]);
  const context = await sharedContext();
  const [output] = await runOperator(context, name, Object.fromEntries(tensors), attributes, constants);
  return output!.data;
}

/** The limits of an integer type, and values between them. */
function corners(dataType: MLOperandDataType): Element[] {
  const { min, max } = integerRange(dataType);
  const values = isUnsigned(dataType)
    ? [0n, 1n, 7n, max / 2n, max / 2n + 1n, max]
    : [min, min + 1n, -7n, -1n, 0n, 1n, max];
  return dataType.endsWith("64") ? values : values.map(Number);
}

/** All pairs of two lists. */
function pairs(a: readonly Element[], b: readonly Element[]): [Element[], Element[]] {
  return [a.flatMap((x) => b.map(() => x)), a.flatMap(() => b)];
}

Deno.test("integers wrap, and integer division truncates", async () => {
  for (const dataType of INTEGERS) {
    const all = corners(dataType);
    const divisors = all.filter((value) => Number(value) !== 0);
    for (const name of ["add", "sub", "mul", "div", "max", "min"] as const) {
      const [a, b] = pairs(all, name === "div" ? divisors : all);
      const shape = [a.length];
      const [expected] = evaluate(name, { a: tensor(dataType, shape, a), b: tensor(dataType, shape, b) });
      for (const constants of [[], ["b"], ["a", "b"]]) {
        const actual = await compute(name, { a: [dataType, a], b: [dataType, b] }, {}, constants);
        assertEquals(actual, expected!.data, `${name} ${dataType} ${constants}`);
      }
    }
  }
});

Deno.test("a division by zero does not crash the process", async () => {
  for (const dataType of INTEGERS) {
    const dividends = corners(dataType);
    const divisors = dividends.map(() => 0);
    for (const constants of [[], ["b"], ["a", "b"]]) {
      // The standard does not define the result; here it is the dividend.
      const operands = { a: [dataType, dividends], b: [dataType, divisors] } as const;
      assertEquals(await compute("div", operands, {}, constants), dividends, `${dataType} ${constants}`);
    }
  }
  assertEquals(await compute("div", { a: ["float32", [1, -1, 0]], b: ["float32", [0, 0, 0]] }), [
    Infinity,
    -Infinity,
    NaN,
  ]);
});

Deno.test("powers of integers wrap, and truncate if the exponent is negative", async () => {
  for (const dataType of INTEGERS) {
    const bases = corners(dataType).filter((value) => Number(value) !== 0);
    const exponents = isUnsigned(dataType) ? [0, 1, 2, 3, 63, 64, 127] : [-127, -2, -1, 0, 1, 2, 3, 63, 64, 127];
    const [a, b] = pairs(bases, exponents);
    const shape = [a.length];
    const [expected] = evaluate("pow", { a: tensor(dataType, shape, a), b: tensor(dataType, shape, b) });
    assertEquals(await compute("pow", { a: [dataType, a], b: [dataType, b] }), expected!.data, dataType);
  }
  assertEquals(await compute("pow", { a: ["int32", [0, 0, 1, -1]], b: ["int32", [-1, 0, 2 ** 30, 2 ** 30 + 1]] }), [
    0,
    1,
    1,
    -1,
  ]);
  assertEquals(await compute("pow", { a: ["uint8", [3, 5, 2, 7]], b: ["uint8", [255, 200, 255, 128]] }), [
    171,
    225,
    0,
    1,
  ]);
  assertEquals(await compute("pow", { a: ["uint64", [1, 2]], b: ["uint64", [2n ** 64n - 1n, 2n ** 63n]] }), [1n, 0n]);
});

Deno.test("clamp is exact for 64-bit integers and bounds, and clamps 8-bit integers", async () => {
  const large = 2n ** 62n + 1n;
  const int64 = ["int64", [large - 1n, large, large + 1n, -large]] as const;
  assertEquals(await compute("clamp", { input: int64 }, { minValue: -large + 1n, maxValue: large }), [
    large - 1n,
    large,
    large,
    -large + 1n,
  ]);
  const most = 2n ** 64n - 1n;
  const uint64 = ["uint64", [0n, most, most - 1n]] as const;
  assertEquals(await compute("clamp", { input: uint64 }, { minValue: 2n ** 63n + 1n, maxValue: most - 1n }), [
    2n ** 63n + 1n,
    most - 1n,
    most - 1n,
  ]);
  assertEquals(await compute("clamp", { input: ["int8", [-128, 5, 127]] }, { minValue: -1000, maxValue: 3.9 }), [
    -128,
    3,
    3,
  ]);
  assertEquals(await compute("clamp", { input: ["uint8", [0, 5, 255]] }, { minValue: -1, maxValue: Infinity }), [
    0,
    5,
    255,
  ]);
});

for (const dataType of FLOATS) {
  const special: Element[] = [NaN, Infinity, -Infinity, 0, -0, 2];
  const compare = async (name: OperatorName, expected: readonly Element[], attributes = {}) =>
    assertEquals(await compute(name, { input: [dataType, special] }, attributes), expected, name);

  Deno.test(`${dataType} operators handle NaN, infinities and -0`, async () => {
    await compare("relu", [NaN, Infinity, 0, 0, 0, 2].map((value, i) => i === 4 ? -0 : value));
    await compare("abs", [NaN, Infinity, Infinity, 0, 0, 2]);
    await compare("neg", [NaN, -Infinity, Infinity, -0, 0, -2]);
    await compare("sign", [0, 1, -1, 0, 0, 1]);
    await compare("identity", special);
    await compare("clamp", special);
    await compare("clamp", [NaN, Infinity, 1, 1, 1, 2], { minValue: 1 });
    await compare("clamp", [NaN, 1, -Infinity, 0, -0, 1], { maxValue: 1 });
    await compare("clamp", special, { minValue: NaN, maxValue: NaN });
    await compare("roundEven", special);
  });

  Deno.test(`min and max of ${dataType} return NaN if an operand is NaN`, async () => {
    const [a, b] = pairs(special, special);
    for (const name of ["max", "min"] as const) {
      const expected = a.map((x, i) =>
        name === "max" ? Math.max(Number(x), Number(b[i])) : Math.min(Number(x), Number(b[i]))
      );
      const actual = await compute(name, { a: [dataType, a], b: [dataType, b] });
      // The sign of a zero is not defined.
      assertEquals(actual.map((value) => value === 0 ? 0 : value), expected.map((value) => value === 0 ? 0 : value));
    }
  });

  Deno.test(`comparisons and predicates of ${dataType} handle NaN`, async () => {
    const [a, b] = pairs(special, special);
    const relations = {
      equal: (x: Element, y: Element) => x === y,
      notEqual: (x: Element, y: Element) => x !== y,
      greater: (x: Element, y: Element) => x > y,
      greaterOrEqual: (x: Element, y: Element) => x >= y,
      lesser: (x: Element, y: Element) => x < y,
      lesserOrEqual: (x: Element, y: Element) => x <= y,
    };
    for (const [name, holds] of Object.entries(relations) as [keyof typeof relations, (typeof relations)["equal"]][]) {
      const actual = await compute(name, { a: [dataType, a], b: [dataType, b] });
      assertEquals(actual, a.map((x, i) => holds(x, b[i]!) ? 1 : 0), name);
    }
    assertEquals(await compute("isNaN", { a: [dataType, special] }), [1, 0, 0, 0, 0, 0]);
    assertEquals(await compute("isInfinite", { a: [dataType, special] }), [0, 1, 1, 0, 0, 0]);
  });
}

Deno.test("functions do not overflow for large values, and are accurate for small ones", async () => {
  const close = async (name: OperatorName, input: number[], expected: number[]) => {
    const actual = await compute(name, { input: ["float32", input] });
    const error = Math.max(...expected.map((value, i) => Math.abs(Number(actual[i]) / value - 1)));
    assertEquals(error < 2e-6, true, `${name}: ${actual}, not ${expected}`);
  };
  await close("softplus", [1000, 100, -20, -80], [1000, 100, 2.0611536e-9, 1.8048514e-35]);
  await close("tanh", [1e-5, 1000], [1e-5, 1]);
  await close("erf", [1e-5, 10], [1.1283792e-5, 1]);
  await close("gelu", [10, 1e-5], [10, 5.0000399e-6]);
  await close("elu", [-80, 100], [-1, 100]);
  await close("sigmoid", [1000, 0], [1, 0.5]);
  await close("softsign", [3e38, -3e38], [1, -1]);
});

Deno.test("cumulative sums of unsigned integers wrap", async () => {
  const most = 2n ** 64n - 1n;
  assertEquals(await compute("cumulativeSum", { input: ["uint64", [most, 3n, most]] }, { axis: 0 }), [most, 2n, 1n]);
  const uint32 = ["uint32", [2 ** 32 - 1, 3, 2 ** 31]] as const;
  assertEquals(await compute("cumulativeSum", { input: uint32 }, { axis: 0 }), [2 ** 32 - 1, 2, 2 ** 31 + 2]);
});
