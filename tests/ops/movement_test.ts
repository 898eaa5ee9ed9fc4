/** Validation of operators that only move elements. */

import { assertEquals, assertThrows } from "@std/assert";
import { DATA_TYPES } from "../../src/data_type.ts";
import { newBuilder } from "../support/builder.ts";
import { testValidation } from "../support/validation.ts";

const ANY = DATA_TYPES;
/** A dimension that makes an output larger than the limit. */
const HUGE = 2 ** 30;

testValidation("concat", {
  types: { inputs: ANY },
  valid: [
    { shapes: { inputs: [[2, 3], [4, 3]] }, attributes: { axis: 0 }, outputs: [[6, 3]] },
    { shapes: { inputs: [[5]] }, attributes: { axis: 0 }, outputs: [[5]] },
    { shapes: { inputs: [[1, 2], [1, 1], [1, 4]] }, attributes: { axis: 1 }, outputs: [[1, 7]] },
  ],
  invalid: [
    { shapes: { inputs: [[2, 3], [4, 3]] }, attributes: { axis: 2 }, message: "axis must be less than the rank 2" },
    { shapes: { inputs: [[2, 3], [2, 4]] }, attributes: { axis: 0 }, message: "inputs[1] [2, 4] must equal" },
    { shapes: { inputs: [[2, 3], [3]] }, attributes: { axis: 0 }, message: "inputs[1] must have rank 2" },
    { shapes: { inputs: [[HUGE], [HUGE]] }, types: { inputs: "int8" }, attributes: { axis: 0 }, message: "at most" },
  ],
  unconvertible: [
    { shapes: { inputs: [[2, 3], [4, 3]] }, attributes: { axis: -1 }, message: "axis" },
  ],
});

testValidation("expand", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [3, 1] }, attributes: { newShape: [2, 3, 4] }, outputs: [[2, 3, 4]] },
    { shapes: { input: [] }, attributes: { newShape: [] }, outputs: [[]] },
    { shapes: { input: [] }, attributes: { newShape: [2, 3] }, outputs: [[2, 3]] },
  ],
  invalid: [
    { shapes: { input: [3, 2] }, attributes: { newShape: [3, 4] }, message: "input [3, 2] must have a shape" },
    { shapes: { input: [1, 3] }, attributes: { newShape: [3] }, message: "broadcasts to newShape [3]" },
    { shapes: { input: [3] }, attributes: { newShape: [1] }, message: "broadcasts" },
    { shapes: { input: [1] }, attributes: { newShape: [0] }, message: "the output shape [0] has a dimension" },
    { shapes: { input: [1] }, attributes: { newShape: [1, 1, 1, 1, 1, 1, 1, 1, 1] }, message: "rank 9" },
    { shapes: { input: [1] }, attributes: { newShape: [HUGE] }, message: "bytes; at most" },
  ],
  unconvertible: [
    { shapes: { input: [1] }, attributes: { newShape: [-1] }, message: "newShape[0] is" },
    { shapes: { input: [1] }, attributes: { newShape: 3 }, message: "newShape is not an iterable" },
  ],
});

