/**
 * Kernels of providers that are inexact or wrong at the edges, as measured with ONNX Runtime 1.30: lowerings write the
 * operator in another way there. What a provider leaves to the CPU is not counted.
 *
 * @module
 */

import type { OnnxWriter } from "../writer.ts";

/** What a kernel does wrong. */
const FLAWS = {
  /** Sigmoid has an absolute error of 6e-8, which is all of the result below −16: of the CPU by its approximation, of CUDA by 1 − 1 / (1 + eˣ). */
  roughSigmoid: ["cpu", "cuda"],
  /** LayerNormalization takes the variance for the difference of two large numbers. */
  uncentredLayers: ["webgpu", "openvino"],
  /** DequantizeLinear with one scale computes a quarter of the elements, where their number is a multiple of 4. */
  partialDequantization: ["webgpu"],
  /** DequantizeLinear subtracts the zero point after it has multiplied both by the scale. */
  roughDequantization: ["openvino"],
  /** Pow refuses two operands of which one has a last dimension of 1 and two dimensions or more, the other one a multiple of 4. */
  narrowPowers: ["webgpu"],
  /** Threads carry out the updates of ScatterND in any order. */
  unorderedScatter: ["cpu"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Whether the provider that a graph is written for has a flaw. */
export function has(flaw: keyof typeof FLAWS, { settings: { provider = "cpu" } }: OnnxWriter): boolean {
  return (FLAWS[flaw] as readonly string[]).includes(provider);
}
