/**
 * Layouts: ONNX Runtime's operators on images are NCHW. Others are transposed around them, and the engine's optimiser
 * cancels the transposes of neighbours.
 *
 * @module
 */

import type { InputLayout } from "../../../graph/layout.ts";
import type { OnnxWriter, Operand } from "../writer.ts";

const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

/** The operand in NCHW. */
export function toNchw(input: Operand, layout: InputLayout, onnx: OnnxWriter): Operand {
  return layout === "nchw" ? input : onnx.transpose(input, TO_NCHW);
}

/** What is NCHW, in the layout of the user. */
export function fromNchw(output: Operand, layout: InputLayout, onnx: OnnxWriter): Operand {
  return layout === "nchw" ? output : onnx.transpose(output, TO_NHWC);
}

/** The permutation that brings dimensions in the order of the letters of `from` into that of `to`. */
export function permutation(from: string, to: string): number[] {
  return [...to].map((letter) => from.indexOf(letter));
}

/** ONNX lists the beginnings of all dimensions before the ends: `[top, left, bottom, right]`. */
export function onnxPads([top, bottom, left, right]: readonly number[]): number[] {
  return [top!, left!, bottom!, right!];
}
