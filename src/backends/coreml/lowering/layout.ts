/**
 * Layouts: MIL's operators on images are NCHW. Others are transposed around them, and Core ML's compiler cancels the
 * transposes of neighbours.
 *
 * @module
 */

import type { InputLayout } from "../../../graph/layout.ts";
import type { MilValue } from "../mil.ts";
import type { MilWriter } from "../mil_writer.ts";

const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

/** The operand in NCHW. */
export function toNchw(input: MilValue, layout: InputLayout, mil: MilWriter): MilValue {
  return layout === "nchw" ? input : mil.transpose(input, TO_NCHW);
}

/** What is NCHW, in the layout of the user. */
export function fromNchw(output: MilValue, layout: InputLayout, mil: MilWriter): MilValue {
  return layout === "nchw" ? output : mil.transpose(output, TO_NHWC);
}

/** The permutation that brings dimensions in the order of the letters of `from` into that of `to`. */
export function permutation(from: string, to: string): number[] {
  return [...to].map((letter) => from.indexOf(letter));
}

/** The permutation that undoes another. */
export function inverse(permutation: readonly number[]): number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}
