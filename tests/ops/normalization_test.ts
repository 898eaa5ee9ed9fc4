/** Validation and results of normalisations. */

import { assertEquals } from "@std/assert";
import type { MLOperandDataType } from "../../mod.ts";
import { tensor } from "../reference/mod.ts";
import { assertAgrees, valuesOf } from "../support/agreement.ts";
import { sharedContext } from "../support/builder.ts";
import { randomShape, testProperty } from "../support/property.ts";
import { operandValues, PLAIN, POSITIVE } from "../support/operand_values.ts";
import type { Random } from "../../support/random.ts";
import { runOperator } from "../support/run_operator.ts";
import { testValidation } from "../support/validation.ts";

const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];

const batch = { input: [2, 3, 4], mean: [3], variance: [3] };

testValidation("batchNormalization", {
  types: { input: FLOATS },
  valid: [
    { shapes: batch, outputs: [[2, 3, 4]] },
    { shapes: { ...batch, scale: [3], bias: [3] }, attributes: { epsilon: 1e-3 }, outputs: [[2, 3, 4]] },
    { shapes: { input: [2, 3, 4], mean: [4], variance: [4] }, attributes: { axis: 2 }, outputs: [[2, 3, 4]] },
    { shapes: { input: [3], mean: [3], variance: [3] }, attributes: { axis: 0 }, outputs: [[3]] },
  ],
  invalid: [
    {
      shapes: { input: [], mean: [1], variance: [1] },
      attributes: { axis: 0 },
      message: "input must have rank 1 to 8",
    },
    { shapes: { input: [3], mean: [3], variance: [3] }, message: "axis must be less than the rank 1, not 1" },
    { shapes: batch, attributes: { axis: 3 }, message: "axis must be less than the rank 3, not 3" },
    { shapes: { ...batch, mean: [4] }, message: "mean must have the shape [3], not [4]" },
    { shapes: { ...batch, variance: [2] }, message: "variance must have the shape [3], not [2]" },
    { shapes: { ...batch, scale: [1] }, message: "scale must have the shape [3], not [1]" },
    { shapes: { ...batch, bias: [5] }, message: "bias must have the shape [3], not [5]" },
    { shapes: { ...batch, mean: [1, 3] }, message: "mean must have rank 1, not 2" },
    { shapes: { ...batch, variance: [3, 1] }, message: "variance must have rank 1, not 2" },
    { shapes: { ...batch, scale: [] }, message: "scale must have rank 1, not 0" },
    { shapes: { ...batch, bias: [] }, message: "bias must have rank 1, not 0" },
    ...["mean", "variance", "scale", "bias"].map((operand) => ({
      shapes: { ...batch, scale: [3], bias: [3] },
      types: { [operand]: "float16" } as const,
      message: `${operand} must be float32 like input, not float16`,
    })),
  ],
  unconvertible: [
    { shapes: batch, attributes: { axis: -1 }, message: "axis" },
    { shapes: batch, attributes: { epsilon: NaN }, message: "epsilon" },
  ],
});

const image = { input: [2, 3, 4, 5] };

testValidation("instanceNormalization", {
  types: { input: FLOATS },
  valid: [
    { shapes: image, outputs: [[2, 3, 4, 5]] },
    { shapes: { ...image, scale: [3], bias: [3] }, attributes: { epsilon: 0 }, outputs: [[2, 3, 4, 5]] },
    { shapes: { ...image, scale: [5], bias: [5] }, attributes: { layout: "nhwc" }, outputs: [[2, 3, 4, 5]] },
  ],
  invalid: [
    { shapes: { input: [2, 3, 4] }, message: "input must have rank 4, not 3" },
    { shapes: { input: [1, 2, 3, 4, 5] }, message: "input must have rank 4, not 5" },
    { shapes: { ...image, scale: [4] }, message: "scale must have the shape [3], not [4]" },
    { shapes: { ...image, bias: [3] }, attributes: { layout: "nhwc" }, message: "bias must have the shape [5]" },
    { shapes: { ...image, scale: [1, 3] }, message: "scale must have rank 1, not 2" },
    { shapes: { ...image, bias: [] }, message: "bias must have rank 1, not 0" },
    ...["scale", "bias"].map((operand) => ({
      shapes: { ...image, scale: [3], bias: [3] },
      types: { [operand]: "float16" } as const,
      message: `${operand} must be float32 like input, not float16`,
    })),
  ],
  unconvertible: [
    { shapes: image, attributes: { layout: "nwhc" }, message: "layout" },
    { shapes: image, attributes: { epsilon: Infinity }, message: "epsilon" },
  ],
});

const layer = { input: [2, 3, 4] };

