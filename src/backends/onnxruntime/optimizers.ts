/**
 * What ONNX Runtime's optimisers may do to a graph: they are all on, but for those that are known to change what it
 * computes.
 *
 * @module
 */

/** The optimisers that are off, by the engine's names. ONNX Runtime ignores a name that it does not know in silence. */
export const DISABLED_OPTIMIZERS: readonly string[] = [
  // (1 / x) · y becomes y / x, also where the 1 has dimensions that x and y lack: the result then has the wrong shape, and
  // the graph is refused.
  "DivMulFusion",
  // They take other formulas for those of norms and activations, and lose dimensions of constants. src/rewrite/ does that
  // under exact conditions.
  "GeluFusionL1",
  "GeluFusionL2",
  "QuickGeluFusion",
  "LayerNormFusionL1",
  "LayerNormFusionL2",
  "SimplifiedLayerNormFusion",
];

/**
 * The session entries that decide how graphs are optimised.
 * @param allowReducedPrecision whether a matrix product with 4-bit or 8-bit weights may round its activations to 8 bits
 */
export function optimizerEntries(allowReducedPrecision: boolean): Readonly<Record<string, string>> {
  return {
    "optimization.disable_specified_optimizers": DISABLED_OPTIMIZERS.join(";"),
    // Quantisations to int8 stay so. ONNX Runtime 1.30 makes them uint8 on x64 after it has marked copies of them as int8,
    // and refuses the graph.
    "session.qdqisint8allowed": "1",
    // 4, the engine's own choice, computes with activations in 8 bits; 0 in float32.
    "session.qdq_matmulnbits_accuracy_level": allowReducedPrecision ? "4" : "0",
  };
}
