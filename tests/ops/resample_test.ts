/** Validation and results of resample2d. */

import { assertEquals } from "@std/assert";
import { MLGraphBuilder, type MLOperand, type MLOperandDataType } from "../../mod.ts";
import { tensor } from "../reference/mod.ts";
import { assertAgrees, valuesOf } from "../support/agreement.ts";
import { sharedContext } from "../support/builder.ts";
import { random } from "../../support/random.ts";
import { SEED } from "../support/property.ts";
import { runGraph, runOperator } from "../support/run_operator.ts";
import { testValidation } from "../support/validation.ts";

const TYPES: readonly MLOperandDataType[] = ["float32", "float16", "uint8", "int8"];
const shapes = { input: [1, 2, 3, 4] };

testValidation("resample2d", {
  types: { input: TYPES },
  valid: [
    { shapes, outputs: [[1, 2, 3, 4]] },
    { shapes, attributes: { scales: [2, 2] }, outputs: [[1, 2, 6, 8]] },
    { shapes, attributes: { scales: [0.5, 0.4] }, outputs: [[1, 2, 1, 1]] },
    { shapes, attributes: { sizes: [5, 7], scales: [2, 2] }, outputs: [[1, 2, 5, 7]] },
    { shapes, attributes: { sizes: [5, 7], axes: [3, 0] }, outputs: [[7, 2, 3, 5]] },
    { shapes, attributes: { sizes: [5, 7], mode: "linear", axes: [1, 2] }, outputs: [[1, 5, 7, 4]] },
  ],
  invalid: [
    { shapes: { input: [2, 3, 4] }, message: "input must have rank 4, not 3" },
    { shapes, attributes: { scales: [1] }, message: "scales must have 2 items, not 1" },
    { shapes, attributes: { scales: [1, 0] }, message: "scales must be greater than 0, not [1, 0]" },
    { shapes, attributes: { scales: [-1, 1] }, message: "scales must be greater than 0, not [-1, 1]" },
    { shapes, attributes: { scales: [0.2, 1] }, message: "shape [1, 2, 0, 4] has a dimension" },
    { shapes, attributes: { scales: [2 ** 31, 1] }, message: "has a dimension that is not between" },
    { shapes, attributes: { sizes: [1, 2, 3] }, message: "sizes must have 2 items, not 3" },
    { shapes, attributes: { sizes: [0, 2] }, message: "sizes must be greater than 0, not [0, 2]" },
    { shapes, attributes: { sizes: [2 ** 16, 2 ** 16] }, message: "elements" },
    { shapes, attributes: { axes: [2] }, message: "axes must have 2 items, not 1" },
    { shapes, attributes: { axes: [2, 2] }, message: "axes must be unique, not [2, 2]" },
    { shapes, attributes: { axes: [3, 4] }, message: "axes must be less than the rank 4, not 4" },
  ],
  unconvertible: [
    { shapes, attributes: { mode: "cubic" }, message: "mode" },
    { shapes, attributes: { scales: [NaN, 1] }, message: "scales[0]" },
    { shapes, attributes: { sizes: [-1, 1] }, message: "sizes[0]" },
    { shapes, attributes: { sizes: [2 ** 32, 1] }, message: "sizes[0]" },
  ],
});

const MODES = ["nearest-neighbor", "linear"];

Deno.test("resample2d agrees with the reference along all pairs of axes", async () => {
  for (const dataType of TYPES) {
    const operands = valuesOf(dataType, { input: [2, 3, 4, 5] });
    for (const mode of MODES) {
      for (const axes of [[0, 1], [1, 2], [2, 3], [3, 2], [0, 3], [2, 0], [3, 1]]) {
        await assertAgrees("resample2d", operands, { mode, axes, sizes: [7, 2] });
      }
    }
  }
});

Deno.test(`resample2d finds the nearest elements for all sizes, seed ${SEED}`, async () => {
  const next = random(SEED);
  const context = await sharedContext();
  for (let i = 0; i < 60; i++) {
    const [height, width] = [next.integer(1, 40), next.integer(1, 40)];
    const elements = Array.from({ length: height * width }, (_, i) => i);
    const operands = { input: tensor("float32", [1, 1, height, width], elements) };
    await assertAgrees("resample2d", operands, { sizes: [next.integer(1, 60), next.integer(1, 60)] });
  }
  // The centre of the third output lies on the border of two inputs; the lower one is used.
  const input = tensor("float32", [1, 1, 1, 6], [0, 1, 2, 3, 4, 5]);
  const [output] = await runOperator(context, "resample2d", { input }, { sizes: [1, 5] });
  assertEquals(output!.data, [0, 1, 2, 4, 5]);
});

Deno.test("resample2d computes its scale from the rounded sizes", async () => {
  const operands = valuesOf("float32", { input: [1, 1, 5, 7] });
  for (const mode of MODES) await assertAgrees("resample2d", operands, { mode, scales: [1.5, 0.6] });
});

const LAYOUTS = {
  nchw: { shape: [1, 8, 3, 5], axes: [2, 3], filterShape: [8, 8, 1, 1], filterLayout: "oihw" },
  nhwc: { shape: [1, 3, 5, 8], axes: [1, 2], filterShape: [8, 1, 1, 8], filterLayout: "ohwi" },
} as const;

for (const [name, { shape, axes, filterShape, filterLayout }] of Object.entries(LAYOUTS)) {
  Deno.test(`between convolutions, resample2d with integer factors repeats elements, ${name}`, async () => {
    const context = await sharedContext();
    for (const scales of [[2, 2], [3, 3], [4, 1], [7, 5]]) {
      const b = new MLGraphBuilder(context);
      const weights = Float32Array.from({ length: 64 }, (_, i) => (i % 11) / 8 - 0.5);
      const filter = b.constant({ dataType: "float32", shape: [...filterShape] }, weights);
      const inputLayout = name as MLInputOperandLayout;
      const convolve = (x: MLOperand) => b.conv2d(x, filter, { inputLayout, filterLayout });
      const image = convolve(b.input("x", { dataType: "float32", shape: [...shape] }));
      const wide = b.resample2d(image, { scales, axes: [...axes] });
      const x = tensor("float32", [...shape], Array.from({ length: 120 }, (_, i) => (i * 7) % 13));
      const [before, after] = await runGraph(context, b, { x }, [image, wide, convolve(wide)]);
      const factors = shape.map((_, axis) => scales[(axes as readonly number[]).indexOf(axis)] ?? 1);
      assertEquals(after!.data, positionsOf(after!.shape).map((at) => before!.data[indexIn(shape, factors, at)]!));
    }
  });
}

/** All positions in a shape, in row-major order. */
function positionsOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (positions, size) => positions.flatMap((at) => Array.from({ length: size }, (_, i) => [...at, i])),
    [[]],
  );
}

/** The index of the input element for a position in the output. */
function indexIn(shape: readonly number[], factors: readonly number[], position: readonly number[]): number {
  return position.reduce((index, at, axis) => index * shape[axis]! + Math.floor(at / factors[axis]!), 0);
}
