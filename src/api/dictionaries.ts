/**
 * The dictionaries of the standard that callers pass, as types. Their defaults and rules stand in the rows of src/ops.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import type { MLOperand } from "./ml_operand.ts";
import type { MLTensor } from "./ml_tensor.ts";

export type { MLOperandDataType } from "../data_type.ts";
export type { AllowSharedBufferSource } from "../webidl/buffers.ts";

/** A number, or a BigInt for 64-bit integers. */
export type MLNumber = number | bigint;

/** Operands by name, as outputs of a graph. */
export type MLNamedOperands = Readonly<Record<string, MLOperand>>;

/** Tensors by name, as inputs and outputs of a dispatch. */
export type MLNamedTensors = Readonly<Record<string, MLTensor>>;

/** The layout of a 4-D input: batches, channels, height, width. */
export type MLInputOperandLayout = "nchw" | "nhwc";

/** The layout of a filter: output channels, input channels per group, height, width. */
export type MLConv2dFilterOperandLayout = "oihw" | "hwio" | "ohwi" | "ihwo";

/** The layout of a transposed filter: input channels, output channels per group, height, width. */
export type MLConvTranspose2dFilterOperandLayout = "iohw" | "hwoi" | "ohwi";

/** How the size of a pool's output is rounded. */
export type MLRoundingType = "floor" | "ceil";

/** The order of gates in the weights of a GRU: update, reset, new. */
export type MLGruWeightLayout = "zrn" | "rzn";

/** The order of gates in the weights of an LSTM: input, output, forget, cell. */
export type MLLstmWeightLayout = "iofg" | "ifgo";

/** What `pad()` fills a border with: a constant, the element at the edge, or the elements beside the edge in reverse. */
export type MLPaddingMode = "constant" | "edge" | "reflection";

/** A function applied within a recurrent network. */
export type MLRecurrentNetworkActivation = "relu" | "sigmoid" | "tanh";

/** The order in which a recurrent network walks the steps; `"both"` is two networks beside each other. */
export type MLRecurrentNetworkDirection = "forward" | "backward" | "both";

/** How values between two elements come about. */
export type MLInterpolationMode = "nearest-neighbor" | "linear";

/** What a context is preferred for. */
export type MLPowerPreference = "default" | "high-performance" | "low-power";

/**
 * The options of `ml.createContext()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlcontextoptions
 */
export interface MLContextOptions {
  /** A hint; `"default"` by default. */
  powerPreference?: MLPowerPreference;
  /** Whether an accelerator is wanted; `true` by default. `MLContext.accelerated` tells what came of it. */
  accelerated?: boolean;
  /** The kind of device, which clients of earlier texts of the standard still send. A hint. */
  deviceType?: "cpu" | "gpu" | "npu";
}

/**
 * Why a context was lost.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlcontextlostinfo
 */
export interface MLContextLostInfo {
  /** The reason, for people. */
  message: string;
}

/**
 * The data type and shape of an operand.
 * @see https://www.w3.org/TR/webnn/#dictdef-mloperanddescriptor
 */
export interface MLOperandDescriptor {
  /** The type of one element. */
  dataType: MLOperandDataType;
  /** The dimensions, outermost first, each from 1 to 2³¹ − 1; `[]` for a scalar. */
  shape: readonly number[];
}

/**
 * A tensor to be created.
 * @see https://www.w3.org/TR/webnn/#dictdef-mltensordescriptor
 */
export interface MLTensorDescriptor extends MLOperandDescriptor {
  /** Whether `readTensor()` may be called; `false` by default. */
  readable?: boolean;
  /** Whether `writeTensor()` may be called; `false` by default. */
  writable?: boolean;
}

/**
 * The options of every operator.
 * @see https://www.w3.org/TR/webnn/#dictdef-mloperatoroptions
 */
export interface MLOperatorOptions {
  /** A name for error messages. */
  label?: string;
}

/**
 * The options of `argMin()` and `argMax()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlargminmaxoptions
 */
export interface MLArgMinMaxOptions extends MLOperatorOptions {
  /** Whether the axis stays with size 1; `false` by default. */
  keepDimensions?: boolean;
  /** The type of the positions: `"int32"`, the default, or `"int64"`. */
  outputDataType?: MLOperandDataType;
}

