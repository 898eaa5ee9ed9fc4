/**
 * ONNX Runtime's graph optimisers: which of them run, and why. A session runs only those whose result computes the same
 * function as the original operators. `src/rewrite/` makes useful replacements of the others under
 * exact conditions.
 *
 * @module
 */

import type { OnnxGraph, OnnxNode } from "./onnx.ts";

/** The key of the session configuration entry that lists the disabled optimisers. */
const DISABLED = "optimization.disable_specified_optimizers";

/** The newest version whose optimisers are all in the table. */
export const REVIEWED_VERSION = "1.30";

/** Whether an optimiser runs: it is shown to keep the function, or it is disabled. */
export type Verdict = "proven" | "disabled";

/** An optimiser of ONNX Runtime. */
export interface Optimizer {
  /** The name in `optimization.disable_specified_optimizers`, which silently ignores unknown names. */
  readonly name: string;
  /** The optimisation levels at which it runs. */
  readonly levels: readonly number[];
  /** A transformer is named in the engine's log, a rule is not. */
  readonly kind: "rule" | "transformer";
  readonly verdict: Verdict;
  /** What it does, or what it does wrong. */
  readonly reason: string;
  /**
   * For a disabled optimiser: why the fuzz of combinations finds no fault if only this one is enabled. For the other
   * disabled optimisers, a seed in tests/fuzz/combinations_test.ts shows the fault.
   */
  readonly unfound?: string;
}

/** What an optimiser does, and why the fuzz finds no fault. */
type Unfound = readonly [reason: string, unfound: string];

function row(
  kind: Optimizer["kind"],
  verdict: Verdict,
  levels: readonly number[],
  reasons: Readonly<Record<string, string | Unfound>>,
): Optimizer[] {
  return Object.entries(reasons).map(([name, text]) => {
    const [reason, unfound] = typeof text === "string" ? [text] : text;
    return { name, levels, kind, verdict, reason, ...unfound === undefined ? {} : { unfound } };
  });
}

/** An optimiser of operators that the backend never writes. */
function unreachable(reason: string, ...operators: readonly string[]): Unfound {
  return [reason, `works on ${operators.join(" and ")}, which this backend never writes`];
}

