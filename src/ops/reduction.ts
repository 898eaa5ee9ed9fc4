/**
 * Reductions along axes.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { allAxes, type Shape } from "../shape.ts";
import { checkAxes } from "./checks.ts";
import { perInput } from "./cost.ts";
import { ANY, FLOATS, one, operator, sameAs, tensor, WIDE } from "./operator.ts";
import { booleanFalse, maybeIntegers } from "./parameters.ts";

/**
 * A reduction.
 * @param operations the cost of one input element
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
 */
function reduction<const Name extends string>(name: Name, types: readonly MLOperandDataType[], operations: number) {
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
    cost: perInput(operations),
  });
}

/** The shape without the axes, or with 1 in their place if `keepDimensions` is set. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDimensions: boolean): Shape {
  return keepDimensions
    ? shape.map((dimension, axis) => axes.includes(axis) ? 1 : dimension)
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** The rows of reductions. */
export const reductions = {
  reduceL1: reduction("reduceL1", WIDE, 2),
  reduceL2: reduction("reduceL2", FLOATS, 2),
  reduceLogSum: reduction("reduceLogSum", FLOATS, 1),
  reduceLogSumExp: reduction("reduceLogSumExp", FLOATS, 4),
  reduceMax: reduction("reduceMax", ANY, 1),
  reduceMean: reduction("reduceMean", FLOATS, 1),
  reduceMin: reduction("reduceMin", ANY, 1),
  reduceProduct: reduction("reduceProduct", WIDE, 1),
  reduceSum: reduction("reduceSum", WIDE, 1),
  reduceSumSquare: reduction("reduceSumSquare", WIDE, 2),
};
