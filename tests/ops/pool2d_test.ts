/** Validation of pools. */

import type { MLOperandDataType } from "../../mod.ts";
import { DATA_TYPES } from "../../src/data_type.ts";
import type { pools } from "../../src/ops/pool2d.ts";
import { testValidation } from "../support/validation.ts";

const FLOATS: readonly MLOperandDataType[] = ["float32", "float16"];
const TYPES: Readonly<Record<keyof typeof pools, readonly MLOperandDataType[]>> = {
  averagePool2d: FLOATS,
  l2Pool2d: FLOATS,
  maxPool2d: DATA_TYPES,
};

const shapes = { input: [1, 2, 5, 7] };
const windowDimensions = [2, 2];

for (const name of Object.keys(TYPES) as (keyof typeof pools)[]) {
  testValidation(name, {
    types: { input: TYPES[name] },
    valid: [
      { shapes, outputs: [[1, 2, 1, 1]] },
      { shapes, attributes: { windowDimensions: [3, 2] }, outputs: [[1, 2, 3, 6]] },
      { shapes, attributes: { windowDimensions, padding: [1, 0, 0, 1] }, outputs: [[1, 2, 5, 7]] },
      { shapes, attributes: { windowDimensions, strides: [2, 2] }, outputs: [[1, 2, 2, 3]] },
      {
        shapes,
        attributes: { windowDimensions, strides: [2, 2], outputShapeRounding: "ceil" },
        outputs: [[1, 2, 3, 4]],
      },
      { shapes, attributes: { windowDimensions, strides: [2, 2], outputSizes: [2, 3] }, outputs: [[1, 2, 2, 3]] },
      // outputSizes overrides outputShapeRounding.
      { shapes, attributes: { windowDimensions, strides: [2, 2], outputSizes: [3, 4] }, outputs: [[1, 2, 3, 4]] },
      { shapes, attributes: { windowDimensions, dilations: [2, 3] }, outputs: [[1, 2, 3, 4]] },
      { shapes, attributes: { windowDimensions, layout: "nhwc" }, outputs: [[1, 1, 4, 7]] },
    ],
    invalid: [
      { shapes: { input: [2, 5, 7] }, message: "input must have rank 4, not 3" },
      { shapes, attributes: { windowDimensions: [2] }, message: "windowDimensions must have 2 items, not 1" },
      { shapes, attributes: { windowDimensions: [2, 0] }, message: "windowDimensions must be greater than 0" },
      { shapes, attributes: { windowDimensions: [2 ** 30, 2 ** 30] }, message: "must not cover more than" },
      { shapes, attributes: { windowDimensions: [6, 2] }, message: "the window of 6 × 2 must fit" },
      { shapes, attributes: { padding: [1, 1] }, message: "padding must have 4 items, not 2" },
      { shapes, attributes: { strides: [1, 1, 1] }, message: "strides must have 2 items, not 3" },
      { shapes, attributes: { strides: [0, 1] }, message: "strides must be greater than 0" },
      { shapes, attributes: { dilations: [1] }, message: "dilations must have 2 items, not 1" },
      { shapes, attributes: { dilations: [1, 0] }, message: "dilations must be greater than 0" },
      { shapes, attributes: { outputSizes: [1] }, message: "outputSizes must have 2 items, not 1" },
      {
        shapes,
        attributes: { windowDimensions, strides: [2, 2], outputSizes: [3, 3] },
        message: "outputSizes must be [2,3] or [3,4], not [3,3]",
      },
    ],
    unconvertible: [
      { shapes, attributes: { windowDimensions: [-1, 1] }, message: "windowDimensions[0]" },
      { shapes, attributes: { layout: "nwhc" }, message: "layout" },
      { shapes, attributes: { outputShapeRounding: "round" }, message: "outputShapeRounding" },
    ],
  });
}
