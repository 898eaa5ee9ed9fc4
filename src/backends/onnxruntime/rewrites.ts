/**
 * Which rewrites each execution provider gains by.
 *
 * @module
 */

import type { RewriteName } from "../../rewrite/rewrite.ts";

/** Those that end in operators of the standard, which every provider has. */
const STANDARD: readonly RewriteName[] = ["geluByErf", "layerNorm", "normScale", "normBias"];
/** Those that end in operators of ONNX Runtime's own domain. */
const OWN: readonly RewriteName[] = ["silu", "rmsNorm", "quantizedMatmul", "quantizedGemm"];

/** Those that end in operators on bytes, for which the CPU has kernels. */
const INTEGER: readonly RewriteName[] = [
  "dynamicQuantization",
  "dequantizedMatmul",
  "dequantizedGemm",
  "castIntegerMatmul",
  "integerMatmulInParts",
  "integerMatmulScale",
  "integerMatmulBias",
];

/** Providers with kernels for ONNX Runtime's own operators; others would leave them to the CPU. */
const WITH_OWN_OPERATORS: readonly string[] = ["cuda", "webgpu"];

/** The rewrites for graphs that run on a provider; without a name, on the CPU. */
export function rewritesOf(provider: string | undefined): readonly RewriteName[] {
  if (provider === undefined) return [...INTEGER, ...STANDARD, ...OWN];
  return WITH_OWN_OPERATORS.includes(provider) ? [...STANDARD, ...OWN] : STANDARD;
}
