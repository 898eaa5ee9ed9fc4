/**
 * Compares the reference with all of WPT's numeric cases, by WPT's rules. This tests the reference, the reader of the
 * cases and the comparison, without any engine.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decode, encode, evaluate, OPERATORS, type RefDataType, type RefTensor, tensor } from "./reference/mod.ts";
import { testData, testWithData } from "./support/test_data.ts";
import { type CaseTensor, loadCases, type WptCase } from "./wpt_cases/cases.ts";
import { compare, ulpDistance } from "./wpt_cases/compare.ts";
import { interpret } from "./wpt_cases/interpret.ts";
import { type CaseResult, summarize } from "./wpt_cases/report.ts";

/** WPT's cases whose expected values are wrong, with the reason and the failure that shows it. */
const WRONG_EXPECTATIONS: Readonly<Record<string, string>> = {
  // WPT computed this gelu with Abramowitz & Stegun 7.1.26, whose erf has an error of up to 1.5e-7. As 1 + erf(x/√2)
  // cancels, that is 35 ULP: gelu(-2.121315) is -0.0359513071, not -0.0359511799.
  "batchNormalization options.axis=0 + gelu": "35 ULP, 24 allowed",
};

/** The differences of the reference from a case. */
function failuresOf(wptCase: WptCase): string[] {
  return [...interpret(wptCase)].flatMap(([name, actual]) => {
    const expected = wptCase.expectedOutputs[name]!;
    assertEquals(actual.dataType, expected.dataType, `${wptCase.name}: ${name}`);
    if (!expected.fill) assertEquals(actual.shape, expected.shape, `${wptCase.name}: ${name}`);
    const { failure } = compare(actual.data, expected, wptCase.tolerance);
    return failure === undefined ? [] : [`${wptCase.name}: ${name}${failure}`];
  });
}

testWithData(["wpt/cases"], "the reference reproduces WPT's cases", async () => {
  const cases = await loadCases(testData("wpt/cases"));
  assertEquals(cases.length, 2482);
  const [sound, wrong] = [false, true].map((wrong) => cases.filter(({ name }) => name in WRONG_EXPECTATIONS === wrong));
  assertEquals(sound!.flatMap(failuresOf), []);
  assertEquals(wrong!.length, Object.keys(WRONG_EXPECTATIONS).length);
  for (const wptCase of wrong!) {
    assertStringIncludes(failuresOf(wptCase).join(), WRONG_EXPECTATIONS[wptCase.name]!);
  }
});

testWithData(["spec/op_limits.json"], "the reference has all operators of the standard, and no others", async () => {
  const limits = JSON.parse(await Deno.readTextFile(testData("spec/op_limits.json"))) as Record<string, unknown>;
  assertEquals(Object.keys(OPERATORS).sort(), Object.keys(limits).sort());
});

/** A fixed sequence of float32 in [-1, 1): a linear congruential generator. */
function randoms(count: number): number[] {
  let state = 20260629;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  });
}

/** A sum in single precision, in the given order. */
function singlePrecisionSum(values: readonly number[]): number {
  return values.reduce((total, value) => Math.fround(total + Math.fround(value)), 0);
}

/** The error of a single-precision result for the first element, before the final rounding, divided by its bound. */
function excess({ data, magnitudes, terms }: RefTensor, actual: number): number {
  const value = Number(data[0]);
  return (Math.abs(actual - value) - Math.abs(value) * 2 ** -24) / (terms! * 2 ** -24 * magnitudes![0]!);
}

Deno.test("error bounds hold for sums and products in single precision in any order, but not if a term is missing", () => {
  const [x, y] = [randoms(600).slice(0, 300), randoms(600).slice(300)];
  const [a, b] = [tensor("float32", [1, 300], x), tensor("float32", [300, 1], y)];
  const products = x.map((value, i) => Math.fround(value * y[i]!));
  const product = evaluate("matmul", { a, b })[0]!;
  for (const order of [products, products.toReversed(), products.toSorted((p, q) => p - q)]) {
    assert(excess(product, singlePrecisionSum(order)) <= 1);
  }
  assert(excess(product, singlePrecisionSum(products.slice(1))) > 1);
  assert(excess(evaluate("reduceSum", { input: a })[0]!, singlePrecisionSum(x.toSorted())) <= 1);
});

/** The first element of layerNormalization over all of `x`, every step in single precision. */
function singlePrecisionNormalization(x: readonly number[]): number {
  const mean = Math.fround(singlePrecisionSum(x) / x.length);
  const meanSquare = Math.fround(singlePrecisionSum(x.map((value) => value * value)) / x.length);
  const variance = Math.fround(meanSquare - Math.fround(mean * mean));
  return Math.fround((x[0]! - mean) / Math.fround(Math.sqrt(variance + 1e-5)));
}

Deno.test("error bounds hold for a variance computed in single precision as E[x²] - E[x]²", () => {
  for (const offset of [0, 3, 300]) {
    const x = randoms(64).map((value) => Math.fround(value + offset));
    const [output] = evaluate("layerNormalization", { input: tensor("float32", [64], x) }, { axes: [0] });
    const error = excess(output!, singlePrecisionNormalization(x));
    assert(error <= 1, `${offset}: ${error}`);
    if (offset < 300) assert(excess(output!, singlePrecisionNormalization(x) * 1.01) > 1);
  }
});