/** All optimisers of the reviewed version: levels 1 to 3, and those that run after them (level 4). */
export const OPTIMIZERS: readonly Optimizer[] = [
  ...row("rule", "proven", [1], {
    EliminateIdentity: "replaces an identity by its input",
    EliminateSlice: "replaces a slice of the whole input by the input",
    UnsqueezeElimination: "adds dimensions of size 1 to a constant in advance",
    ExpandElimination: "replaces an expansion to the same shape by its input",
    CastElimination: "replaces a cast to the same type by its input",
    NotWhereFusion: "swaps the branches of a where instead of negating its condition",
  }),
  ...row("rule", "disabled", [1], {
    EliminateDropout: unreachable("removes operators that only matter in training", "Dropout"),
    CastChainElimination: [
      "removes casts that round, such as float32 to float16 and back",
      "runs only if session.enable_cast_chain_elimination is 1",
    ],
    PreShapeNodeElimination: unreachable("removes casts before a shape is read", "Shape"),
    NoopElimination: "replaces −0 + 0, which is 0, by −0",
    DivMulFusion: "replaces (1 / x) · y by y / x, even if the 1 has dimensions that x and y lack",
    FuseReluClip: "gives −0 instead of 0 for relu and then a clip with the minimum −0",
    GemmSumFusion: unreachable("merges a sum into a matrix product", "Sum"),
    ConvAddFusion: "can make a bias infinite; src/rewrite/ merges summands if the bias stays finite",
    ConvMulFusion: "can make weights subnormal or infinite; src/rewrite/ merges factors if no precision is lost",
    ConvBNFusion: [
      "merges factors and summands per channel into a convolution",
      "src/rewrite/ merges them first, if no precision is lost; it merged the others correctly in 800 programs",
    ],
    Pad_Fusion: "merges padding by 0 into a pool, which does not count its own padding as elements",
    MatMul_BatchNormalization_Fusion: [
      "merges factors and summands per channel into a matrix product",
      "it was right in 800 programs",
    ],
    LabelEncoderFusion: unreachable("merges two tables", "LabelEncoder"),
  }),
  ...row("rule", "disabled", [1, 2], {
    GemmTransposeFusion: [
      "replaces transposes by attributes of a product; drops a transpose that is also an output of the graph",
      "src/rewrite/ merges transposes before a product first; it merged the others correctly in 745 programs",
    ],
  }),
  ...row("rule", "disabled", [2], {
    ClipQuantRewrite: [
      "removes a clamp before a quantisation that clips at least as much",
      "it was right in 1,517 programs; none of the eight models of bench:models has its pattern",
    ],
    ReluQuantRewrite: [
      "removes a relu before a quantisation whose minimum is 0",
      "it was right in 1,366 programs; none of the eight models of bench:models has its pattern",
    ],
  }),
  ...row("transformer", "proven", [1], {
    ReshapeFusion: "removes the first of two reshapes",
    SliceConcatToSpaceToDepthFusion:
      "moves blocks of pixels into channels in one step, in 0.4 times the time of four slices and a concat",
    ConstantFolding:
      "computes operators on constants in advance, with the same kernels; off on OpenVINO for graphs with a constant output, which OpenVINO rejects",
    TransposeOptimizer: "moves transposes past other operators until they cancel; off for graphs that quantise",
  }),
  ...row("transformer", "proven", [1, 2], {
    MatMulAddFusion: "starts the sums of a matrix product with the summand that is added to it",
  }),
  ...row("transformer", "disabled", [1], {
    DoubleQDQPairsRemover: "merges two pairs of quantisation into one",
    ConstantSharing: [
      "merges equal constants of one element",
      "the lowering already writes equal constants once: it was right in 1,111 programs, and gains nothing",
    ],
    CommonSubexpressionElimination:
      "merges nodes whose attributes differ in 0 and −0; the lowering already writes equal nodes once",
    FreeDimensionOverrideTransformer: ["sets the size of free dimensions", "no graph has free dimensions"],
    GeluFusionL1: "mistakes other formulas for gelu, and loses dimensions of constants",
    LayerNormFusionL1: "mistakes formulas with other exponents, signs, epsilons and shapes for a layer norm",
    QDQPropagationTransformer: "moves quantisation past other operators, even quantisation per channel",
    WeightBiasQuantization: "quantises weights and biases that the program did not quantise",
    EnsureUniqueDQForNodeUnit: [
      "gives each user of a dequantised value its own dequantisation",
      "the engine always does this before all optimisers: doing it again changes no graph",
    ],
    WhereDummyDq: [
      "replaces a number by a dequantisation if the other branch of the where is one, for QDQSelectorActionTransformer",
      "the number becomes the scale, so its value stays the same: alone, it was right in 729 programs",
    ],
  }),
  ...row("transformer", "proven", [2], {
    TransposeOptimizer_CPUExecutionProvider:
      "the same as TransposeOptimizer, for nodes on the CPU; off for graphs that quantise",
    ConvActivationFusion:
      "applies an activation to the results of a convolution before they are stored; off on WebGPU if two activations follow, because it drops the first",
    MatmulTransposeFusion: "replaces a transposed operand by an attribute of the product",
    GemmActivationFusion: "applies an activation to a matrix product in the same step",
    BiasGeluFusion: "adds a bias and applies gelu in the same step",
    MatMulNBitsFusion: "starts the sums of a product with 4- or 8-bit weights with the summand that is added to it",
  }),
  ...row("transformer", "disabled", [2], {
    QDQSelectorActionTransformer: "fuses quantised chains, and mistakes some for others",
    MatMulIntegerToFloatFusion: [
      "multiplies integers and scales the sums in one step",
      "src/rewrite/ makes the same replacement first, under exact conditions",
    ],
    DynamicQuantizeMatMulFusion: [
      "quantises and multiplies in one step",
      "src/rewrite/ makes the same replacement first, under exact conditions",
    ],
    GeluFusionL2: [
      "the same as GeluFusionL1",
      "changes none of 1,800 programs: it is for opsets before 20, which have no gelu; graphs use opset 21",
    ],
    LayerNormFusionL2: [
      "the same as LayerNormFusionL1",
      "changes none of 1,800 programs: it is for opsets before 17, which have no layer norm; graphs use opset 21",
    ],
    SimplifiedLayerNormFusion: "mistakes other formulas for a root-mean-square norm, and an input for its epsilon",
    AttentionFusion: [
      "mistakes other masks for a BERT mask",
      "changes none of 1,800 programs: it looks for a mask from Unsqueeze, which is only written for recurrent networks",
    ],
    EmbedLayerNormFusion: [
      "checks indices differently from the operators that it replaces",
      "changes none of 1,800 programs: it looks for indices that are inputs; here they are clamped first",
    ],
    GatherSliceToSplitFusion: [
      "replaces gathers of all indices along an axis by one split",
      "it was right in 1,087 programs; with eight rows of 4,096 it takes 1.14 times as long",
    ],
    GatherToSliceFusion: unreachable("replaces a gather of a range of indices by a slice", "Range"),
    GroupQueryAttentionFusion: unreachable("merges the preparation of the operands", "GroupQueryAttention"),
    SkipLayerNormFusion: [
      "adds and normalises in one kernel",
      "it was right in 968 programs; a norm of 128 · 384 elements takes 3.3 times as long",
    ],
    BiasSkipLayerNormFusion: [
      "merges a bias into the kernel of SkipLayerNormFusion",
      "works on SkipLayerNormalization, which only SkipLayerNormFusion writes; together they were right in 800 programs",
    ],
    FastGeluFusion: "loses dimensions of constants",
    QuickGeluFusion: [
      "replaces x · sigmoid(a · x) by one operator",
      "src/rewrite/ replaces its pattern in float32 first; in float16 it was right in 1,023 programs",
    ],
    BiasSoftmaxFusion: ["adds a mask and applies softmax in one kernel", "only for CUDA"],
    BiasDropoutFusion: unreachable("adds a bias in the same kernel", "Dropout"),
    MatMulScaleFusion: "moves factors past sums, which can then overflow",
    MatMulActivationFusion: ["applies an activation in the kernel of a product", "only for DirectML"],
    GroupQueryAttentionPreNormFusion: unreachable("normalises the operands in the same kernel", "GroupQueryAttention"),
    QDQFinalCleanupTransformer: [
      "removes the remaining pairs of quantisation",
      "runs only if session.enable_quant_qdq_cleanup is 1",
    ],
  }),
  ...row("transformer", "proven", [3], {
    NchwcTransformer: "keeps images in blocks of channels from one convolution or pool to the next",
  }),
  ...row("transformer", "disabled", [3], {
    NhwcTransformer: [
      "runs quantised convolutions with the channels last, between transposes",
      "it was right in 1,000 programs; processors where it does more were not tested",
    ],
    ConvAddActivationFusion: [
      "adds a value and applies an activation in the kernel of a convolution",
      "NchwcTransformer replaces convolutions first; it fused the others correctly in 739 programs",
    ],
  }),
  ...row("transformer", "proven", [4], {
    FuseFp16InitializerToFp32NodeTransformer: "casts float16 constants in advance, where operators compute in float32",
  }),
];

