/**
 * A simple, slow reference for every WebNN operator: computes in float64, rounds once at the end, and keeps integers
 * exact. It shares no code with the implementation. WPT's numeric cases test it (reference_test.ts).
 *
 * @module
 */

import { binary } from "./binary.ts";
import { conversion } from "./conversion.ts";
import { convolution } from "./convolution.ts";
import { indexing } from "./indexing.ts";
import { matrix } from "./matrix.ts";
import { movement } from "./movement.ts";
import { normalization } from "./normalization.ts";
import type { Attributes, Operands, Rows } from "./operator.ts";
import { pooling } from "./pooling.ts";
import { quantization } from "./quantization.ts";
import { recurrent } from "./recurrent.ts";
import { reduction } from "./reduction.ts";
import { resample } from "./resample.ts";
import type { RefTensor } from "./tensor.ts";
import { unary } from "./unary.ts";

export { decode, encode } from "./bytes.ts";
export type { Attributes, Operands, Tolerance } from "./operator.ts";
export { integerLimits, isFloat } from "./round.ts";
export { type Element, type RefDataType, type RefTensor, sizeOf, tensor, unrounded } from "./tensor.ts";

/** Every operator by name. */
export const OPERATORS: Rows = {
  ...binary,
  ...conversion,
  ...convolution,
  ...indexing,
  ...matrix,
  ...movement,
  ...normalization,
  ...pooling,
  ...quantization,
  ...recurrent,
  ...reduction,
  ...resample,
  ...unary,
};

/**
 * Computes one operator.
 * @param operator the name of the builder's method
 * @param operands by name, including optional ones (`bias`, `c`, `initialHiddenState`)
 * @param attributes positional parameters and options by name; missing ones have their defaults
 * @returns the outputs, in order
 */
export function evaluate(operator: string, operands: Operands, attributes: Attributes = {}): RefTensor[] {
  const compute = OPERATORS[operator];
  if (compute === undefined) throw new TypeError(`the reference has no operator ${operator}`);
  return compute(operands, attributes);
}