testValidation("pad", {
  types: { input: ANY },
  valid: [
    {
      shapes: { input: [2, 3] },
      attributes: { beginningPadding: [1, 0], endingPadding: [0, 4], value: 7 },
      outputs: [[3, 7]],
    },
    { shapes: { input: [] }, attributes: { beginningPadding: [], endingPadding: [] }, outputs: [[]] },
    {
      shapes: { input: [2] },
      attributes: { beginningPadding: [1], endingPadding: [1], mode: "reflection" },
      outputs: [[4]],
    },
    {
      shapes: { input: [2] },
      attributes: { beginningPadding: [9], endingPadding: [9], mode: "edge" },
      outputs: [[20]],
    },
    {
      shapes: { input: [2] },
      types: { input: "uint64" },
      attributes: { beginningPadding: [1], endingPadding: [1], value: 2n ** 64n - 1n },
      outputs: [[4]],
    },
  ],
  invalid: [
    {
      shapes: { input: [2, 3] },
      attributes: { beginningPadding: [1], endingPadding: [0, 0] },
      message: "beginningPadding must have 2 items, not 1",
    },
    {
      shapes: { input: [2, 3] },
      attributes: { beginningPadding: [0, 0], endingPadding: [0, 0, 0] },
      message: "endingPadding must have 2 items, not 3",
    },
    {
      shapes: { input: [2, 3] },
      attributes: { beginningPadding: [2, 0], endingPadding: [0, 0], mode: "reflection" },
      message: "beginningPadding [2, 0] must be less than the input's shape [2, 3]",
    },
    {
      shapes: { input: [2, 3] },
      attributes: { beginningPadding: [0, 0], endingPadding: [0, 3], mode: "reflection" },
      message: "endingPadding [0, 3] must be less than the input's shape [2, 3]",
    },
    {
      shapes: { input: [2] },
      attributes: { beginningPadding: [0], endingPadding: [2 ** 32 - 1] },
      message: "has a dimension",
    },
    { shapes: { input: [2] }, attributes: { beginningPadding: [0], endingPadding: [HUGE] }, message: "bytes; at most" },
    {
      shapes: { input: [2] },
      attributes: { beginningPadding: [0], endingPadding: [0], value: 1n },
      message: "value must be a number for float32, not a BigInt",
    },
  ],
  unconvertible: [
    {
      shapes: { input: [2] },
      attributes: { beginningPadding: [-1], endingPadding: [0] },
      message: "beginningPadding[0] is",
    },
    {
      shapes: { input: [2] },
      attributes: { beginningPadding: [0], endingPadding: [0], mode: "symmetric" },
      message: 'mode is "symmetric", which is not a value of MLPaddingMode',
    },
  ],
});

testValidation("reshape", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [2, 3] }, attributes: { newShape: [3, 1, 2] }, outputs: [[3, 1, 2]] },
    { shapes: { input: [1, 1] }, attributes: { newShape: [] }, outputs: [[]] },
    { shapes: { input: [] }, attributes: { newShape: [1] }, outputs: [[1]] },
  ],
  invalid: [
    {
      shapes: { input: [2, 3] },
      attributes: { newShape: [2, 2] },
      message: "newShape [2, 2] has 4 elements, the input 6",
    },
    { shapes: { input: [2, 3] }, attributes: { newShape: [6, 0] }, message: "newShape [6, 0] has 0 elements" },
  ],
  unconvertible: [
    { shapes: { input: [2, 3] }, attributes: { newShape: [-1, 3] }, message: "newShape[0] is" },
  ],
});

testValidation("reverse", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [2, 3] }, outputs: [[2, 3]] },
    { shapes: { input: [] }, outputs: [[]] },
    { shapes: { input: [2, 3] }, attributes: { axes: [] }, outputs: [[2, 3]] },
    { shapes: { input: [2, 3] }, attributes: { axes: [1, 0] }, outputs: [[2, 3]] },
  ],
  invalid: [
    { shapes: { input: [2, 3] }, attributes: { axes: [2] }, message: "axes must be less than the rank 2, not 2" },
    { shapes: { input: [2, 3] }, attributes: { axes: [1, 1] }, message: "axes must be unique, not [1, 1]" },
  ],
  unconvertible: [
    { shapes: { input: [2, 3] }, attributes: { axes: [-1] }, message: "axes[0] is" },
  ],
});

