/**
 * Which rewrites each execution provider benefits from.
 *
 * @module
 */

import type { RewriteName } from "../../rewrite/rewrite.ts";

/** Rewrites to standard operators, which every provider supports. */
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
/** Rewrites to operators of ONNX Runtime's own domain. */
const OWN: readonly RewriteName[] = ["silu", "rmsNorm", "quantizedMatmul", "quantizedGemm"];

/** Rewrites that were measured on the CPU only, or to operators that only the CPU has. */
const CPU: readonly RewriteName[] = [
  "affineChannels",
  "convolutionOfAffine",
  "geluByTanh",
  "hardSwish",
  "scaledMatmul",
];

/** Rewrites that round activations to 8 bits. */
const ROUNDING: readonly RewriteName[] = ["roundedMatmul", "roundedGemm"];

/** Rewrites to operators on 8-bit integers, for which the CPU has kernels. */
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

/** Rewrites of patterns from 8 bits to 8 bits. They run first, because other rewrites match parts of these patterns. */
const QUANTIZED: readonly (readonly RewriteName[])[] = [
  ["unsignedActivation"],
  ["quantizedConvolution", "quantizedBinary", "quantizedSigmoid", "movedBytes"],
];

/** Rewrites of slices and reshapes. They run last, because other rewrites match these as parts of their patterns. */
const LAST: readonly RewriteName[] = ["slicesToSplit", "activationBeforeReshape", "reshapedBack"];

const onCpu = (...rounding: readonly RewriteName[]) => [
  ...QUANTIZED,
  [...INTEGER, ...STANDARD, ...CPU, ...rounding, ...OWN],
  LAST,
];
const ON_CPU = onCpu();
const ON_CPU_ROUNDING = onCpu(...ROUNDING);
const WITH_OWN = [[...STANDARD, ...OWN], LAST];
const WITHOUT_OWN = [STANDARD, LAST];

/** The rewrites for graphs on a provider, pass by pass; by default, on the CPU. */
export function rewritesOf(
  provider: string | undefined,
  allowReducedPrecision = false,
): readonly (readonly RewriteName[])[] {
  if (provider === undefined) return allowReducedPrecision ? ON_CPU_ROUNDING : ON_CPU;
  return WITH_OWN_OPERATORS.includes(provider) ? WITH_OWN : WITHOUT_OWN;
}
