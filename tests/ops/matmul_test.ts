/** Validation of matrix products and softmax. */

import type { MLOperandDataType } from "../../mod.ts";
import { testValidation } from "../support/validation.ts";

const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];

testValidation("matmul", {
  types: { a: FLOATS },
  valid: [
    { shapes: { a: [2, 3], b: [3, 4] }, outputs: [[2, 4]] },
    { shapes: { a: [5, 2, 3], b: [3, 4] }, outputs: [[5, 2, 4]] },
    { shapes: { a: [5, 1, 2, 3], b: [6, 3, 1] }, outputs: [[5, 6, 2, 1]] },
    { shapes: { a: [1, 1, 1, 1, 1, 1, 2, 3], b: [3, 4] }, outputs: [[1, 1, 1, 1, 1, 1, 2, 4]] },
  ],
  invalid: [
    { shapes: { a: [2, 3], b: [4, 3] }, message: "a has 3 columns and b 4 rows; they must be equal" },
    { shapes: { a: [3], b: [3, 4] }, message: "a must have rank 2 to 8, not 1" },
    { shapes: { a: [2, 3], b: [3] }, message: "b must have rank 2 to 8, not 1" },
    { shapes: { a: [2, 2, 3], b: [3, 3, 4] }, message: "the batch dimensions of a [2, 2, 3] and b [3, 3, 4] must" },
    {
      shapes: { a: [2, 3], b: [3, 4] },
      types: { b: "float16" },
      message: "b must be float32 like a, not float16",
    },
    { shapes: { a: [2 ** 16, 1], b: [1, 2 ** 16] }, message: "has more than 2147483647 elements" },
  ],
});

testValidation("gemm", {
  types: { a: FLOATS },
  valid: [
    { shapes: { a: [2, 3], b: [3, 4] }, outputs: [[2, 4]] },
    { shapes: { a: [3, 2], b: [4, 3] }, attributes: { aTranspose: true, bTranspose: true }, outputs: [[2, 4]] },
    ...[[], [4], [1], [1, 4], [2, 1], [1, 1], [2, 4]].map((c) => ({
      shapes: { a: [2, 3], b: [3, 4], c },
      attributes: { alpha: 2, beta: -1 },
      outputs: [[2, 4]],
    })),
  ],
  invalid: [
    { shapes: { a: [2, 3], b: [4, 3] }, message: "a has 3 columns and b 4 rows; they must be equal" },
    { shapes: { a: [2, 3], b: [3, 4] }, attributes: { aTranspose: true }, message: "a has 2 columns and b 3 rows" },
    { shapes: { a: [2, 3], b: [3, 4] }, attributes: { bTranspose: true }, message: "a has 3 columns and b 4 rows" },
    { shapes: { a: [1, 2, 3], b: [3, 4] }, message: "a must have rank 2, not 3" },
    { shapes: { a: [2, 3], b: [3] }, message: "b must have rank 2, not 1" },
    { shapes: { a: [2, 3], b: [3, 4], c: [2] }, message: "c must have a shape that broadcasts to [2, 4], not [2]" },
    { shapes: { a: [2, 3], b: [3, 4], c: [1, 2, 4] }, message: "c must have rank 0 to 2, not 3" },
    {
      shapes: { a: [2, 3], b: [3, 4], c: [4] },
      types: { c: "float16" },
      message: "c must be float32 like a, not float16",
    },
  ],
  unconvertible: ["alpha", "beta"].map((option) => ({
    shapes: { a: [2, 3], b: [3, 4] },
    attributes: { [option]: Infinity },
    message: option,
  })),
});

testValidation("softmax", {
  types: { input: FLOATS },
  valid: [
    { shapes: { input: [2, 3] }, attributes: { axis: 1 }, outputs: [[2, 3]] },
    { shapes: { input: [4] }, attributes: { axis: 0 }, outputs: [[4]] },
  ],
  invalid: [
    { shapes: { input: [2, 3] }, attributes: { axis: 2 }, message: "axis must be less than the rank 2, not 2" },
    { shapes: { input: [] }, attributes: { axis: 0 }, message: "input must have rank 1 to 8, not 0" },
  ],
  unconvertible: [-1, 2 ** 32, "x", NaN].map((axis) => ({
    shapes: { input: [2, 3] },
    attributes: { axis },
    message: "axis",
  })),
});