testValidation("slice", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [3, 4] }, attributes: { starts: [1, 0], sizes: [2, 3] }, outputs: [[2, 3]] },
    { shapes: { input: [] }, attributes: { starts: [], sizes: [] }, outputs: [[]] },
    { shapes: { input: [9] }, attributes: { starts: [1], sizes: [8], strides: [3] }, outputs: [[3]] },
    { shapes: { input: [9] }, attributes: { starts: [0], sizes: [9], strides: [9] }, outputs: [[1]] },
  ],
  invalid: [
    {
      shapes: { input: [3, 4] },
      attributes: { starts: [0], sizes: [1, 1] },
      message: "starts must have 2 items, not 1",
    },
    {
      shapes: { input: [3, 4] },
      attributes: { starts: [0, 0], sizes: [1] },
      message: "sizes must have 2 items, not 1",
    },
    { shapes: { input: [] }, attributes: { starts: [0], sizes: [1] }, message: "starts must have 0 items, not 1" },
    {
      shapes: { input: [3] },
      attributes: { starts: [0], sizes: [1], strides: [1, 1] },
      message: "strides must have 1 items, not 2",
    },
    { shapes: { input: [3] }, attributes: { starts: [0], sizes: [0] }, message: "sizes must be greater than 0" },
    {
      shapes: { input: [3] },
      attributes: { starts: [0], sizes: [2], strides: [0] },
      message: "strides must be greater than 0",
    },
    {
      shapes: { input: [2, 3] },
      attributes: { starts: [0, 3], sizes: [1, 1] },
      message: "starts + sizes must be at most 3 on axis 1, not 4",
    },
    { shapes: { input: [3] }, attributes: { starts: [1], sizes: [3] }, message: "at most 3 on axis 0, not 4" },
    { shapes: { input: [3] }, attributes: { starts: [2 ** 32 - 1], sizes: [1] }, message: "at most 3 on axis 0" },
    {
      shapes: { input: [3] },
      attributes: { starts: [0], sizes: [2], strides: [3] },
      message: "strides [3] must not exceed sizes [2]",
    },
  ],
});

testValidation("split", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [6, 2] }, attributes: { splits: 3 }, outputs: [[2, 2], [2, 2], [2, 2]] },
    { shapes: { input: [2, 6] }, attributes: { splits: [1, 2, 3], axis: 1 }, outputs: [[2, 1], [2, 2], [2, 3]] },
    { shapes: { input: [2] }, attributes: { splits: [2] }, outputs: [[2]] },
  ],
  invalid: [
    { shapes: { input: [] }, attributes: { splits: 1 }, message: "input must have rank 1 to 8, not 0" },
    { shapes: { input: [6] }, attributes: { splits: 2, axis: 1 }, message: "axis must be less than the rank 1, not 1" },
    { shapes: { input: [6] }, attributes: { splits: 0 }, message: "splits must be 1 to 8192, not 0" },
    { shapes: { input: [9000] }, attributes: { splits: 9000 }, message: "splits must be 1 to 8192, not 9000" },
    {
      shapes: { input: [6] },
      attributes: { splits: 4 },
      message: "splits must be a divisor of 6, the number of elements along the axis, not 4",
    },
    { shapes: { input: [6] }, attributes: { splits: [] }, message: "splits must have 1 to 8192 items, not 0" },
    { shapes: { input: [6] }, attributes: { splits: [0, 6] }, message: "splits must not contain 0" },
    { shapes: { input: [6] }, attributes: { splits: [1, 2] }, message: "splits must add up to the 6 elements" },
  ],
});

testValidation("tile", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [2, 3] }, attributes: { repetitions: [1, 4] }, outputs: [[2, 12]] },
    { shapes: { input: [] }, attributes: { repetitions: [] }, outputs: [[]] },
    // Without [EnforceRange], the integers wrap.
    { shapes: { input: [2] }, attributes: { repetitions: [2 ** 32 + 3] }, outputs: [[6]] },
  ],
  invalid: [
    { shapes: { input: [2] }, attributes: { repetitions: [1, 2] }, message: "repetitions must have 1 items, not 2" },
    { shapes: { input: [2] }, attributes: { repetitions: [0] }, message: "repetitions must be greater than 0" },
    { shapes: { input: [2] }, attributes: { repetitions: [2 ** 32] }, message: "repetitions must be greater than 0" },
    {
      shapes: { input: [2] },
      attributes: { repetitions: [-1] },
      message: "the output shape [8589934590] has a dimension",
    },
    { shapes: { input: [2] }, attributes: { repetitions: [HUGE / 2] }, message: "bytes; at most" },
  ],
});

