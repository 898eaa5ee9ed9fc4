/** Validation of gather, scatter, argMin and argMax operators, and their results for all kinds of indices. */

import { assertEquals } from "@std/assert";
import type { MLOperandDataType } from "../../mod.ts";
import { DATA_TYPES, integerRange, isUnsigned } from "../../src/data_type.ts";
import { type Element, type RefTensor, sizeOf, tensor } from "../reference/mod.ts";
import { sharedContext } from "../support/builder.ts";
import { operandValues, WILD } from "../support/operand_values.ts";
import { randomShape, testProperty } from "../support/property.ts";
import type { Random } from "../../support/random.ts";
import { runOperator } from "../support/run_operator.ts";
import { testValidation } from "../support/validation.ts";

const ANY = DATA_TYPES;
const INDICES = ["int32", "uint32", "int64"] as const;
/** A dimension that makes an output larger than the limit. */
const MANY = 2 ** 28;

for (const name of ["argMin", "argMax"] as const) {
  testValidation(name, {
    types: { input: ANY },
    valid: [
      { shapes: { input: [2, 3, 4] }, attributes: { axis: 1 }, outputs: [[2, 4]], outputType: "int32" },
      { shapes: { input: [3] }, attributes: { axis: 0 }, outputs: [[]], outputType: "int32" },
      {
        shapes: { input: [2, 3] },
        attributes: { axis: 1, keepDimensions: true, outputDataType: "int64" },
        outputs: [[2, 1]],
        outputType: "int64",
      },
      {
        shapes: { input: [2, 3] },
        attributes: { axis: 0, outputDataType: "int32" },
        outputs: [[3]],
        outputType: "int32",
      },
    ],
    invalid: [
      { shapes: { input: [] }, attributes: { axis: 0 }, message: "input must have rank 1 to 8, not 0" },
      { shapes: { input: [2, 3] }, attributes: { axis: 2 }, message: "axis must be less than the rank 2, not 2" },
      ...ANY.filter((type) => type !== "int32" && type !== "int64").map((outputDataType) => ({
        shapes: { input: [2] },
        attributes: { axis: 0, outputDataType },
        message: `outputDataType must be int32 or int64, not ${outputDataType}`,
      })),
    ],
    unconvertible: [
      { shapes: { input: [2] }, attributes: { axis: -1 }, message: "axis is" },
      { shapes: { input: [2] }, message: "axis is" },
      {
        shapes: { input: [2] },
        attributes: { axis: 0, outputDataType: "int16" },
        message: 'outputDataType is "int16"',
      },
    ],
  });
}

testValidation("gather", {
  types: { input: ANY, indices: INDICES },
  valid: [
    { shapes: { input: [2, 3, 4], indices: [5, 6] }, attributes: { axis: 1 }, outputs: [[2, 5, 6, 4]] },
    { shapes: { input: [2, 3], indices: [] }, outputs: [[3]] },
    // A scalar output, which is missing in the standard's table of limits.
    { shapes: { input: [3], indices: [] }, outputs: [[]] },
  ],
  invalid: [
    { shapes: { input: [], indices: [1] }, message: "input must have rank 1 to 8, not 0" },
    { shapes: { input: [2, 3], indices: [1] }, attributes: { axis: 2 }, message: "axis must be less than the rank 2" },
    { shapes: { input: [2, 2, 2, 2, 2], indices: [1, 1, 1, 1, 1] }, message: "the output would have rank 9" },
    { shapes: { input: [1, 4], indices: [MANY] }, message: "bytes; at most" },
  ],
});

testValidation("gatherElements", {
  types: { input: ANY, indices: INDICES },
  valid: [
    { shapes: { input: [2, 3], indices: [2, 7] }, attributes: { axis: 1 }, outputs: [[2, 7]] },
    { shapes: { input: [2, 3], indices: [1, 3] }, outputs: [[1, 3]] },
  ],
  invalid: [
    { shapes: { input: [], indices: [] }, message: "input must have rank 1 to 8, not 0" },
    { shapes: { input: [2, 3], indices: [2] }, message: "indices must have rank 2 like input, not 1" },
    {
      shapes: { input: [2, 3], indices: [2, 3] },
      attributes: { axis: 2 },
      message: "axis must be less than the rank 2",
    },
    { shapes: { input: [2, 3], indices: [2, 2] }, message: "indices must have the shape [2, 3], not [2, 2]" },
    {
      shapes: { input: [2, 3], indices: [3, 2] },
      attributes: { axis: 1 },
      message: "indices must have the shape [2, 2], not [3, 2]",
    },
  ],
});

