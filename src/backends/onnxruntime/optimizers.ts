/**
 * ONNX Runtime's graph optimisers: which of them run, and why. A session runs only those that compute the same function as
 * the operators that they replace. What the others would gain is left to rewrites under exact conditions.
 *
 * @module
 */

import type { OnnxGraph } from "./onnx.ts";

/** The entry of a session's configuration that lists optimisers. */
const DISABLED = "optimization.disable_specified_optimizers";

/** The newest version whose optimisers stand in the table. */
export const REVIEWED_VERSION = "1.30";

/** Whether an optimiser runs: it is proven to keep the function, or it is disabled. */
export type Verdict = "proven" | "disabled";

/** An optimiser of ONNX Runtime. */
export interface Optimizer {
  /** The name that `optimization.disable_specified_optimizers` knows. An unknown one is ignored without a word. */
  readonly name: string;
  /** The optimisation levels at which it runs. */
  readonly levels: readonly number[];
  /** Whether it is a rule, which the engine's log does not name, or a transformer, which it does. */
  readonly kind: "rule" | "transformer";
  readonly verdict: Verdict;
  /** Why. */
  readonly reason: string;
}

const UNREACHABLE = "works on operators that are never written here";
const QUANTIZED = "fuses quantised chains, and takes some for others that it knows";

function row(
  kind: Optimizer["kind"],
  verdict: Verdict,
  levels: readonly number[],
  reasons: Readonly<Record<string, string>>,
): Optimizer[] {
  return Object.entries(reasons).map(([name, reason]) => ({ name, levels, kind, verdict, reason }));
}

/** All optimisers of levels 1 to 3 of the reviewed version, and of those that follow them. */
export const OPTIMIZERS: readonly Optimizer[] = [
  ...row("rule", "proven", [1], {
    EliminateIdentity: "an identity is its input",
    EliminateSlice: "a slice of everything is its input",
    UnsqueezeElimination: "gives a constant its dimensions of 1 beforehand",
    ExpandElimination: "an expansion to the same shape is its input",
    CastElimination: "a cast to the same type is its input",
    NotWhereFusion: "exchanges the branches where the condition is negated",
  }),
  ...row("rule", "disabled", [1], {
    EliminateDropout: UNREACHABLE,
    CastChainElimination: "leaves out casts that round, as float32 to float16 and back",
    PreShapeNodeElimination: UNREACHABLE,
    NoopElimination: "takes −0 + 0, which is 0, for −0",
    DivMulFusion: "makes y / x of (1 / x) · y, also where the 1 has dimensions that x and y lack",
    FuseReluClip: "not needed by any model that was tried; its gain was not measured",
    GemmSumFusion: UNREACHABLE,
    ConvAddFusion:
      "src/rewrite/ adds what stays finite to the bias of a convolution before it; this one makes it infinite too",
    ConvMulFusion:
      "multiplies filters by factors that make them subnormal or infinite; src/rewrite/ does it where they stay normal",
    ConvBNFusion: UNREACHABLE,
    Pad_Fusion: "merges padding by 0 into that of a pool, whose padding is no element",
    MatMul_BatchNormalization_Fusion: UNREACHABLE,
    LabelEncoderFusion: UNREACHABLE,
  }),
  ...row("rule", "disabled", [1, 2], {
    GemmTransposeFusion:
      "drops a transpose whose result is an output of the graph too: nobody writes it then; src/rewrite/ does it rightly, and leaves nothing for the fuzz to find",
  }),
  ...row("rule", "disabled", [2], {
    ClipQuantRewrite: QUANTIZED,
    ReluQuantRewrite: QUANTIZED,
  }),
  ...row("transformer", "proven", [1], {
    ConstantFolding: "computes what depends on constants only beforehand, by the same kernels",
    TransposeOptimizer: "moves transposes past other operators until they meet and cancel; off where a graph quantises",
  }),
  ...row("transformer", "proven", [1, 2], {
    MatMulAddFusion: "starts the sums of a matrix product with what is added to it",
  }),
  ...row("transformer", "disabled", [1], {
    DoubleQDQPairsRemover: "merges two pairs of quantisation into one",
    ConstantSharing: "takes the constants 0 and −0 for one; equal ones are shared before",
    CommonSubexpressionElimination:
      "takes nodes with the attributes 0 and −0 for one; equal ones are written once before",
    ReshapeFusion: UNREACHABLE,
    FreeDimensionOverrideTransformer: UNREACHABLE,
    SliceConcatToSpaceToDepthFusion: "not needed by any model that was tried; its gain was not measured",
    GeluFusionL1: "takes other formulas for gelu, and loses dimensions of constants",
    LayerNormFusionL1: "takes other exponents, signs, epsilons and shapes for those of a layer norm",
    QDQPropagationTransformer: "moves quantisation past other operators, also that of each channel",
    WeightBiasQuantization: "quantises weights and biases that the program did not",
    EnsureUniqueDQForNodeUnit: QUANTIZED,
    WhereDummyDq: QUANTIZED,
  }),
  ...row("transformer", "proven", [2], {
    TransposeOptimizer_CPUExecutionProvider: "the same for what runs on the CPU; off where a graph quantises",
    ConvActivationFusion: "applies an activation to the results of a convolution before they are stored",
    MatmulTransposeFusion: "a transposed operand becomes an attribute of the product",
  }),
  ...row("transformer", "disabled", [2], {
    QDQSelectorActionTransformer: QUANTIZED,
    GemmActivationFusion: "not needed by any model that was tried; its gain was not measured",
    MatMulIntegerToFloatFusion: "src/rewrite/ writes what it makes, under exact conditions",
    DynamicQuantizeMatMulFusion: "src/rewrite/ writes what it makes, under exact conditions",
    GeluFusionL2: "as GeluFusionL1",
    LayerNormFusionL2: "as LayerNormFusionL1",
    SimplifiedLayerNormFusion: "takes other formulas for a root-mean-square norm, and an input for its epsilon",
    AttentionFusion: "takes a mask for one of the kind that BERT has",
    EmbedLayerNormFusion: "checks indices in another way than the operators that it replaces",
    GatherSliceToSplitFusion: "not needed by any model that was tried; its gain was not measured",
    GatherToSliceFusion: UNREACHABLE,
    BiasGeluFusion: "its gelu is another one than the operator's",
    GroupQueryAttentionFusion: UNREACHABLE,
    SkipLayerNormFusion: "its variance loses what mean and values have in common",
    BiasSkipLayerNormFusion: "as SkipLayerNormFusion",
    FastGeluFusion: "takes factors that are near those of the approximation of gelu for them",
    QuickGeluFusion: "loses dimensions of constants",
    BiasSoftmaxFusion: "gains nothing on the CPU",
    BiasDropoutFusion: UNREACHABLE,
    MatMulScaleFusion: "moves factors past sums, which can overflow then",
    MatMulActivationFusion: "is for other providers",
    MatMulNBitsFusion: "not needed by any model that was tried; its gain was not measured",
    GroupQueryAttentionPreNormFusion: UNREACHABLE,
    QDQFinalCleanupTransformer: QUANTIZED,
  }),
  ...row("transformer", "proven", [3], {
    NchwcTransformer: "keeps images in blocks of channels between convolutions and pools",
  }),
  ...row("transformer", "disabled", [3], {
    NhwcTransformer: "is for quantised convolutions and for processors where it was not tried",
    ConvAddActivationFusion: "not needed by any model that was tried; its gain was not measured",
  }),
  ...row("transformer", "proven", [4], {
    FuseFp16InitializerToFp32NodeTransformer: "float16 is computed in float32: casts such constants beforehand",
  }),
];

