/**
 * ONNX Runtime's graph optimisers: which of them run, and why. A session runs only those that compute the same function as
 * the operators that they replace. What the others would gain is left to rewrites under exact conditions.
 *
 * @module
 */

import type { OnnxGraph, OnnxNode } from "./onnx.ts";

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
  /** Why; of one that is disabled, what it does. */
  readonly reason: string;
  /**
   * Why the fuzz of company does not find what a disabled one does, switched on alone. The others have a seed each in
   * tests/fuzz/company_test.ts.
   */
  readonly unfound?: string;
}

/** The reason, and why the fuzz finds nothing. */
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

/** An optimiser that has nothing to work on. */
function unreachable(reason: string, ...operators: readonly string[]): Unfound {
  return [reason, `works on ${operators.join(" and ")}, which is never written here`];
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
    EliminateDropout: unreachable("leaves out what does nothing outside of a training", "Dropout"),
    CastChainElimination: [
      "leaves out casts that round, as float32 to float16 and back",
      "runs only where session.enable_cast_chain_elimination is 1",
    ],
    PreShapeNodeElimination: unreachable("leaves out casts before a shape is read", "Shape"),
    NoopElimination: "takes −0 + 0, which is 0, for −0",
    DivMulFusion: "makes y / x of (1 / x) · y, also where the 1 has dimensions that x and y lack",
    FuseReluClip: "makes −0 of what was rectified and then has −0 for its least value",
    GemmSumFusion: unreachable("takes a sum up into a product of matrices", "Sum"),
    ConvAddFusion: "makes a bias infinite; src/rewrite/ takes up summands where it stays finite",
    ConvMulFusion: "makes weights subnormal or infinite; src/rewrite/ takes up factors where no digit is lost",
    ConvBNFusion: unreachable("takes a normalisation up into a convolution", "BatchNormalization"),
    Pad_Fusion: "merges padding by 0 into that of a pool, whose padding is no element",
    MatMul_BatchNormalization_Fusion: unreachable(
      "takes a normalisation up into a product of matrices",
      "BatchNormalization",
    ),
    LabelEncoderFusion: unreachable("makes one table of two", "LabelEncoder"),
  }),
  ...row("rule", "disabled", [1, 2], {
    GemmTransposeFusion: [
      "makes transposes attributes of a product; drops one whose result is an output of the graph too",
      "src/rewrite/ takes transposes before a product first; those that are left it merged rightly in 745 programs",
    ],
  }),
  ...row("rule", "disabled", [2], {
    ClipQuantRewrite: [
      "leaves out a clamp before a quantisation that cuts off as much",
      "it kept the function in 1,517 programs; none of eight models of bench:models has its pattern",
    ],
    ReluQuantRewrite: [
      "leaves out a relu before a quantisation whose least value is 0",
      "it kept the function in 1,366 programs; none of eight models of bench:models has its pattern",
    ],
  }),
  ...row("transformer", "proven", [1], {
    ReshapeFusion: "of two reshapes leaves out the first",
    SliceConcatToSpaceToDepthFusion:
      "moves pixels of blocks into channels in one step, in 0.4 times the time of four slices and a concat",
    ConstantFolding:
      "computes what depends on constants only beforehand, by the same kernels; off on OpenVINO for graphs of which an output is constant, which it refuses",
    TransposeOptimizer: "moves transposes past other operators until they meet and cancel; off where a graph quantises",
  }),
  ...row("transformer", "proven", [1, 2], {
    MatMulAddFusion: "starts the sums of a matrix product with what is added to it",
  }),
  ...row("transformer", "disabled", [1], {
    DoubleQDQPairsRemover: "merges two pairs of quantisation into one",
    ConstantSharing: [
      "writes equal constants of one element once",
      "equal ones are written once before: it kept the function in 1,111 programs, and gains nothing",
    ],
    CommonSubexpressionElimination:
      "takes nodes with the attributes 0 and −0 for one; equal ones are written once before",
    FreeDimensionOverrideTransformer: ["gives free dimensions a size", "no graph has free dimensions"],
    GeluFusionL1: "takes other formulas for gelu, and loses dimensions of constants",
    LayerNormFusionL1: "takes other exponents, signs, epsilons and shapes for those of a layer norm",
    QDQPropagationTransformer: "moves quantisation past other operators, also that of each channel",
    WeightBiasQuantization: "quantises weights and biases that the program did not",
    EnsureUniqueDQForNodeUnit: [
      "gives each user of a dequantised value a dequantisation of its own",
      "the engine does it before all optimisers in any case: to do it again changes no graph",
    ],
    WhereDummyDq: [
      "writes a number beside a dequantised value as a dequantisation, for QDQSelectorActionTransformer",
      "the number is its own scale: by itself it kept the function in 729 programs",
    ],
  }),
  ...row("transformer", "proven", [2], {
    TransposeOptimizer_CPUExecutionProvider: "the same for what runs on the CPU; off where a graph quantises",
    ConvActivationFusion:
      "applies an activation to the results of a convolution before they are stored; off on WebGPU where two follow: it forgets the first",
    MatmulTransposeFusion: "a transposed operand becomes an attribute of the product",
    GemmActivationFusion: "applies an activation to a product of matrices in the same step",
    BiasGeluFusion: "adds a bias and applies gelu in the same step",
    MatMulNBitsFusion: "starts the sums of a product with weights of a few bits with what is added to it",
  }),
  ...row("transformer", "disabled", [2], {
    QDQSelectorActionTransformer: "fuses quantised chains, and takes some for others that it knows",
    MatMulIntegerToFloatFusion: [
      "multiplies integers and scales the sums in one step",
      "src/rewrite/ writes what it makes, under exact conditions, and leaves nothing for it",
    ],
    DynamicQuantizeMatMulFusion: [
      "quantises and multiplies in one step",
      "src/rewrite/ writes what it makes, under exact conditions, and leaves nothing for it",
    ],
    GeluFusionL2: [
      "as GeluFusionL1",
      "changes none of 1,800 programs: it is for opsets without gelu, before 20; graphs are of 21",
    ],
    LayerNormFusionL2: [
      "as LayerNormFusionL1",
      "changes none of 1,800 programs: it is for opsets without the norm, before 17; graphs are of 21",
    ],
    SimplifiedLayerNormFusion: "takes other formulas for a root-mean-square norm, and an input for its epsilon",
    AttentionFusion: [
      "takes a mask for one of the kind that BERT has",
      "changes none of 1,800 programs: it looks for a mask that Unsqueeze made, which is written for recurrent networks only",
    ],
    EmbedLayerNormFusion: [
      "checks indices in another way than the operators that it replaces",
      "changes none of 1,800 programs: it looks for indices that are inputs; here they are clamped to the table before",
    ],
    GatherSliceToSplitFusion: [
      "takes all positions of an axis by one split",
      "it kept the function in 1,087 programs; eight rows of 4,096 take it 1.14 times as long",
    ],
    GatherToSliceFusion: unreachable("gathers a range of indices by a slice", "Range"),
    GroupQueryAttentionFusion: unreachable("merges what prepares the operands", "GroupQueryAttention"),
    SkipLayerNormFusion: [
      "adds and normalises in one kernel",
      "it kept the function in 968 programs; a norm of 128 · 384 elements takes 3.3 times as long",
    ],
    BiasSkipLayerNormFusion: [
      "takes a bias up into that kernel",
      "works on SkipLayerNormalization, which only SkipLayerNormFusion writes; both kept the function in 800 programs",
    ],
    FastGeluFusion: "loses dimensions of constants",
    QuickGeluFusion: [
      "makes one operator of x · sigmoid(a · x)",
      "src/rewrite/ takes its pattern in float32 first; what is left in float16 it kept right in 1,023 programs",
    ],
    BiasSoftmaxFusion: ["adds a mask and applies softmax in one kernel", "is for CUDA"],
    BiasDropoutFusion: unreachable("adds a bias in the same kernel", "Dropout"),
    MatMulScaleFusion: "moves factors past sums, which can overflow then",
    MatMulActivationFusion: ["applies an activation in the kernel of a product", "is for DirectML"],
    GroupQueryAttentionPreNormFusion: unreachable("normalises the operands in the same kernel", "GroupQueryAttention"),
    QDQFinalCleanupTransformer: [
      "leaves out pairs of quantisation that are left",
      "does nothing unless session.enable_quant_qdq_cleanup is 1",
    ],
  }),
  ...row("transformer", "proven", [3], {
    NchwcTransformer: "keeps images in blocks of channels between convolutions and pools",
  }),
  ...row("transformer", "disabled", [3], {
    NhwcTransformer: [
      "puts quantised convolutions between transposes, with the channels last",
      "it kept the function in 1,000 programs; processors where it does more were not tried",
    ],
    ConvAddActivationFusion: [
      "adds a value and applies an activation in the kernel of a convolution",
      "NchwcTransformer takes convolutions first; what is left it kept right in 739 programs",
    ],
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

/** What WebGPU's kernel of a convolution takes up. */
const ACTIVATIONS: ReadonlySet<string> = new Set([
  ...["Clip", "Elu", "Erf", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "QuickGelu", "Relu"],
  ...["Sigmoid", "Softplus", "Tanh"],
]);
/** What the optimisers before it may move elsewhere or leave out. */
const TRANSPARENT: ReadonlySet<string> = new Set(["Identity", "Transpose"]);

/**
 * The entries in place of {@linkcode optimizerEntries} that a graph needs. Where a transposed value is quantised, what
 * moves transposes gives everybody who uses the value the quantised one instead. Where two activations follow a
 * convolution on WebGPU, the second one takes the place of the first. OpenVINO refuses an output that has become a
 * constant.
 */
export function entriesForGraph(onnx: OnnxGraph, provider = "cpu"): Readonly<Record<string, string>> {
  const others = [
    ...onnx.nodes.some(({ op }) => op === "QuantizeLinear") ? NOT_WHERE_QUANTIZED : [],
    ...provider === "webgpu" && isActivatedTwice(onnx) ? ["ConvActivationFusion"] : [],
    ...provider === "openvino" && hasConstantOutput(onnx) ? ["ConstantFolding"] : [],
  ];
  return others.length === 0 ? {} : { [DISABLED]: [...disabledNames(), ...others].join(";") };
}

/** Whether an output depends on constants only, and another one does not. */
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
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const before = (node: OnnxNode | undefined) => {
    let maker = node && makers.get(node.inputs[0]!);
    while (maker && TRANSPARENT.has(maker.op)) maker = makers.get(maker.inputs[0]!);
    return maker;
  };
  return nodes.some((last) => {
    const first = ACTIVATIONS.has(last.op) ? before(last) : undefined;
    return first !== undefined && ACTIVATIONS.has(first.op) && before(first)?.op === "Conv";
  });
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
