/**
 * Pools over the two spatial dimensions of a 4-D input.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { elementsOf } from "../graph/cost.ts";
import { fromImageShape, imageShape } from "../graph/layout.ts";
import { elementCount, MAX_DIMENSION } from "../shape.ts";
import { checkLength, checkNonZero, refuse } from "./checks.ts";
import { checkPaddedSize, checkWindow, outputSize } from "./conv2d.ts";
import { computing } from "./cost.ts";
import { ANY, FLOATS, one, operator, rank, sameAs, tensor } from "./operator.ts";
import { inputLayout, maybeIntegers, rounding } from "./parameters.ts";

/**
 * A pool.
 * @param operations the cost of one window element
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pool2d
 */
function pool2d<const Name extends string>(name: Name, types: readonly MLOperandDataType[], operations: number) {
  return operator({
    name,
    operands: { input: one(types, rank(4, 4)) },
    outputs: { output: tensor(sameAs("input"), rank(4, 4)) },
    options: {
      windowDimensions: maybeIntegers,
      padding: maybeIntegers,
      strides: maybeIntegers,
      dilations: maybeIntegers,
      layout: inputLayout,
      outputShapeRounding: rounding,
      outputSizes: maybeIntegers,
    },
    resolve({ input }, { layout, outputShapeRounding, outputSizes, windowDimensions, ...options }) {
      const window = checkWindow(options);
      const image = imageShape(input.shape, layout);
      const kernel = windowDimensions ?? [image.height, image.width];
      checkLength("windowDimensions", kernel, 2);
      checkNonZero("windowDimensions", kernel);
      if (kernel[0]! * kernel[1]! > MAX_DIMENSION) {
        refuse(`windowDimensions ${kernel[0]} × ${kernel[1]} must not cover more than ${MAX_DIMENSION} elements`);
      }
      checkPaddedSize(image, window);
      const exact = [
        outputSize(image.height, kernel[0]!, window, 0),
        outputSize(image.width, kernel[1]!, window, 1),
      ];
      const [height, width] = roundSizes(exact, outputShapeRounding, outputSizes);
      if (height < 1 || width < 1) refuse(`the window of ${kernel[0]} × ${kernel[1]} must fit into the padded input`);
      return {
        attributes: { ...window, windowDimensions: kernel, layout, outputSizes: [height, width] },
        outputs: [{ dataType: input.dataType, shape: fromImageShape({ ...image, height, width }, layout) }],
      };
    },
    cost(node) {
      const window = elementCount(node.attributes.windowDimensions);
      return computing(node, operations / 2 * window * elementsOf(node.outputs));
    },
  });
}

/**
 * The output sizes: `outputSizes` if given, else `exact` rounded by `roundingType`. `outputSizes` must equal `exact`
 * with both sizes rounded down, or both rounded up.
 */
function roundSizes(
  exact: readonly number[],
  roundingType: "floor" | "ceil",
  outputSizes: readonly number[] | undefined,
): [number, number] {
  const floors = exact.map(Math.floor) as [number, number];
  const ceils = exact.map(Math.ceil) as [number, number];
  if (outputSizes === undefined) return roundingType === "floor" ? floors : ceils;
  checkLength("outputSizes", outputSizes, 2);
  const fits = [floors, ceils].find((sizes) => sizes[0] === outputSizes[0] && sizes[1] === outputSizes[1]);
  return fits ?? refuse(`outputSizes must be [${floors}] or [${ceils}], not [${outputSizes}]`);
}

/** The rows of pools. */
export const pools = {
  averagePool2d: pool2d("averagePool2d", FLOATS, 1),
  l2Pool2d: pool2d("l2Pool2d", FLOATS, 2),
  maxPool2d: pool2d("maxPool2d", ANY, 1),
};