/**
 * Disabled optimisers that are enabled for a trial. Only the fuzz of combinations adds names, to see whether it finds
 * their fault (`deno task fuzz --combinations --optimizer NAME`).
 */
export const TRIED_OPTIMIZERS: Set<string> = new Set();

/**
 * The entries of the session configuration that control how graphs are optimised.
 *
 * `session.disable_quant_qdq` disables the fusion of quantised chains, so that a product with dequantised weights is
 * computed in float32. Constants are dequantised when a session is created.
 * @param allowReducedPrecision whether a matrix product with quantised weights may round its activations to 8 bits
 */
export function optimizerEntries(allowReducedPrecision: boolean): Readonly<Record<string, string>> {
  return {
    [DISABLED]: disabledNames().join(";"),
    "session.disable_quant_qdq": TRIED_OPTIMIZERS.size === 0 ? "1" : "0",
    // 4, the engine's default, rounds activations to 8 bits; 0 keeps them in float32.
    "session.qdq_matmulnbits_accuracy_level": allowReducedPrecision ? "4" : "0",
  };
}

/** Optimisers that are disabled for graphs that quantise. */
const OFF_IF_QUANTIZED: readonly string[] = ["TransposeOptimizer", "TransposeOptimizer_CPUExecutionProvider"];

/** The activations that WebGPU's convolution kernel can apply. */
const ACTIVATIONS: ReadonlySet<string> = new Set([
  ...["Clip", "Elu", "Erf", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "QuickGelu", "Relu"],
  ...["Sigmoid", "Softplus", "Tanh"],
]);
/** Operators that earlier optimisers may move or remove. */
const TRANSPARENT: ReadonlySet<string> = new Set(["Identity", "Transpose"]);