Deno.test("error bounds of a recurrent network include the propagated errors of earlier steps", () => {
  const operands = {
    weight: tensor("float32", [1, 8, 2], randoms(16)),
    recurrentWeight: tensor("float32", [1, 8, 2], randoms(16)),
  };
  const run = (scale: number) => {
    const input = tensor("float32", [4, 1, 2], randoms(8).map((x) => x * scale));
    return evaluate("lstm", { input, ...operands }, { steps: 4, hiddenSize: 2, returnSequence: true })[2]!;
  };
  const epsilon = 2 ** -12;
  const [exact, perturbed] = [run(1), run(1 + epsilon)];
  exact.data.forEach((value, i) => {
    const change = Math.abs(Number(perturbed.data[i]) - Number(value));
    assert(change > 0 && change <= exact.terms! * epsilon * exact.magnitudes![i]!, `${i}: ${change}`);
  });
  assert(exact.magnitudes![6]! > exact.magnitudes![0]!);
  assert(Math.max(...exact.magnitudes!) < 20, `${exact.magnitudes}`);
});

function expected(dataType: RefDataType, ...data: (number | bigint)[]): CaseTensor {
  return { dataType, shape: [data.length], constant: false, fill: false, data };
}

Deno.test("comparison: ULP distances are computed as in WPT", () => {
  assertEquals(ulpDistance(1, 1 + 2 ** -23, "float32"), 1);
  assertEquals(ulpDistance(2 ** -149, -(2 ** -149), "float32"), 2);
  assertEquals(ulpDistance(0, -0, "float32"), 0);
  assertEquals(ulpDistance(1, 1 + 2 ** -10, "float16"), 1);
  assertEquals(ulpDistance(0, -0, "float16"), 0);
  assertEquals(ulpDistance(2 ** -24, -(2 ** -24), "float16"), 2 ** 15);
  assertEquals(ulpDistance(65504, Infinity, "float16"), 1);
  assertEquals(ulpDistance(-128, 127, "int8"), 255);
  assertEquals(ulpDistance(2n ** 63n - 1n, 2n ** 63n - 3n, "int64"), 2);
  assertEquals(ulpDistance(NaN, NaN, "float32"), 0);
  assertEquals(ulpDistance(NaN, Infinity, "float32"), Infinity);
});

Deno.test("comparison: an element beyond the tolerance, a NaN and a wrong length fail", () => {
  const two = { metricType: "ULP", value: 2 } as const;
  assertEquals(compare([1, 5], expected("int32", 1, 7), two), { error: 2 });
  assertEquals(compare([1, 4], expected("int32", 1, 7), two), {
    error: 3,
    failure: "[1] is 4 instead of 7: 3 ULP, 2 allowed",
  });
  assertEquals(compare([1], expected("int32", 1, 7), two).error, Infinity);
  const absolute = { metricType: "ATOL", value: 0.5 } as const;
  assertEquals(compare([1.5, Infinity, NaN], expected("float32", 1, Infinity, NaN), absolute), { error: 0.5 });
  assertEquals(compare([NaN], expected("float32", 1), absolute).error, Infinity);
});

Deno.test("comparison: for filled tensors, the first 1000 elements are compared", () => {
  const fill = { ...expected("float32", 3), shape: [40, 50], fill: true };
  const exact = { metricType: "ULP", value: 0 } as const;
  assertEquals(compare(Array.from({ length: 1000 }, () => 3), fill, exact), { error: 0 });
  assertEquals(compare(Array.from({ length: 1000 }, (_, i) => i === 999 ? 4 : 3), fill, exact).error, 2 ** 22);
});

Deno.test("reference: integers wrap, floats round once", () => {
  const add = (dataType: RefDataType, a: number | bigint, b: number | bigint) =>
    evaluate("add", { a: tensor(dataType, [], [a]), b: tensor(dataType, [], [b]) })[0]!.data[0];
  assertEquals(add("int8", 127, 1), -128);
  assertEquals(add("uint32", 2 ** 32 - 1, 1), 0);
  assertEquals(add("int64", 2n ** 63n - 1n, 1n), -(2n ** 63n));
  assertEquals(add("float16", 2048, 1), 2048);
  const cast = (input: RefTensor, dataType: RefDataType) => evaluate("cast", { input }, { dataType })[0]!.data[0];
  // Without its last bit, which float64 would lose, it is halfway between two float32 numbers.
  assertEquals(cast(tensor("int64", [], [2n ** 62n + 2n ** 38n + 1n]), "float32"), 2 ** 62 + 2 ** 39);
  assertEquals(cast(tensor("int64", [], [2n ** 62n + 2n ** 38n]), "float32"), 2 ** 62);
  assertEquals(cast(tensor("float32", [], [NaN]), "int32"), 0);
  assertEquals(cast(tensor("float32", [], [-1e20]), "uint8"), 0);
});

