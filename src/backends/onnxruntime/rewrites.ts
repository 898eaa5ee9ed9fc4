/**
 * Which rewrites each execution provider gains by.
 *
 * @module
 */

import type { RewriteName } from "../../rewrite/rewrite.ts";

/** Those that end in operators of the standard, which every provider has. */
const STANDARD: readonly RewriteName[] = [
  "geluByErf",
  "layerNorm",
  "normScale",
  "normBias",
  "paddedConvolution",
  "scaledConvolution",
  "shiftedConvolution",
  "normalizedConvolution",
  "transposedGemm",
];
/** Those that end in operators of ONNX Runtime's own domain. */
const OWN: readonly RewriteName[] = ["silu", "rmsNorm", "quantizedMatmul", "quantizedGemm"];

/** Those that round activations to 8 bits. */
const ROUNDING: readonly RewriteName[] = ["roundedMatmul", "roundedGemm"];

/** Those that end in operators on bytes, for which the CPU has kernels. */
const INTEGER: readonly RewriteName[] = [
  "dynamicQuantization",
  "dequantizedMatmul",
  "dequantizedGemm",
  "castIntegerMatmul",
  "integerMatmulInParts",
  "integerMatmulScale",
  "integerMatmulBias",
  "dequantizedConvolution",
  "castIntegerConvolution",
  "integerConvolutionInParts",
];

/** Providers with kernels for ONNX Runtime's own operators; others would leave them to the CPU. */
const WITH_OWN_OPERATORS: readonly string[] = ["cuda", "webgpu"];

/** Those of bytes to bytes, before others take their parts. */
const QUANTIZED: readonly (readonly RewriteName[])[] = [
  ["unsignedActivation"],
  ["quantizedConvolution", "quantizedBinary", "quantizedSigmoid", "movedBytes"],
];

/** Those that take slices, which others take for parts of their patterns. */
const LAST: readonly RewriteName[] = ["slicesOfAll"];

/** The rewrites for graphs that run on a provider, pass by pass; without a name, on the CPU. */
export function rewritesOf(
  provider: string | undefined,
  allowReducedPrecision = false,
): readonly (readonly RewriteName[])[] {
  const rounding = allowReducedPrecision ? ROUNDING : [];
  if (provider === undefined) return [...QUANTIZED, [...INTEGER, ...STANDARD, ...rounding, ...OWN], LAST];
  return [WITH_OWN_OPERATORS.includes(provider) ? [...STANDARD, ...OWN] : STANDARD, LAST];
}
