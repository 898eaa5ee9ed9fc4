/** Validation of reductions, and their results for values that engines often get wrong. */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { MLOperandDataType } from "../../mod.ts";
import { DATA_TYPES } from "../../src/data_type.ts";
import type { reductions } from "../../src/ops/reduction.ts";
import { type Element, evaluate, tensor } from "../reference/mod.ts";
import { sharedContext } from "../support/builder.ts";
import { runOperator } from "../support/run_operator.ts";
import { testValidation } from "../support/validation.ts";

type Name = keyof typeof reductions;

const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];
const WIDE: readonly MLOperandDataType[] = ["float32", "float16", "int32", "uint32", "int64", "uint64"];

const TYPES: Readonly<Record<Name, readonly MLOperandDataType[]>> = {
  reduceL1: WIDE,
  reduceL2: FLOATS,
  reduceLogSum: FLOATS,
  reduceLogSumExp: FLOATS,
  reduceMax: DATA_TYPES,
  reduceMean: FLOATS,
  reduceMin: DATA_TYPES,
  reduceProduct: WIDE,
  reduceSum: WIDE,
  reduceSumSquare: WIDE,
};

for (const [name, types] of Object.entries(TYPES) as [Name, readonly MLOperandDataType[]][]) {
  const shapes = { input: [2, 3, 4] };
  testValidation(name, {
    types: { input: types },
    valid: [
      { shapes, outputs: [[]] },
      { shapes, attributes: { keepDimensions: true }, outputs: [[1, 1, 1]] },
      { shapes, attributes: { axes: [] }, outputs: [[2, 3, 4]] },
      { shapes, attributes: { axes: [2, 0] }, outputs: [[3]] },
      { shapes, attributes: { axes: [1], keepDimensions: true }, outputs: [[2, 1, 4]] },
      { shapes: { input: [] }, outputs: [[]] },
      { shapes: { input: [] }, attributes: { axes: [], keepDimensions: true }, outputs: [[]] },
    ],
    invalid: [
      { shapes, attributes: { axes: [3] }, message: "axes must be less than the rank 3, not 3" },
      { shapes, attributes: { axes: [0, 1, 0] }, message: "axes must be unique, not [0, 1, 0]" },
      { shapes: { input: [] }, attributes: { axes: [0] }, message: "axes must be less than the rank 0, not 0" },
    ],
    unconvertible: [
      { shapes, attributes: { axes: [-1] }, message: "axes[0]" },
      { shapes, attributes: { axes: 1 }, message: "axes" },
    ],
  });
}

/** Reduces a list. */
async function reduce(name: Name, dataType: MLOperandDataType, data: readonly Element[], axes?: number[]) {
  const input = tensor(dataType, [data.length], data);
  const attributes = axes === undefined ? {} : { axes };
  const [output] = await runOperator(await sharedContext(), name, { input }, attributes);
  return output!.data;
}

Deno.test("reduceLogSumExp does not overflow", async () => {
  for (
    const [values, expected] of [[[1000, 1000], 1000.6931], [[-1000, -1000], -999.3069], [
      [88, 89, 90],
      90.4076,
    ]] as const
  ) {
    const [value] = await reduce("reduceLogSumExp", "float32", values);
    assertAlmostEquals(Number(value), expected, 1e-3);
  }
  assertEquals(await reduce("reduceLogSumExp", "float16", [60000, 60000]), [60000]);
});

Deno.test("sums and products of integers wrap, and are exact", async () => {
  const most = 2n ** 63n - 1n;
  const odd = 2n ** 53n + 1n;
  assertEquals(await reduce("reduceSum", "int64", [most, 1n, 5n]), [-(2n ** 63n) + 5n]);
  assertEquals(await reduce("reduceSum", "int64", [odd, 2n]), [odd + 2n]);
  assertEquals(await reduce("reduceL1", "int64", [-odd, 2n]), [odd + 2n]);
  assertEquals(await reduce("reduceProduct", "uint64", [2n ** 32n + 1n, 2n ** 32n + 1n, 3n]), [3n + 3n * 2n ** 33n]);
  assertEquals(await reduce("reduceSumSquare", "int64", [3037000499n, 1n]), [3037000499n ** 2n + 1n]);
  assertEquals(await reduce("reduceSum", "int32", [2 ** 31 - 1, 1, 5]), [-(2 ** 31) + 5]);
  assertEquals(await reduce("reduceSum", "uint32", [2 ** 32 - 1, 3]), [2]);
  assertEquals(await reduce("reduceSumSquare", "uint32", [2 ** 16 + 1]), [2 ** 17 + 1]);
});

