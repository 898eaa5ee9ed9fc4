/** Validation of conv2d. */

import type { MLOperandDataType } from "../../mod.ts";
import { testValidation } from "../support/validation.ts";

const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];
const shapes = { input: [1, 4, 5, 6], filter: [8, 4, 3, 2] };
const output = [1, 8, 3, 5];

testValidation("conv2d", {
  types: { input: FLOATS },
  valid: [
    { shapes, outputs: [output] },
    { shapes: { ...shapes, bias: [8] }, outputs: [output] },
    { shapes, attributes: { padding: [1, 2, 3, 4] }, outputs: [[1, 8, 6, 12]] },
    { shapes, attributes: { strides: [2, 3] }, outputs: [[1, 8, 2, 2]] },
    { shapes, attributes: { dilations: [2, 4] }, outputs: [[1, 8, 1, 2]] },
    { shapes: { ...shapes, filter: [8, 2, 3, 2] }, attributes: { groups: 2 }, outputs: [output] },
    { shapes: { ...shapes, filter: [8, 1, 3, 2] }, attributes: { groups: 4 }, outputs: [output] },
    {
      shapes: { input: [1, 5, 6, 4], filter: [8, 4, 3, 2] },
      attributes: { inputLayout: "nhwc" },
      outputs: [[1, 3, 5, 8]],
    },
    ...Object.entries({ oihw: [8, 4, 3, 2], hwio: [3, 2, 4, 8], ohwi: [8, 3, 2, 4], ihwo: [4, 3, 2, 8] }).map(
      ([filterLayout, filter]) => ({ shapes: { ...shapes, filter }, attributes: { filterLayout }, outputs: [output] }),
    ),
  ],
  invalid: [
    { shapes: { ...shapes, input: [4, 5, 6] }, message: "input must have rank 4, not 3" },
    { shapes: { ...shapes, filter: [4, 3, 2] }, message: "filter must have rank 4, not 3" },
    { shapes: { ...shapes, bias: [1, 8] }, message: "bias must have rank 1, not 2" },
    { shapes: { ...shapes, bias: [4] }, message: "bias must have the shape [8], not [4]" },
    { shapes, types: { filter: "float16" }, message: "filter must be float32 like input, not float16" },
    { shapes: { ...shapes, bias: [8] }, types: { bias: "float16" }, message: "bias must be float32 like input" },
    { shapes, attributes: { padding: [1, 1] }, message: "padding must have 4 items, not 2" },
    { shapes, attributes: { strides: [1] }, message: "strides must have 2 items, not 1" },
    { shapes, attributes: { dilations: [1, 1, 1] }, message: "dilations must have 2 items, not 3" },
    { shapes, attributes: { strides: [1, 0] }, message: "strides must be greater than 0, not [1, 0]" },
    { shapes, attributes: { dilations: [0, 1] }, message: "dilations must be greater than 0, not [0, 1]" },
    { shapes, attributes: { groups: 0 }, message: "groups must not be 0" },
    { shapes, attributes: { groups: 2 }, message: "the input's 4 channels must be groups (2) times the filter's" },
    { shapes: { ...shapes, filter: [8, 3, 3, 2] }, message: "filter's input channels (3)" },
    {
      shapes: { ...shapes, filter: [7, 2, 3, 2] },
      attributes: { groups: 2 },
      message: "the filter's 7 output channels must be divisible by groups (2)",
    },
    { shapes: { ...shapes, filter: [8, 4, 6, 2] }, message: "the dilated filter of 6 × 2 must fit" },
    {
      shapes,
      attributes: { dilations: [1, 6] },
      message: "the dilated filter of 3 × 7 must fit into the padded input",
    },
    { shapes, attributes: { padding: [2 ** 31, 0, 0, 0] }, message: "the padded input would have" },
    {
      shapes: { input: [1, 1, 2 ** 13, 2 ** 13], filter: [2 ** 4, 1, 1, 1] },
      message: "bytes; at most 2147483647 are supported",
    },
  ],
  unconvertible: [
    { shapes, attributes: { padding: [-1, 0, 0, 0] }, message: "padding[0]" },
    { shapes, attributes: { groups: -1 }, message: "groups" },
    { shapes, attributes: { inputLayout: "chwn" }, message: "inputLayout" },
    { shapes, attributes: { filterLayout: "iohw" }, message: "filterLayout" },
  ],
});
