/**
 * Layouts. MIL's image operators use NCHW. Other layouts are transposed before and after; Core ML's compiler cancels
 * neighbouring transposes.
 *
 * @module
 */

import type { InputLayout } from "../../../graph/layout.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

/** Transposes an operand to NCHW. */
export function toNchw(input: MilValue, layout: InputLayout, mil: MilWriter): MilValue {
  return layout === "nchw" ? input : mil.transpose(input, TO_NCHW);
}

/** Transposes an NCHW result to the user's layout. */
export function fromNchw(output: MilValue, layout: InputLayout, mil: MilWriter): MilValue {
  return layout === "nchw" ? output : mil.transpose(output, TO_NHWC);
}

/** The permutation from the dimension order `from` to `to`, each letter a dimension. */
export function permutation(from: string, to: string): number[] {
  return [...to].map((letter) => from.indexOf(letter));
}

/** The inverse of a permutation. */
export function inverse(permutation: readonly number[]): number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}