testValidation("gatherND", {
  types: { input: ANY, indices: INDICES },
  valid: [
    { shapes: { input: [2, 3, 4], indices: [5, 6, 2] }, outputs: [[5, 6, 4]] },
    { shapes: { input: [2, 3], indices: [2] }, outputs: [[]] },
    { shapes: { input: [2, 3], indices: [1] }, outputs: [[3]] },
  ],
  invalid: [
    { shapes: { input: [], indices: [1, 1] }, message: "input must have rank 1 to 8, not 0" },
    { shapes: { input: [2, 3], indices: [] }, message: "indices must have rank 1 to 8, not 0" },
    {
      shapes: { input: [2, 3], indices: [4, 3] },
      message: "indices [4, 3] must end in a dimension of at most 2, the rank of the input",
    },
    { shapes: { input: [2, 2, 2, 2, 2, 2], indices: [1, 1, 1, 1, 1] }, message: "the output would have rank 9" },
    { shapes: { input: [2, 4], indices: [MANY, 1] }, message: "bytes; at most" },
  ],
});

testValidation("scatterElements", {
  types: { input: ANY, indices: INDICES },
  valid: [
    { shapes: { input: [2, 3], indices: [2, 7], updates: [2, 7] }, attributes: { axis: 1 }, outputs: [[2, 3]] },
    { shapes: { input: [2, 3], indices: [1, 3], updates: [1, 3] }, outputs: [[2, 3]] },
  ],
  invalid: [
    { shapes: { input: [], indices: [], updates: [] }, message: "input must have rank 1 to 8, not 0" },
    {
      shapes: { input: [2], indices: [2], updates: [2] },
      types: { updates: "float16" },
      message: "updates must be float32 like input, not float16",
    },
    {
      shapes: { input: [2, 3], indices: [1, 3], updates: [1, 3] },
      attributes: { axis: 2 },
      message: "axis must be less than the rank 2, not 2",
    },
    {
      shapes: { input: [2, 3], indices: [3], updates: [1, 3] },
      message: "indices must have rank 2 like input, not 1",
    },
    {
      shapes: { input: [2, 3], indices: [1, 3], updates: [3] },
      message: "updates must have rank 2 like input, not 1",
    },
    {
      shapes: { input: [2, 3], indices: [1, 2], updates: [1, 2] },
      message: "indices must have the shape [1, 3], not [1, 2]",
    },
    {
      shapes: { input: [2, 3], indices: [1, 3], updates: [2, 3] },
      message: "updates must have the shape [1, 3], not [2, 3]",
    },
  ],
});

testValidation("scatterND", {
  types: { input: ANY, indices: INDICES },
  valid: [
    { shapes: { input: [2, 3, 4], indices: [5, 2], updates: [5, 4] }, outputs: [[2, 3, 4]] },
    { shapes: { input: [2, 3], indices: [2], updates: [] }, outputs: [[2, 3]] },
  ],
  invalid: [
    { shapes: { input: [], indices: [1, 1], updates: [1] }, message: "input must have rank 1 to 8, not 0" },
    { shapes: { input: [2], indices: [], updates: [2] }, message: "indices must have rank 1 to 8, not 0" },
    {
      shapes: { input: [2], indices: [1, 1], updates: [1] },
      types: { updates: "int32" },
      message: "updates must be float32 like input, not int32",
    },
    { shapes: { input: [2], indices: [1, 2], updates: [1] }, message: "must end in a dimension of at most 1" },
    {
      shapes: { input: [2, 3], indices: [4, 1], updates: [4, 2] },
      message: "updates must have the shape [4, 3], not [4, 2]",
    },
  ],
});

