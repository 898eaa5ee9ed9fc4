/**
 * Resampling of two dimensions.
 *
 * @module
 */

import { checkAxes, checkLength, checkNonZero, refuse } from "./checks.ts";
import { moving, perOutput } from "./cost.ts";
import { FLOATS, one, operator, rank, sameAs, tensor } from "./operator.ts";
import { interpolation, maybeFloats, maybeIntegers } from "./parameters.ts";

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-resample2d-method */
const resample2d = operator({
  name: "resample2d",
  operands: { input: one([...FLOATS, "uint8", "int8"], rank(4, 4)) },
  outputs: { output: tensor(sameAs("input"), rank(4, 4)) },
  options: { mode: interpolation, scales: maybeFloats, sizes: maybeIntegers, axes: maybeIntegers },
  resolve({ input: { dataType, shape } }, { mode, scales = [1, 1], sizes, axes = [2, 3] }) {
    checkLength("scales", scales, 2);
    if (scales.some((scale) => scale <= 0)) refuse(`scales must be greater than 0, not [${scales.join(", ")}]`);
    checkLength("axes", axes, 2);
    checkAxes(axes, shape.length);
    if (sizes) {
      checkLength("sizes", sizes, 2);
      checkNonZero("sizes", sizes);
    }
    const resampled = axes.map((axis, i) => sizes?.[i] ?? Math.floor(shape[axis]! * scales[i]!));
    const outputShape = axes.reduce<readonly number[]>((sizes, axis, i) => sizes.with(axis, resampled[i]!), shape);
    return { attributes: { mode, axes }, outputs: [{ dataType, shape: outputShape }] };
  },
  // Linear interpolation: four neighbours, each multiplied and added.
  cost: (node) => node.attributes.mode === "linear" ? perOutput(8)(node) : moving(node),
});

/** The row of resampling. */
export const resampling = { resample2d };