Deno.test("maximum and minimum are right for 64-bit and unsigned integers", async () => {
  const large = 2n ** 63n;
  const unsigned = [5n, large + 2n ** 31n, large + 1n, 2n ** 33n + 1n, 7n, 6n, 8n, 9n, 10n];
  assertEquals(await reduce("reduceMax", "uint64", unsigned), [large + 2n ** 31n]);
  assertEquals(await reduce("reduceMin", "uint64", unsigned), [5n]);
  const signed = [-5n, 2n ** 32n + 1n, 2n ** 31n + 5n, -(2n ** 40n), -1n, 4n, 3n, 2n];
  assertEquals(await reduce("reduceMax", "int64", signed), [2n ** 32n + 1n]);
  assertEquals(await reduce("reduceMin", "int64", signed), [-(2n ** 40n)]);
  assertEquals(await reduce("reduceMax", "uint32", [1, 2 ** 31 + 3, 2 ** 31, 5]), [2 ** 31 + 3]);
  assertEquals(await reduce("reduceMin", "int8", [1, -128, 127]), [-128]);
  assertEquals(await reduce("reduceMax", "uint8", [1, 200, 127]), [200]);
});

Deno.test("a reduction without axes applies its function to each element", async () => {
  assertEquals(await reduce("reduceL1", "int32", [-3, 2], []), [3, 2]);
  assertEquals(await reduce("reduceL2", "float32", [-3, 2], []), [3, 2]);
  assertEquals(await reduce("reduceSumSquare", "int64", [-3n, 2n], []), [9n, 4n]);
  assertEquals(await reduce("reduceSumSquare", "float16", [-3, 2], []), [9, 4]);
  assertEquals(await reduce("reduceLogSum", "float32", [1, 1], []), [0, 0]);
  assertEquals(await reduce("reduceSum", "int64", [-3n, 2n], []), [-3n, 2n]);
  assertEquals(await reduce("reduceMax", "uint64", [3n, 2n], []), [3n, 2n]);
});

Deno.test("large sums, means and maxima along axes after dimensions of 1", async () => {
  const context = await sharedContext();
  const input = tensor(
    "float32",
    [1, 1, 64, 8, 48],
    Array.from({ length: 64 * 8 * 48 }, (_, i) => (i * 7919) % 1009 - 500),
  );
  const cases = [["reduceSum", [2]], ["reduceMean", [0, 2]], ["reduceSum", [1, 2, 3]], ["reduceSum", [3]], [
    "reduceMax",
    [2, 3],
  ]] as const;
  for (const [name, axes] of cases) {
    for (const keepDimensions of [false, true]) {
      const attributes = { axes: [...axes], keepDimensions };
      const [output] = await runOperator(context, name, { input }, attributes);
      const [expected] = evaluate(name, { input }, attributes);
      assertEquals(output!.shape, expected!.shape);
      for (const [i, value] of expected!.data.entries()) {
        assertAlmostEquals(Number(output!.data[i]), Number(value), 2e-3);
      }
    }
  }
});

Deno.test("the maximum of many elements is NaN if one of them is", async () => {
  const data = Array.from({ length: 128 * 160 }, (_, i) => i === 300 * 40 + 3 ? NaN : -i);
  for (const axes of [[0], [1], [0, 1]]) {
    for (const name of ["reduceMax", "reduceMin"] as const) {
      const input = tensor("float32", [128, 160], data);
      const [output] = await runOperator(await sharedContext(), name, { input }, { axes });
      assertEquals(output!.data.filter((value) => Number.isNaN(value)).length, 1, `${name} ${axes}`);
    }
  }
});