/** A random index for a position: non-negative, negative, or out of range, if clamping gives that position. */
function indexOf(next: Random, position: number, size: number, dataType: MLOperandDataType): Element {
  const { min, max } = integerRange(dataType);
  const indices: Element[] = [position];
  if (!isUnsigned(dataType)) indices.push(position - size);
  if (position === 0 && !isUnsigned(dataType)) indices.push(-size - 1, min);
  if (position === size - 1) indices.push(size, max);
  return next.pick(indices);
}

/** Indices of a random type, one for each position. */
function indexTensor(
  next: Random,
  shape: readonly number[],
  positions: readonly (readonly [number, number])[],
): RefTensor {
  const dataType = next.pick(INDICES);
  return tensor(dataType, shape, positions.map(([position, size]) => indexOf(next, position, size, dataType)));
}

function wild(next: Random, dataType: MLOperandDataType, shape: readonly number[]): RefTensor {
  return operandValues(dataType, shape, WILD, next.integer(0, 2 ** 32 - 1));
}

/** `count` distinct integers below `size`, in random order. */
function distinct(next: Random, count: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => ({ i, key: next() })).sort((a, b) => a.key - b.key)
    .slice(0, count).map(({ i }) => i);
}

testProperty("gather", (next, dataType, rank) => {
  if (rank === 0) return undefined;
  const shape = randomShape(next, rank);
  const axis = next.integer(0, rank - 1);
  const size = shape[axis]!;
  const indicesShape = randomShape(next, next.integer(0, 2));
  const positions = Array.from({ length: sizeOf(indicesShape) }, () => [next.integer(0, size - 1), size] as const);
  const indices = indexTensor(next, indicesShape, positions);
  return { operands: { input: wild(next, dataType, shape), indices }, attributes: { axis } };
});

testProperty("gatherElements", (next, dataType, rank) => {
  if (rank === 0) return undefined;
  const shape = randomShape(next, rank);
  const axis = next.integer(0, rank - 1);
  const size = shape[axis]!;
  const indicesShape = shape.with(axis, next.integer(1, 7));
  const positions = Array.from({ length: sizeOf(indicesShape) }, () => [next.integer(0, size - 1), size] as const);
  const indices = indexTensor(next, indicesShape, positions);
  return { operands: { input: wild(next, dataType, shape), indices }, attributes: { axis } };
});

testProperty("gatherND", (next, dataType, rank) => {
  if (rank === 0) return undefined;
  const shape = randomShape(next, rank);
  const sizes = shape.slice(0, next.integer(1, rank));
  const indicesShape = [...randomShape(next, next.integer(0, 2)), sizes.length];
  const positions = Array.from({ length: sizeOf(indicesShape) }, (_, i) => {
    const size = sizes[i % sizes.length]!;
    return [next.integer(0, size - 1), size] as const;
  });
  return { operands: { input: wild(next, dataType, shape), indices: indexTensor(next, indicesShape, positions) } };
});

// No element is updated twice, because the standard does not define which update would win.
testProperty("scatterElements", (next, dataType, rank) => {
  if (rank === 0) return undefined;
  const shape = randomShape(next, rank);
  const axis = next.integer(0, rank - 1);
  const size = shape[axis]!;
  const targets = distinct(next, next.integer(1, size), size);
  const indicesShape = shape.with(axis, targets.length);
  const stride = sizeOf(shape.slice(axis + 1));
  const positions = Array.from(
    { length: sizeOf(indicesShape) },
    (_, i) => [targets[Math.floor(i / stride) % targets.length]!, size] as const,
  );
  const [input, updates] = [wild(next, dataType, shape), wild(next, dataType, indicesShape)];
  return { operands: { input, indices: indexTensor(next, indicesShape, positions), updates }, attributes: { axis } };
});

