/** Validation and results of convTranspose2d. */

import { assertEquals, assertRejects } from "@std/assert";
import type { MLOperandDataType } from "../../mod.ts";
import { assertAgrees, valuesOf } from "../support/agreement.ts";
import { newBuilder } from "../support/builder.ts";
import { testValidation } from "../support/validation.ts";

const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];
const shapes = { input: [1, 4, 5, 6], filter: [4, 3, 3, 2] };
const output = [1, 3, 7, 7];
const LAYOUTS = { iohw: [4, 3, 3, 2], hwoi: [3, 2, 3, 4], ohwi: [3, 3, 2, 4] };

testValidation("convTranspose2d", {
  types: { input: FLOATS },
  valid: [
    { shapes, outputs: [output] },
    { shapes: { ...shapes, bias: [3] }, outputs: [output] },
    { shapes, attributes: { padding: [1, 2, 0, 3] }, outputs: [[1, 3, 4, 4]] },
    { shapes, attributes: { strides: [2, 3] }, outputs: [[1, 3, 11, 17]] },
    { shapes, attributes: { dilations: [2, 4] }, outputs: [[1, 3, 9, 10]] },
    { shapes, attributes: { strides: [2, 3], outputPadding: [1, 2] }, outputs: [[1, 3, 12, 19]] },
    { shapes, attributes: { strides: [2, 3], outputSizes: [11, 19] }, outputs: [[1, 3, 11, 19]] },
    // outputSizes overrides outputPadding.
    { shapes, attributes: { outputPadding: [9, 9], outputSizes: [7, 7] }, outputs: [output] },
    { shapes: { ...shapes, bias: [6] }, attributes: { groups: 2 }, outputs: [[1, 6, 7, 7]] },
    {
      shapes: { ...shapes, input: [1, 5, 6, 4] },
      attributes: { inputLayout: "nhwc" },
      outputs: [[1, 7, 7, 3]],
    },
    ...Object.entries(LAYOUTS).map(([filterLayout, filter]) => ({
      shapes: { ...shapes, filter },
      attributes: { filterLayout },
      outputs: [output],
    })),
  ],
  invalid: [
    { shapes: { ...shapes, input: [4, 5, 6] }, message: "input must have rank 4, not 3" },
    { shapes: { ...shapes, filter: [4, 3, 3] }, message: "filter must have rank 4, not 3" },
    { shapes: { ...shapes, bias: [1, 3] }, message: "bias must have rank 1, not 2" },
    { shapes: { ...shapes, bias: [4] }, message: "bias must have the shape [3], not [4]" },
    { shapes: { ...shapes, bias: [3] }, attributes: { groups: 2 }, message: "bias must have the shape [6], not [3]" },
    { shapes: { ...shapes, filter: [2, 3, 3, 2] }, message: "the filter must have 4 input channels, not 2" },
    { shapes, types: { filter: "float16" }, message: "filter must be float32 like input, not float16" },
    { shapes: { ...shapes, bias: [3] }, types: { bias: "float16" }, message: "bias must be float32 like input" },
    { shapes, attributes: { groups: 0 }, message: "groups must not be 0" },
    { shapes, attributes: { groups: 2 ** 32 - 1 }, message: "has a dimension that is not between" },
    { shapes, attributes: { padding: [1, 1] }, message: "padding must have 4 items, not 2" },
    { shapes, attributes: { padding: [4, 3, 0, 0] }, message: "has a dimension that is not between" },
    { shapes, attributes: { strides: [1] }, message: "strides must have 2 items, not 1" },
    { shapes, attributes: { strides: [0, 1] }, message: "strides must be greater than 0, not [0, 1]" },
    { shapes, attributes: { dilations: [1, 1, 1] }, message: "dilations must have 2 items, not 3" },
    { shapes, attributes: { dilations: [1, 0] }, message: "dilations must be greater than 0, not [1, 0]" },
    { shapes, attributes: { outputPadding: [0] }, message: "outputPadding must have 2 items, not 1" },
    {
      shapes,
      attributes: { outputPadding: [0, 1] },
      message: "outputPadding[1] must be less than the stride 1, not 1",
    },
    { shapes, attributes: { outputSizes: [7] }, message: "outputSizes must have 2 items, not 1" },
    { shapes, attributes: { outputSizes: [6, 7] }, message: "outputSizes[0] must be 7, not 6" },
    { shapes, attributes: { strides: [2, 3], outputSizes: [11, 20] }, message: "outputSizes[1] must be 17 to 19" },
  ],
  unconvertible: [
    { shapes, attributes: { padding: [-1, 0, 0, 0] }, message: "padding[0]" },
    { shapes, attributes: { filterLayout: "oihw" }, message: "filterLayout" },
    { shapes, attributes: { groups: -1 }, message: "groups" },
  ],
});

Deno.test("convTranspose2d agrees with the reference in all layouts, with groups, padding and output sizes", async () => {
  const options = [
    {},
    { strides: [2, 3], outputPadding: [1, 2] },
    { strides: [2, 3], padding: [1, 2, 0, 1], outputSizes: [9, 18] },
    { dilations: [2, 1], padding: [0, 1, 1, 0], strides: [3, 1] },
  ];
  for (const inputLayout of ["nchw", "nhwc"]) {
    for (const [filterLayout, filter] of Object.entries(LAYOUTS)) {
      for (const groups of [1, 2]) {
        const input = inputLayout === "nchw" ? [2, 4, 5, 6] : [2, 5, 6, 4];
        const operands = valuesOf("float32", { input, filter, bias: [3 * groups] });
        for (const option of options) {
          const attributes = { ...option, inputLayout, filterLayout, groups };
          for (const constants of [[], ["filter", "bias"]]) {
            await assertAgrees("convTranspose2d", operands, attributes, constants);
          }
        }
      }
    }
  }
});

Deno.test("build rejects a convTranspose2d whose groups do not divide the channels", async () => {
  const builder = await newBuilder();
  const input = builder.input("input", { dataType: "float32", shape: [1, 1, 3, 3] });
  const filter = builder.input("filter", { dataType: "float32", shape: [1, 1, 3, 3] });
  const output = builder.convTranspose2d(input, filter, { groups: 3, label: "odd" });
  assertEquals(output.shape, [1, 3, 5, 5]);
  const error = await assertRejects(() => builder.build({ output }), DOMException, "[odd]: 1 input channels");
  assertEquals((error as DOMException).name, "OperationError");
});