testValidation("layerNormalization", {
  types: { input: FLOATS },
  valid: [
    { shapes: layer, outputs: [[2, 3, 4]] },
    { shapes: { ...layer, scale: [3, 4], bias: [3, 4] }, outputs: [[2, 3, 4]] },
    { shapes: { ...layer, scale: [4, 2], bias: [4, 2] }, attributes: { axes: [2, 0] }, outputs: [[2, 3, 4]] },
    { shapes: { ...layer, scale: [], bias: [] }, attributes: { axes: [] }, outputs: [[2, 3, 4]] },
    { shapes: { input: [], scale: [] }, outputs: [[]] },
    { shapes: { input: [7], bias: [] }, outputs: [[7]] },
  ],
  invalid: [
    { shapes: layer, attributes: { axes: [1, 1] }, message: "axes must be unique, not [1, 1]" },
    { shapes: layer, attributes: { axes: [3] }, message: "axes must be less than the rank 3, not 3" },
    { shapes: { input: [] }, attributes: { axes: [0] }, message: "axes must be less than the rank 0, not 0" },
    { shapes: { ...layer, scale: [4] }, message: "scale must have the shape [3, 4], not [4]" },
    { shapes: { ...layer, bias: [3, 1] }, message: "bias must have the shape [3, 4], not [3, 1]" },
    { shapes: { ...layer, scale: [2, 4] }, attributes: { axes: [2, 0] }, message: "scale must have the shape [4, 2]" },
    ...["scale", "bias"].map((operand) => ({
      shapes: { ...layer, scale: [3, 4], bias: [3, 4] },
      types: { [operand]: "float16" } as const,
      message: `${operand} must be float32 like input, not float16`,
    })),
  ],
  unconvertible: [
    { shapes: layer, attributes: { axes: [-1] }, message: "axes[0]" },
    { shapes: layer, attributes: { epsilon: "small" }, message: "epsilon" },
  ],
});

/** A random number of axes in random order. */
function someAxes(next: Random, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => ({ axis, key: next() }));
  return axes.sort((a, b) => a.key - b.key).map(({ axis }) => axis).slice(0, next.integer(0, rank));
}

testProperty("layerNormalization", (next, dataType, rank) => {
  if (!dataType.startsWith("float")) return undefined;
  const shape = randomShape(next, rank);
  const axes = someAxes(next, rank);
  const values = (shape: readonly number[]) => operandValues(dataType, shape, PLAIN, next.integer(0, 1e6));
  const parameter = axes.map((axis) => shape[axis]!);
  const optional = next() < 0.5 ? { scale: values(parameter) } : {};
  return {
    operands: { input: values(shape), ...optional, ...(next() < 0.5 ? { bias: values(parameter) } : {}) },
    attributes: { axes, epsilon: 1e-3 },
  };
});

testProperty("batchNormalization", (next, dataType, rank) => {
  if (!dataType.startsWith("float") || rank === 0) return undefined;
  const shape = randomShape(next, rank);
  const axis = next.integer(0, rank - 1);
  const size = [shape[axis]!];
  const values = (shape: readonly number[]) => operandValues(dataType, shape, PLAIN, next.integer(0, 1e6));
  const variance = operandValues(dataType, size, POSITIVE, next.integer(0, 1e6));
  const operands = { input: values(shape), mean: values(size), variance };
  const optional = next() < 0.5 ? { scale: values(size), bias: values(size) } : {};
  return { operands: { ...operands, ...optional }, attributes: { axis } };
});

Deno.test("layerNormalization without axes returns the bias, and NaN for NaN and infinities", async () => {
  const input = tensor("float32", [4], [1e20, -3, Infinity, NaN]);
  const bias = tensor("float32", [], [0.5]);
  const [output] = await runOperator(await sharedContext(), "layerNormalization", { input, bias }, { axes: [] });
  assertEquals(output!.data, [0.5, 0.5, NaN, NaN]);
});

Deno.test("batchNormalization subtracts the mean before it multiplies", async () => {
  const operands = {
    input: tensor("float32", [1, 1, 2], [1000.001, 999.999]),
    mean: tensor("float32", [1], [1000]),
    variance: tensor("float32", [1], [1e-6]),
    scale: tensor("float32", [1], [3]),
  };
  const [output] = await runOperator(await sharedContext(), "batchNormalization", operands, { epsilon: 0 });
  const exact = (i: number) => 3 * (Number(operands.input.data[i]) - 1000) / Math.sqrt(Math.fround(1e-6));
  output!.data.forEach((value, i) => assertEquals(Math.abs(Number(value) / exact(i) - 1) < 4e-7, true));
});

Deno.test("normalisations of constants agree with the reference", async () => {
  for (const layout of ["nchw", "nhwc"]) {
    const operands = valuesOf("float32", { input: [2, 3, 4, 3], scale: [3], bias: [3] });
    await assertAgrees("instanceNormalization", operands, { layout }, ["scale", "bias"]);
    await assertAgrees("instanceNormalization", operands, { layout }, ["input", "scale", "bias"]);
  }
});