/**
 * The options of `batchNormalization()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlbatchnormalizationoptions
 */
export interface MLBatchNormalizationOptions extends MLOperatorOptions {
  /** The factor at each index of the axis; 1 by default. */
  scale?: MLOperand;
  /** Added at each index of the axis; 0 by default. */
  bias?: MLOperand;
  /** The axis of `mean` and `variance`; 1 by default. */
  axis?: number;
  /** Added to the variance; 1e-5 by default. */
  epsilon?: number;
}

/**
 * The options of `clamp()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlclampoptions
 */
export interface MLClampOptions extends MLOperatorOptions {
  /** The least value of the output; no bound by default. */
  minValue?: MLNumber;
  /** The greatest value of the output; no bound by default. */
  maxValue?: MLNumber;
}

/**
 * The options of `conv2d()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlconv2doptions
 */
export interface MLConv2dOptions extends MLOperatorOptions {
  /** `[beginHeight, endHeight, beginWidth, endWidth]`, zeros by default. */
  padding?: readonly number[];
  /** `[height, width]`, ones by default. */
  strides?: readonly number[];
  /** `[height, width]`, ones by default. */
  dilations?: readonly number[];
  /** The number of groups into which channels are divided; 1 by default. */
  groups?: number;
  /** The layout of input and output; `"nchw"` by default. */
  inputLayout?: MLInputOperandLayout;
  /** The layout of the filter; `"oihw"` by default. */
  filterLayout?: MLConv2dFilterOperandLayout;
  /** Added to each output channel; shape `[outputChannels]`. */
  bias?: MLOperand;
}

/**
 * The options of `convTranspose2d()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlconvtranspose2doptions
 */
export interface MLConvTranspose2dOptions extends MLOperatorOptions {
  /** `[beginHeight, endHeight, beginWidth, endWidth]`, cut off the output; zeros by default. */
  padding?: readonly number[];
  /** `[height, width]`, ones by default. */
  strides?: readonly number[];
  /** `[height, width]`, ones by default. */
  dilations?: readonly number[];
  /** `[height, width]`, added to the end of the output and less than the strides; zeros by default. */
  outputPadding?: readonly number[];
  /** `[height, width]` of the output, instead of `outputPadding`. */
  outputSizes?: readonly number[];
  /** The number of groups into which channels are divided; 1 by default. */
  groups?: number;
  /** The layout of input and output; `"nchw"` by default. */
  inputLayout?: MLInputOperandLayout;
  /** The layout of the filter; `"iohw"` by default. */
  filterLayout?: MLConvTranspose2dFilterOperandLayout;
  /** Added to each output channel; shape `[outputChannels]`. */
  bias?: MLOperand;
}

/**
 * The options of `cumulativeSum()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlcumulativesumoptions
 */
export interface MLCumulativeSumOptions extends MLOperatorOptions {
  /** Whether an element is left out of its own sum; `false` by default. */
  exclusive?: boolean;
  /** Whether to sum from the end; `false` by default. */
  reversed?: boolean;
}

/**
 * The options of `elu()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mleluoptions
 */
export interface MLEluOptions extends MLOperatorOptions {
  /** The factor of the negative part; 1 by default. */
  alpha?: number;
}

/**
 * The options of `gather()` and `gatherElements()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgatheroptions
 */
export interface MLGatherOptions extends MLOperatorOptions {
  /** The axis of the input that the indices are positions on; 0 by default. */
  axis?: number;
}

/**
 * The options of `gemm()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgemmoptions
 */
export interface MLGemmOptions extends MLOperatorOptions {
  /** Added to the product; a shape that broadcasts to `[M, N]`. */
  c?: MLOperand;
  /** The factor of the product; 1 by default. */
  alpha?: number;
  /** The factor of `c`; 1 by default. */
  beta?: number;
  /** Whether `a` is transposed first; `false` by default. */
  aTranspose?: boolean;
  /** Whether `b` is transposed first; `false` by default. */
  bTranspose?: boolean;
}

/**
 * The options of `gru()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgruoptions
 */
