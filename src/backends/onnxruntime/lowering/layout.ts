/**
 * Layouts. ONNX Runtime's image operators use NCHW. Other layouts are transposed before and after; the engine's
 * optimiser cancels neighbouring transposes.
 *
 * @module
 */

import type { InputLayout } from "../../../graph/layout.ts";
import type { OnnxWriter, Operand } from "../writer.ts";

const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

/** Transposes an operand to NCHW. */
export function toNchw(input: Operand, layout: InputLayout, onnx: OnnxWriter): Operand {
  return layout === "nchw" ? input : onnx.transpose(input, TO_NCHW);
}

/** Transposes an NCHW result to the user's layout. */
export function fromNchw(output: Operand, layout: InputLayout, onnx: OnnxWriter): Operand {
  return layout === "nchw" ? output : onnx.transpose(output, TO_NHWC);
}

/** The permutation from the dimension order `from` to `to`, each letter a dimension. */
export function permutation(from: string, to: string): number[] {
  return [...to].map((letter) => from.indexOf(letter));
}

/** ONNX lists the beginnings of all dimensions first: `[top, left, bottom, right]`. */
export function onnxPads([top, bottom, left, right]: readonly number[]): number[] {
  return [top!, left!, bottom!, right!];
}
