/**
 * Reductions along axes.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { allAxes, type Shape } from "../shape.ts";
import { checkAxes } from "./checks.ts";
import { ANY, FLOATS, one, operator, sameAs, tensor, WIDE } from "./operator.ts";
import { booleanFalse, maybeIntegers } from "./parameters.ts";

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce */
function reduction<const Name extends string>(name: Name, types: readonly MLOperandDataType[]) {
  return operator({
    name,
    operands: { input: one(types) },
    outputs: { output: tensor(sameAs("input")) },
    options: { axes: maybeIntegers, keepDimensions: booleanFalse },
    resolve({ input }, { axes = allAxes(input.shape.length), keepDimensions }) {
      checkAxes(axes, input.shape.length);
      return {
        attributes: { axes, keepDimensions },
        outputs: [{ dataType: input.dataType, shape: reducedShape(input.shape, axes, keepDimensions) }],
      };
    },
  });
}

/** The shape without the axes, or with 1 in their place. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDimensions: boolean): Shape {
  return keepDimensions
    ? shape.map((dimension, axis) => axes.includes(axis) ? 1 : dimension)
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** The rows of reductions. */
export const reductions = {
  reduceL1: reduction("reduceL1", WIDE),
  reduceL2: reduction("reduceL2", FLOATS),
  reduceLogSum: reduction("reduceLogSum", FLOATS),
  reduceLogSumExp: reduction("reduceLogSumExp", FLOATS),
  reduceMax: reduction("reduceMax", ANY),
  reduceMean: reduction("reduceMean", FLOATS),
  reduceMin: reduction("reduceMin", ANY),
  reduceProduct: reduction("reduceProduct", WIDE),
  reduceSum: reduction("reduceSum", WIDE),
  reduceSumSquare: reduction("reduceSumSquare", WIDE),
};