export interface MLGruOptions extends MLOperatorOptions {
  /** Of the input; shape `[directions, 3 * hiddenSize]`. */
  bias?: MLOperand;
  /** Of the hidden state; shape `[directions, 3 * hiddenSize]`. */
  recurrentBias?: MLOperand;
  /** Shape `[directions, batchSize, hiddenSize]`; zeros by default. */
  initialHiddenState?: MLOperand;
  /** Whether the reset gate applies after the product with the hidden state; `true` by default. */
  resetAfter?: boolean;
  /** Whether the hidden states of all steps are an output too; `false` by default. */
  returnSequence?: boolean;
  /** The order in which steps are walked; `"forward"` by default. */
  direction?: MLRecurrentNetworkDirection;
  /** The order of gates in weights and biases; `"zrn"` by default. */
  layout?: MLGruWeightLayout;
  /** Of the update and reset gates, and of the new gate; sigmoid, tanh by default. */
  activations?: readonly MLRecurrentNetworkActivation[];
}

/**
 * The options of `gruCell()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgrucelloptions
 */
export interface MLGruCellOptions extends MLOperatorOptions {
  /** Of the input; shape `[3 * hiddenSize]`. */
  bias?: MLOperand;
  /** Of the hidden state; shape `[3 * hiddenSize]`. */
  recurrentBias?: MLOperand;
  /** Whether the reset gate applies after the product with the hidden state; `true` by default. */
  resetAfter?: boolean;
  /** The order of gates in weights and biases; `"zrn"` by default. */
  layout?: MLGruWeightLayout;
  /** Of the update and reset gates, and of the new gate; sigmoid, tanh by default. */
  activations?: readonly MLRecurrentNetworkActivation[];
}

/**
 * The options of `hardSigmoid()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlhardsigmoidoptions
 */
export interface MLHardSigmoidOptions extends MLOperatorOptions {
  /** The slope; 0.2 by default. */
  alpha?: number;
  /** The value at 0; 0.5 by default. */
  beta?: number;
}

/**
 * The options of `instanceNormalization()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlinstancenormalizationoptions
 */
export interface MLInstanceNormalizationOptions extends MLOperatorOptions {
  /** The factor of each channel; 1 by default. */
  scale?: MLOperand;
  /** Added to each channel; 0 by default. */
  bias?: MLOperand;
  /** Added to the variance; 1e-5 by default. */
  epsilon?: number;
  /** The layout of input and output; `"nchw"` by default. */
  layout?: MLInputOperandLayout;
}

/**
 * The options of `layerNormalization()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllayernormalizationoptions
 */
export interface MLLayerNormalizationOptions extends MLOperatorOptions {
  /** The factor, with the dimensions of `axes`; 1 by default. */
  scale?: MLOperand;
  /** Added, with the dimensions of `axes`; 0 by default. */
  bias?: MLOperand;
  /** The axes to normalise over; all but the first by default. */
  axes?: readonly number[];
  /** Added to the variance; 1e-5 by default. */
  epsilon?: number;
}

/**
 * The options of `leakyRelu()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlleakyreluoptions
 */
export interface MLLeakyReluOptions extends MLOperatorOptions {
  /** The slope of the negative part; 0.01 by default. */
  alpha?: number;
}

/**
 * The options of `linear()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllinearoptions
 */
export interface MLLinearOptions extends MLOperatorOptions {
  /** The slope; 1 by default. */
  alpha?: number;
  /** The value at 0; 0 by default. */
  beta?: number;
}

/**
 * The options of `lstm()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllstmoptions
 */
export interface MLLstmOptions extends MLOperatorOptions {
  /** Of the input; shape `[directions, 4 * hiddenSize]`. */
  bias?: MLOperand;
  /** Of the hidden state; shape `[directions, 4 * hiddenSize]`. */
  recurrentBias?: MLOperand;
  /** Of the cell state, in the order i, o, f; shape `[directions, 3 * hiddenSize]`. */
  peepholeWeight?: MLOperand;
  /** Shape `[directions, batchSize, hiddenSize]`; zeros by default. */
  initialHiddenState?: MLOperand;
  /** Shape `[directions, batchSize, hiddenSize]`; zeros by default. */
  initialCellState?: MLOperand;
  /** Whether the hidden states of all steps are an output too; `false` by default. */
  returnSequence?: boolean;
  /** The order in which steps are walked; `"forward"` by default. */
  direction?: MLRecurrentNetworkDirection;
  /** The order of gates in weights and biases; `"iofg"` by default. */
  layout?: MLLstmWeightLayout;
  /** Of the gates, the cell gate and the output; sigmoid, tanh, tanh by default. */
  activations?: readonly MLRecurrentNetworkActivation[];
}