/**
 * The entries that a graph needs instead of those of {@linkcode optimizerEntries}, because of faults of the engine:
 * - If a transposed value is quantised, the transpose optimisers give all its users the quantised value.
 * - If two activations follow a convolution on WebGPU, the engine drops the first one.
 * - OpenVINO rejects an output that has become a constant.
 */
export function entriesForGraph(onnx: OnnxGraph, provider = "cpu"): Readonly<Record<string, string>> {
  const others = [
    ...onnx.nodes.some(({ op }) => op === "QuantizeLinear") ? OFF_IF_QUANTIZED : [],
    ...provider === "webgpu" && isActivatedTwice(onnx) ? ["ConvActivationFusion"] : [],
    ...provider === "openvino" && hasConstantOutput(onnx) ? ["ConstantFolding"] : [],
  ];
  return others.length === 0 ? {} : { [DISABLED]: [...disabledNames(), ...others].join(";") };
}

/** Whether some but not all outputs depend on constants only. */
function hasConstantOutput({ initializers, nodes, outputs }: OnnxGraph): boolean {
  const constants = new Set(initializers.map(({ name }) => name));
  for (const node of nodes) {
    const isFixed = node.inputs.every((name) => name === "" || constants.has(name));
    if (isFixed) { for (const output of node.outputs) constants.add(output); }
  }
  const isConstant = outputs.map(({ name }) => constants.has(name));
  return isConstant.includes(true) && isConstant.includes(false);
}

/** Whether a convolution is followed by two activations. */
function isActivatedTwice({ nodes }: OnnxGraph): boolean {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const before = (node: OnnxNode | undefined) => {
    let producer = node && producers.get(node.inputs[0]!);
    while (producer && TRANSPARENT.has(producer.op)) producer = producers.get(producer.inputs[0]!);
    return producer;
  };
  return nodes.some((last) => {
    const first = ACTIVATIONS.has(last.op) ? before(last) : undefined;
    return first !== undefined && ACTIVATIONS.has(first.op) && before(first)?.op === "Conv";
  });
}

function disabledNames(): string[] {
  return namesOf("disabled").filter((name) => !TRIED_OPTIMIZERS.has(name));
}

/** The names of all optimisers with this verdict. */
export function namesOf(verdict: Verdict): string[] {
  return OPTIMIZERS.filter((optimizer) => optimizer.verdict === verdict).map(({ name }) => name);
}

/** Whether the table has all optimisers of a version. Versions 1.28 and 1.29 have no others than 1.30. */
export function isReviewed(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [reviewedMajor = 0, reviewedMinor = 0] = REVIEWED_VERSION.split(".").map(Number);
  return major < reviewedMajor || (major === reviewedMajor && minor <= reviewedMinor);
}
