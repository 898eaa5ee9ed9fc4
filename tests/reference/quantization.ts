/**
 * quantizeLinear and dequantizeLinear, with one scale and zero point per block.
 *
 * @module
 */

import { type Compute, operand, type Rows, ulp, within } from "./operator.ts";
import { roundEven, saturate } from "./round.ts";
import { floatAt, generate, type Index } from "./tensor.ts";

/**
 * The index of the block that an element belongs to. Shapes are aligned at the right, as in WPT's non-standard cases.
 */
function blockIndex(blocks: readonly number[], shape: readonly number[], index: Index): number[] {
  const offset = shape.length - blocks.length;
  return blocks.map((count, axis) => Math.floor(index[axis + offset]! / (shape[axis + offset]! / count)));
}

/** `(x − zeroPoint) · scale`. */
const dequantizeLinear: Compute = (operands) => {
  const input = operand(operands, "input");
  const scale = operand(operands, "scale");
  const zeroPoint = operand(operands, "zeroPoint");
  return [generate(scale.dataType, input.shape, (index) => {
    const shift = floatAt(zeroPoint, blockIndex(zeroPoint.shape, input.shape, index));
    return (floatAt(input, index) - shift) * floatAt(scale, blockIndex(scale.shape, input.shape, index));
  })];
};

/** `clamp(roundEven(x / scale) + zeroPoint, min, max)`, with the limits of the data type. */
const quantizeLinear: Compute = (operands) => {
  const input = operand(operands, "input");
  const scale = operand(operands, "scale");
  const zeroPoint = operand(operands, "zeroPoint");
  return [generate(zeroPoint.dataType, input.shape, (index) => {
    const step = floatAt(scale, blockIndex(scale.shape, input.shape, index));
    const shift = floatAt(zeroPoint, blockIndex(zeroPoint.shape, input.shape, index));
    return saturate(zeroPoint.dataType, roundEven(floatAt(input, index) / step) + shift);
  })];
};

export const quantization: Rows = {
  dequantizeLinear: within(ulp(1), dequantizeLinear),
  quantizeLinear: within(ulp(1), quantizeLinear),
};