/**
 * The options of `lstmCell()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllstmcelloptions
 */
export interface MLLstmCellOptions extends MLOperatorOptions {
  /** Of the input; shape `[4 * hiddenSize]`. */
  bias?: MLOperand;
  /** Of the hidden state; shape `[4 * hiddenSize]`. */
  recurrentBias?: MLOperand;
  /** Of the cell state, in the order i, o, f; shape `[3 * hiddenSize]`. */
  peepholeWeight?: MLOperand;
  /** The order of gates in weights and biases; `"iofg"` by default. */
  layout?: MLLstmWeightLayout;
  /** Of the gates, the cell gate and the output; sigmoid, tanh, tanh by default. */
  activations?: readonly MLRecurrentNetworkActivation[];
}

/**
 * The options of `pad()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlpadoptions
 */
export interface MLPadOptions extends MLOperatorOptions {
  /** What the border is filled with; `"constant"` by default. */
  mode?: MLPaddingMode;
  /** The constant, in the input's data type; 0 by default. */
  value?: MLNumber;
}

/**
 * The options of `averagePool2d()`, `l2Pool2d()` and `maxPool2d()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlpool2doptions
 */
export interface MLPool2dOptions extends MLOperatorOptions {
  /** `[height, width]`; the whole input by default. */
  windowDimensions?: readonly number[];
  /** `[beginHeight, endHeight, beginWidth, endWidth]`, zeros by default. */
  padding?: readonly number[];
  /** `[height, width]`, ones by default. */
  strides?: readonly number[];
  /** `[height, width]`, ones by default. */
  dilations?: readonly number[];
  /** The layout of input and output; `"nchw"` by default. */
  layout?: MLInputOperandLayout;
  /** How the output size is rounded; `"floor"` by default. */
  outputShapeRounding?: MLRoundingType;
  /** `[height, width]` of the output: the sizes rounded one way or the other. */
  outputSizes?: readonly number[];
}

/**
 * The options of the reductions.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlreduceoptions
 */
export interface MLReduceOptions extends MLOperatorOptions {
  /** The axes to reduce; all by default. */
  axes?: readonly number[];
  /** Whether reduced axes stay with size 1; `false` by default. */
  keepDimensions?: boolean;
}

/**
 * The options of `resample2d()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlresample2doptions
 */
export interface MLResample2dOptions extends MLOperatorOptions {
  /** `"nearest-neighbor"` by default. */
  mode?: MLInterpolationMode;
  /** The factors of the two sizes, ones by default. */
  scales?: readonly number[];
  /** The two sizes of the output, instead of `scales`. */
  sizes?: readonly number[];
  /** The two axes; `[2, 3]` by default. */
  axes?: readonly number[];
}

/**
 * The options of `reverse()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlreverseoptions
 */
export interface MLReverseOptions extends MLOperatorOptions {
  /** The axes to reverse; all by default. */
  axes?: readonly number[];
}

/**
 * The options of `scatterElements()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlscatteroptions
 */
export interface MLScatterOptions extends MLOperatorOptions {
  /** The axis of the input that the indices are positions on; 0 by default. */
  axis?: number;
}

/**
 * The options of `slice()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlsliceoptions
 */
export interface MLSliceOptions extends MLOperatorOptions {
  /** For each axis the distance between the elements taken, from 1 to the size; ones by default. */
  strides?: readonly number[];
}

/**
 * The options of `split()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlsplitoptions
 */
export interface MLSplitOptions extends MLOperatorOptions {
  /** The axis to split; 0 by default. */
  axis?: number;
}

/**
 * The options of `transpose()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mltransposeoptions
 */
export interface MLTransposeOptions extends MLOperatorOptions {
  /** For each output axis the input axis; reversed by default. */
  permutation?: readonly number[];
}

/**
 * The options of `triangular()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mltriangularoptions
 */
export interface MLTriangularOptions extends MLOperatorOptions {
  /** Whether the upper triangle is kept, and not the lower; `true` by default. */
  upper?: boolean;
  /** The last diagonal that is kept, counted upwards from the main one, which is 0, the default. */
  diagonal?: number;
}