Deno.test("reference: roundEven rounds ties to even, and keeps -0, infinities and NaN", () => {
  const input = tensor("float32", [8], [-0.5, 0.5, 1.5, 2.5, -2.5, -0, -Infinity, NaN]);
  assertEquals(evaluate("roundEven", { input })[0]!.data, [-0, 0, 2, 2, -2, -0, -Infinity, NaN]);
});

Deno.test("reference: integer division truncates, integer powers wrap", () => {
  const binary = (operator: string, a: number, b: number) =>
    evaluate(operator, { a: tensor("int32", [], [a]), b: tensor("int32", [], [b]) })[0]!.data[0];
  assertEquals([binary("div", -7, 2), binary("div", 7, -2), binary("div", -(2 ** 31), -1)], [-3, -3, -(2 ** 31)]);
  assertEquals([binary("pow", -3, 3), binary("pow", 2, -1), binary("pow", -1, -3), binary("pow", 2, 31)], [
    -27,
    0,
    -1,
    -(2 ** 31),
  ]);
});

Deno.test("reference: pow, min, max, clamp, relu and sign of NaN and infinities", () => {
  const one = (operator: string, x: number, attributes = {}) =>
    evaluate(operator, { input: tensor("float32", [], [x]) }, attributes)[0]!.data[0];
  const two = (operator: string, x: number, y: number) =>
    evaluate(operator, { a: tensor("float32", [], [x]), b: tensor("float32", [], [y]) })[0]!.data[0];
  assertEquals([two("pow", 1, NaN), two("pow", -1, Infinity), two("pow", NaN, 0), two("pow", 2, NaN)], [1, 1, 1, NaN]);
  assertEquals([two("max", NaN, 1), two("min", 1, NaN), two("max", -Infinity, 1)], [NaN, NaN, 1]);
  assertEquals([one("relu", NaN), one("sign", NaN), one("clamp", NaN, { minValue: 0 })], [NaN, 0, NaN]);
  assertEquals(one("clamp", 5, { minValue: NaN, maxValue: NaN }), 5);
  const integer = { input: tensor("int32", [], [5]) };
  assertEquals(evaluate("clamp", integer, { maxValue: NaN })[0]!.data, [5]);
});

Deno.test("reference: resample2d takes the lower of two equally close neighbours", () => {
  const input = tensor("float32", [1, 1, 1, 4], [1, 2, 3, 4]);
  assertEquals(evaluate("resample2d", { input }, { sizes: [1, 2] })[0]!.data, [1, 3]);
});

Deno.test("reference: the peephole of lstm's output gate reads the old cell state", () => {
  const zeros = (...shape: number[]) => tensor("float32", shape, randoms(shape[0]! * shape[1]!).map(() => 0));
  const operands = {
    input: zeros(1, 1),
    weight: zeros(4, 1),
    recurrentWeight: zeros(4, 1),
    hiddenState: zeros(1, 1),
    cellState: tensor("float32", [1, 1], [2]),
    peepholeWeight: tensor("float32", [3], [0, 1, 0]),
  };
  const [hidden, cell] = evaluate("lstmCell", operands, { activations: ["relu", "relu", "relu"] });
  // The gates i and f are 0, so the new cell state is 0.
  assertEquals([hidden!.data[0], cell!.data[0]], [0, 0]);
  const open = { ...operands, peepholeWeight: tensor("float32", [3], [0, 1, 1]) };
  const [openHidden, openCell] = evaluate("lstmCell", open, { activations: ["relu", "relu", "relu"] });
  // f = 2 and o = 2, so c' = 4 and h' = o·c' = 8. If o used the new cell state, h' would be 16.
  assertEquals([openHidden!.data[0], openCell!.data[0]], [8, 4]);
});

Deno.test("bytes: 4-bit elements are packed with the first in the low nibble", () => {
  assertEquals(encode("int4", [-1, 2, 3]), Uint8Array.of(0x2f, 0x03));
  assertEquals(decode("int4", 3, Uint8Array.of(0x2f, 0x03).buffer), [-1, 2, 3]);
  assertEquals(decode("uint4", 3, Uint8Array.of(0x2f, 0x03).buffer), [15, 2, 3]);
  assertEquals(decode("uint64", 1, BigUint64Array.of(2n ** 64n - 1n).buffer), [2n ** 64n - 1n]);
});

Deno.test("report: failures without a reason and exceptions without a failure are errors", () => {
  const result = (name: string, outcome: CaseResult["outcome"]): CaseResult => {
    return { operator: "add", name, required: true, tolerance: "1 ULP", outcome };
  };
  const results = [result("good", "passed"), result("known", "failed"), result("bad", "not supported")];
  const summary = summarize(results, { known: "a reason", good: "a reason", gone: "a reason" }, true);
  assertEquals([summary.passed, summary.failed, summary.unsupported], [1, 1, 1]);
  assertEquals(summary.unexpected.map(({ name }) => name), ["bad"]);
  assertEquals(summary.stale, ["good", "gone"]);
  assertEquals(summarize(results, { gone: "a reason" }, false).stale, []);
});
