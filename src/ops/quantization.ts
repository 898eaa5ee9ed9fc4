/**
 * Quantisation: floats to integers and back, with a scale and a zero point per block.
 *
 * @module
 */

import type { Value } from "../graph/graph.ts";
import { formatShape } from "../shape.ts";
import { checkShape, refuse } from "./checks.ts";
import { perOutput } from "./cost.ts";
import { FLOATS, one, operator, QUANTIZED, rank, sameAs, tensor } from "./operator.ts";

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-dequantizelinear */
const dequantizeLinear = operator({
  name: "dequantizeLinear",
  operands: {
    input: one(QUANTIZED),
    scale: one(FLOATS, rank(0), "input"),
    zeroPoint: one(sameAs("input"), rank(0), "input"),
  },
  outputs: { output: tensor(sameAs("scale"), rank(0), "input") },
  resolve({ input, scale, zeroPoint }) {
    checkBlocks(input, scale, zeroPoint);
    return { attributes: {}, outputs: [{ dataType: scale.dataType, shape: input.shape }] };
  },
  // Subtract, multiply.
  cost: perOutput(2),
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-quantizelinear */
const quantizeLinear = operator({
  name: "quantizeLinear",
  operands: {
    input: one(FLOATS),
    scale: one(sameAs("input"), rank(0), "input"),
    zeroPoint: one(QUANTIZED, rank(0), "input"),
  },
  outputs: { output: tensor(sameAs("zeroPoint"), rank(0), "input") },
  resolve({ input, scale, zeroPoint }) {
    checkBlocks(input, scale, zeroPoint);
    return { attributes: {}, outputs: [{ dataType: zeroPoint.dataType, shape: input.shape }] };
  },
  // Divide, round, add, clamp.
  cost: perOutput(4),
});

/** Scale and zero point must have the same shape; each of its dimensions must divide that of the input. */
function checkBlocks(input: Value, scale: Value, zeroPoint: Value): void {
  checkShape("zeroPoint", zeroPoint.shape, scale.shape);
  if (input.shape.some((dimension, axis) => dimension % scale.shape[axis]! !== 0)) {
    refuse(
      `each dimension of the input ${formatShape(input.shape)} must be divisible by that of scale ` +
        formatShape(scale.shape),
    );
  }
}

/** The rows of quantisation. */
export const quantizations = {
  dequantizeLinear,
  quantizeLinear,
};
