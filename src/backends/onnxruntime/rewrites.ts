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

// Lists that stay the same are looked up by the rewrites once.
const onCpu = (...rounding: readonly RewriteName[]) => [
  ...QUANTIZED,
  [...INTEGER, ...STANDARD, ...rounding, ...OWN],
  LAST,
];
const ON_CPU = onCpu();
const ON_CPU_ROUNDING = onCpu(...ROUNDING);
const WITH_OWN = [[...STANDARD, ...OWN], LAST];
const WITHOUT_OWN = [STANDARD, LAST];

/** The rewrites for graphs that run on a provider, pass by pass; without a name, on the CPU. */
export function rewritesOf(
  provider: string | undefined,
  allowReducedPrecision = false,
): readonly (readonly RewriteName[])[] {
  if (provider === undefined) return allowReducedPrecision ? ON_CPU_ROUNDING : ON_CPU;
  return WITH_OWN_OPERATORS.includes(provider) ? WITH_OWN : WITHOUT_OWN;
}