/**
 * Disabled optimisers that run all the same. It is empty but where the fuzz of company looks whether it finds what they
 * do (`deno task fuzz --company --optimizer NAME`).
 */
export const TRIED_OPTIMIZERS: Set<string> = new Set();

/**
 * The entries of a session's configuration that decide how graphs are optimised.
 *
 * `session.disable_quant_qdq` leaves out what fuses quantised chains: then a product with dequantised weights is one of
 * float32. Constants are dequantised when a session is made.
 * @param allowReducedPrecision whether a matrix product with quantised weights may round its activations to 8 bits
 */
export function optimizerEntries(allowReducedPrecision: boolean): Readonly<Record<string, string>> {
  return {
    [DISABLED]: disabledNames().join(";"),
    "session.disable_quant_qdq": TRIED_OPTIMIZERS.size === 0 ? "1" : "0",
    // 4, the engine's own choice, computes with activations in 8 bits; 0 in float32.
    "session.qdq_matmulnbits_accuracy_level": allowReducedPrecision ? "4" : "0",
  };
}

/** Optimisers that are proven for graphs that quantise nothing. */
const NOT_WHERE_QUANTIZED: readonly string[] = ["TransposeOptimizer", "TransposeOptimizer_CPUExecutionProvider"];

/**
 * The entries in place of {@linkcode optimizerEntries} that a graph needs. Where a transposed value is quantised, what
 * moves transposes gives everybody who uses the value the quantised one instead.
 */
export function entriesForGraph({ nodes }: OnnxGraph): Readonly<Record<string, string>> {
  if (!nodes.some(({ op }) => op === "QuantizeLinear")) return {};
  return { [DISABLED]: [...disabledNames(), ...NOT_WHERE_QUANTIZED].join(";") };
}

function disabledNames(): string[] {
  return namesOf("disabled").filter((name) => !TRIED_OPTIMIZERS.has(name));
}

/** The names of the optimisers with a verdict. */
export function namesOf(verdict: Verdict): string[] {
  return OPTIMIZERS.filter((optimizer) => optimizer.verdict === verdict).map(({ name }) => name);
}

/** Whether the optimisers of a version are all in the table. One of 1.28 has no others than 1.30. */
export function isReviewed(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [reviewedMajor = 0, reviewedMinor = 0] = REVIEWED_VERSION.split(".").map(Number);
  return major < reviewedMajor || (major === reviewedMajor && minor <= reviewedMinor);
}