testProperty("scatterND", (next, dataType, rank) => {
  if (rank === 0) return undefined;
  const shape = randomShape(next, rank);
  const sizes = shape.slice(0, next.integer(1, rank));
  const targets = distinct(next, next.integer(1, sizeOf(sizes)), sizeOf(sizes));
  const positions = targets.flatMap((target) =>
    sizes.map((size, axis) => [Math.floor(target / sizeOf(sizes.slice(axis + 1))) % size, size] as const)
  );
  const indices = indexTensor(next, [targets.length, sizes.length], positions);
  const updates = wild(next, dataType, [targets.length, ...shape.slice(sizes.length)]);
  return { operands: { input: wild(next, dataType, shape), indices, updates } };
});

for (const name of ["argMin", "argMax"] as const) {
  testProperty(name, (next, dataType, rank) => {
    if (rank === 0) return undefined;
    const shape = randomShape(next, rank);
    // All elements differ, because the standard does not define which of equal elements wins.
    const elements = distinct(next, sizeOf(shape), sizeOf(shape)).map((i) =>
      distinctElement(dataType, i, sizeOf(shape))
    );
    return {
      operands: { input: tensor(dataType, shape, elements) },
      attributes: {
        axis: next.integer(0, rank - 1),
        keepDimensions: next() < 0.5,
        outputDataType: next.pick(["int32", "int64"]),
      },
    };
  });
}

/** The i-th of `count` distinct elements, at the limits and around the middle of an integer type's range. */
function distinctElement(dataType: MLOperandDataType, i: number, count: number): Element {
  if (dataType === "float32" || dataType === "float16") return i - count / 2;
  const { min, max } = integerRange(dataType);
  if (i === 0) return min;
  if (i === count - 1) return max;
  return (min + max) / 2n + BigInt(i - Math.floor(count / 2)) % 100n;
}

Deno.test("constant indices are clamped too", async () => {
  const context = await sharedContext();
  const input = tensor("float32", [3], [10, 20, 30]);
  for (const dataType of INDICES) {
    const elements = dataType === "uint32" ? [0, 2, 3, 2 ** 32 - 1] : [-4, -3, -1, 7];
    const expected = dataType === "uint32" ? [10, 30, 30, 30] : [10, 10, 30, 30];
    for (const name of ["gather", "gatherElements"] as const) {
      const indices = tensor(dataType, [4], elements);
      const [output] = await runOperator(context, name, { input, indices }, {}, ["indices"]);
      assertEquals(output!.data, expected, `${name} ${dataType}`);
    }
    const indices = tensor(dataType, [4, 1], elements);
    const [output] = await runOperator(context, "gatherND", { input, indices }, {}, ["indices"]);
    assertEquals(output!.data, expected, `gatherND ${dataType}`);
  }
});

Deno.test("argMin and argMax compare 64-bit integers exactly", async () => {
  const context = await sharedContext();
  const find = async (name: "argMin" | "argMax", dataType: "int64" | "uint64", elements: bigint[]) => {
    const input = tensor(dataType, [elements.length], elements);
    const [output] = await runOperator(context, name, { input }, { axis: 0 });
    return output!.data[0];
  };
  const near = [2n ** 62n, 2n ** 62n + 1n, 2n ** 62n - 1n];
  for (const dataType of ["int64", "uint64"] as const) {
    assertEquals(await find("argMax", dataType, near), 1, dataType);
    assertEquals(await find("argMin", dataType, near), 2, dataType);
  }
  const unsigned = [2n ** 63n, 2n ** 64n - 1n, 2n ** 63n - 1n, 0n, 5n];
  assertEquals(await find("argMax", "uint64", unsigned), 1);
  assertEquals(await find("argMin", "uint64", unsigned), 3);
});

Deno.test("argMin and argMax return the index of one of several equal elements", async () => {
  const context = await sharedContext();
  for (const dataType of ANY) {
    const input = tensor(dataType, [5], [1, 3, 1, 3, 2]);
    const [least] = await runOperator(context, "argMin", { input }, { axis: 0 });
    const [greatest] = await runOperator(context, "argMax", { input }, { axis: 0 });
    assertEquals([0, 2].includes(Number(least!.data[0])), true, dataType);
    assertEquals([1, 3].includes(Number(greatest!.data[0])), true, dataType);
  }
});
