/**
 * Kernels of providers that are inexact or wrong in edge cases, as measured with ONNX Runtime 1.30. For those
 * providers, lowerings write the operator differently. Operators that a provider leaves to the CPU are not listed.
 *
 * @module
 */

import type { OnnxWriter } from "../writer.ts";

/** The flaws of kernels. */
const FLAWS = {
  /**
   * Sigmoid has an absolute error of 6e-8, which is the whole result below −16: on the CPU by its approximation, on
   * CUDA by 1 − 1 / (1 + eˣ).
   */
  roughSigmoid: ["cpu", "cuda"],
  /** LayerNormalization computes the variance as the difference of two large numbers. */
  uncentredLayers: ["webgpu", "openvino"],
  /** DequantizeLinear with one scale computes only a quarter of the elements, if their number is a multiple of 4. */
  partialDequantization: ["webgpu"],
  /**
   * The optimiser moves a transpose from after DequantizeLinear to before it by inserting another pair of quantisation,
   * whose 4-bit values cannot be copied to the device.
   */
  movedHalfBytes: ["webgpu"],
  /** DequantizeLinear multiplies input and zero point by the scale before it subtracts. */
  roughDequantization: ["openvino"],
  /** QuantizeLinear, fused with a sum before it, rounds down. */
  roughQuantization: ["openvino"],
  /**
   * Pow fails if one operand has rank 2 or more and a last dimension of 1, and that of the other is a multiple of 4.
   */
  narrowPowers: ["webgpu"],
  /**
   * Factors and summands after a convolution are merged into its filter and bias, even if these become infinite or 0.
   * If that cannot happen, src/rewrite/ has already merged them.
   */
  carelessMerges: ["openvino"],
  /** Formulas of norms and of x · sigmoid(x) are replaced even if a constant in them has more dimensions than x. */
  lostDimensions: ["openvino"],
  /**
   * Converts a float16 table to float32 before Gather instead of the gathered elements, if its indices are computed. Two
   * casts after Gather, of which at least one is removed, prevent this. Tables of text embeddings are large.
   */
  widenedTables: ["cpu"],
  /** ScatterND applies updates in any order, on several threads. */
  unorderedScatter: ["cpu", "openvino"],
  /** Reductions to 0-D values are left to the CPU, and a graph that uses them and their inputs becomes a cycle. */
  lostScalars: ["openvino"],
  /** After a reduction of the first or last of 3 dimensions, only the first element of a constant `[1, n, 1]` is used. */
  blindReductions: ["openvino"],
  /** Abs of a Concat becomes a Concat of Abs, also for those who use the Concat without Abs. */
  sunkenAbs: ["openvino"],
  /**
   * Float64 is computed in float32, and in a graph that contains it, a float16 product of constants is written as float32,
   * beyond the end of its tensor.
   */
  narrowDoubles: ["openvino"],
  /** Attention (a product, softmax, a product) whose keys or values are constants uses the wrong elements of them. */
  shuffledAttention: ["openvino"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Whether the provider of a graph has a flaw. */
export function hasFlaw(flaw: keyof typeof FLAWS, { settings: { provider = "cpu" } }: OnnxWriter): boolean {
  return (FLAWS[flaw] as readonly string[]).includes(provider);
}