testValidation("transpose", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [2, 3, 4] }, outputs: [[4, 3, 2]] },
    { shapes: { input: [] }, outputs: [[]] },
    { shapes: { input: [2, 3, 4] }, attributes: { permutation: [1, 2, 0] }, outputs: [[3, 4, 2]] },
  ],
  invalid: [
    { shapes: { input: [2, 3] }, attributes: { permutation: [0] }, message: "permutation must have 2 items, not 1" },
    { shapes: { input: [2, 3] }, attributes: { permutation: [0, 2] }, message: "less than the rank 2, not 2" },
    { shapes: { input: [2, 3] }, attributes: { permutation: [1, 1] }, message: "must be unique" },
  ],
});

testValidation("triangular", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [2, 3, 4] }, outputs: [[2, 3, 4]] },
    { shapes: { input: [3, 3] }, attributes: { upper: false, diagonal: -(2 ** 31) }, outputs: [[3, 3]] },
  ],
  invalid: [
    { shapes: { input: [] }, message: "input must have rank 2 to 8, not 0" },
    { shapes: { input: [3] }, message: "input must have rank 2 to 8, not 1" },
  ],
  unconvertible: [
    { shapes: { input: [3, 3] }, attributes: { diagonal: 2 ** 31 }, message: "diagonal is" },
    { shapes: { input: [3, 3] }, attributes: { diagonal: NaN }, message: "diagonal is" },
  ],
});

testValidation("where", {
  types: { condition: ["uint8"], trueValue: ANY },
  valid: [
    { shapes: { trueValue: [2, 3], falseValue: [3], condition: [2, 1] }, outputs: [[2, 3]] },
    { shapes: { trueValue: [], falseValue: [], condition: [] }, outputs: [[]] },
    { shapes: { trueValue: [1], falseValue: [1], condition: [4, 2] }, outputs: [[4, 2]] },
  ],
  invalid: [
    {
      shapes: { trueValue: [2], falseValue: [3], condition: [] },
      message: "trueValue and falseValue must have shapes",
    },
    {
      shapes: { trueValue: [2], falseValue: [2], condition: [3] },
      message: "condition and the values must have shapes",
    },
    {
      shapes: { trueValue: [2], falseValue: [2], condition: [2] },
      types: { falseValue: "float16" },
      message: "falseValue must be float32 like trueValue, not float16",
    },
  ],
});

testValidation("identity", {
  types: { input: ANY },
  valid: [{ shapes: { input: [2, 3] }, outputs: [[2, 3]] }, { shapes: { input: [] }, outputs: [[]] }],
  invalid: [],
});

testValidation("cast", {
  types: { input: ANY },
  valid: [
    { shapes: { input: [2, 3] }, attributes: { dataType: "uint8" }, outputs: [[2, 3]], outputType: "uint8" },
    ...ANY.map((outputType) => ({
      shapes: { input: [] },
      attributes: { dataType: outputType },
      outputs: [[]],
      outputType,
    })),
  ],
  invalid: [],
  unconvertible: [{ shapes: { input: [2] }, attributes: { dataType: "bool" }, message: 'dataType is "bool"' }],
});

Deno.test("concat and split support at most 8192 tensors", async () => {
  const builder = await newBuilder();
  const parts = builder.split(builder.input("x", { dataType: "int8", shape: [8192] }), 8192);
  assertEquals(builder.concat(parts, 0).shape, [8192]);
  const limit = "MLGraphBuilder.concat: inputs must have 1 to 8192 items, not";
  assertThrows(() => builder.concat([...parts, parts[0]!], 0), TypeError, `${limit} 8193`);
  assertThrows(() => builder.concat([], 0), TypeError, `${limit} 0`);
});
