/**
 * Types of the standard's dictionaries and enumerations. Their defaults and checks are in the operator rows of src/ops.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import type { MLOperand } from "./ml_operand.ts";
import type { MLTensor } from "./ml_tensor.ts";

export type { MLOperandDataType } from "../data_type.ts";
export type { AllowSharedBufferSource } from "../webidl/buffers.ts";

/** A number; a BigInt only where the data type is int64 or uint64. */
export type MLNumber = number | bigint;

/** Operands by name: the outputs passed to `MLGraphBuilder.build()`. */
export type MLNamedOperands = Readonly<Record<string, MLOperand>>;

/** Tensors by name: the inputs and outputs passed to `MLContext.dispatch()`. */
export type MLNamedTensors = Readonly<Record<string, MLTensor>>;

/** The order of dimensions of a 4-D input: n batches, c channels, h height, w width. */
export type MLInputOperandLayout = "nchw" | "nhwc";

/** The order of dimensions of a filter: o output channels, i input channels per group, h height, w width. */
export type MLConv2dFilterOperandLayout = "oihw" | "hwio" | "ohwi" | "ihwo";

/** The order of dimensions of a transposed filter: i input channels, o output channels per group, h height, w width. */
export type MLConvTranspose2dFilterOperandLayout = "iohw" | "hwoi" | "ohwi";

/** How to round the output size of a pool. */
export type MLRoundingType = "floor" | "ceil";

/** The order of the gates in the weights of a GRU: z update, r reset, n new. */
export type MLGruWeightLayout = "zrn" | "rzn";

/** The order of the gates in the weights of an LSTM: i input, o output, f forget, g cell. */
export type MLLstmWeightLayout = "iofg" | "ifgo";

/** What `pad()` adds: a constant, copies of the edge element, or a mirror image of the elements next to the edge. */
export type MLPaddingMode = "constant" | "edge" | "reflection";

/** An activation function of a recurrent network. */
export type MLRecurrentNetworkActivation = "relu" | "sigmoid" | "tanh";

/** The order in which a recurrent network processes the steps; `"both"` runs one network in each direction. */
export type MLRecurrentNetworkDirection = "forward" | "backward" | "both";

/** How `resample2d()` computes values between elements. */
export type MLInterpolationMode = "nearest-neighbor" | "linear";

/** Whether to favour speed or low power. */
export type MLPowerPreference = "default" | "high-performance" | "low-power";

/**
 * The options of `ml.createContext()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlcontextoptions
 */
export interface MLContextOptions {
  /** A hint, which may be ignored; `"default"` by default. */
  powerPreference?: MLPowerPreference;
  /**
   * A hint: `false` selects the CPU. `true`, the default, does not select an accelerator: that takes `powerPreference`
   * or `deviceType`. `MLContext.accelerated` says what was selected.
   */
  accelerated?: boolean;
  /** A hint: the kind of device. Earlier drafts of the standard had it, and some libraries still pass it. */
  deviceType?: "cpu" | "gpu" | "npu";
}

/**
 * Why a context was lost.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlcontextlostinfo
 */
export interface MLContextLostInfo {
  /** The reason, as text for humans. */
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
 * Describes a tensor to create.
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
  /** A name for the operation, which error messages quote. */
  label?: string;
}

/**
 * The options of `argMin()` and `argMax()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlargminmaxoptions
 */
export interface MLArgMinMaxOptions extends MLOperatorOptions {
  /** Whether to keep the axis, with size 1; `false` by default. */
  keepDimensions?: boolean;
  /** The data type of the indices: `"int32"` (default) or `"int64"`. */
  outputDataType?: MLOperandDataType;
}

/**
 * The options of `batchNormalization()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlbatchnormalizationoptions
 */
export interface MLBatchNormalizationOptions extends MLOperatorOptions {
  /** Multiplies the normalised input; shape `[input.shape[axis]]`, 1 by default. */
  scale?: MLOperand;
  /** Added at the end; shape `[input.shape[axis]]`, 0 by default. */
  bias?: MLOperand;
  /** The axis that `mean`, `variance`, `scale` and `bias` belong to; 1 by default. */
  axis?: number;
  /** Added to the variance to avoid a division by 0; 1e-5 by default. */
  epsilon?: number;
}

/**
 * The options of `clamp()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlclampoptions
 */
export interface MLClampOptions extends MLOperatorOptions {
  /** The lower bound; none by default. */
  minValue?: MLNumber;
  /** The upper bound; none by default. */
  maxValue?: MLNumber;
}

/**
 * The options of `conv2d()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlconv2doptions
 */
export interface MLConv2dOptions extends MLOperatorOptions {
  /** `[beginHeight, endHeight, beginWidth, endWidth]`; zeros by default. */
  padding?: readonly number[];
  /** `[height, width]`; ones by default. */
  strides?: readonly number[];
  /** `[height, width]`; ones by default. */
  dilations?: readonly number[];
  /** The number of groups that input and output channels are split into; 1 by default. */
  groups?: number;
  /** The layout of the input and the output; `"nchw"` by default. */
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
  /** `[beginHeight, endHeight, beginWidth, endWidth]`, removed from the output; zeros by default. */
  padding?: readonly number[];
  /** `[height, width]`; ones by default. */
  strides?: readonly number[];
  /** `[height, width]`; ones by default. */
  dilations?: readonly number[];
  /** `[height, width]`, added at the end of the output, each less than its stride; zeros by default. */
  outputPadding?: readonly number[];
  /** `[height, width]` of the output; replaces `outputPadding`. */
  outputSizes?: readonly number[];
  /** The number of groups that input and output channels are split into; 1 by default. */
  groups?: number;
  /** The layout of the input and the output; `"nchw"` by default. */
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
  /** Whether each sum leaves out the element at its own position; `false` by default. */
  exclusive?: boolean;
  /** Whether to sum from the end to the beginning; `false` by default. */
  reversed?: boolean;
}

/**
 * The options of `elu()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mleluoptions
 */
export interface MLEluOptions extends MLOperatorOptions {
  /** Scales the result for negative inputs; 1 by default. */
  alpha?: number;
}

/**
 * The options of `gather()` and `gatherElements()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgatheroptions
 */
export interface MLGatherOptions extends MLOperatorOptions {
  /** The axis of the input that the indices point into; 0 by default. */
  axis?: number;
}

/**
 * The options of `gemm()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgemmoptions
 */
export interface MLGemmOptions extends MLOperatorOptions {
  /** Added to the product; its shape must broadcast to `[M, N]`. */
  c?: MLOperand;
  /** Multiplies the product; 1 by default. */
  alpha?: number;
  /** Multiplies `c`; 1 by default. */
  beta?: number;
  /** Whether to transpose `a` first; `false` by default. */
  aTranspose?: boolean;
  /** Whether to transpose `b` first; `false` by default. */
  bTranspose?: boolean;
}

/**
 * The options of `gru()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgruoptions
 */
export interface MLGruOptions extends MLOperatorOptions {
  /** Added to the product with the input; shape `[directions, 3 * hiddenSize]`, 0 by default. */
  bias?: MLOperand;
  /** Added to the product with the hidden state; shape `[directions, 3 * hiddenSize]`, 0 by default. */
  recurrentBias?: MLOperand;
  /** Shape `[directions, batchSize, hiddenSize]`; zeros by default. */
  initialHiddenState?: MLOperand;
  /** Whether to apply the reset gate after the product with the hidden state, not before; `true` by default. */
  resetAfter?: boolean;
  /** Whether to return the hidden states of all steps too; `false` by default. */
  returnSequence?: boolean;
  /** The order in which the steps are processed; `"forward"` by default. */
  direction?: MLRecurrentNetworkDirection;
  /** The order of the gates in weights and biases; `"zrn"` by default. */
  layout?: MLGruWeightLayout;
  /** The activations of the update and reset gates, and of the new gate; `["sigmoid", "tanh"]` by default. */
  activations?: readonly MLRecurrentNetworkActivation[];
}

/**
 * The options of `gruCell()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgrucelloptions
 */
export interface MLGruCellOptions extends MLOperatorOptions {
  /** Added to the product with the input; shape `[3 * hiddenSize]`, 0 by default. */
  bias?: MLOperand;
  /** Added to the product with the hidden state; shape `[3 * hiddenSize]`, 0 by default. */
  recurrentBias?: MLOperand;
  /** Whether to apply the reset gate after the product with the hidden state, not before; `true` by default. */
  resetAfter?: boolean;
  /** The order of the gates in weights and biases; `"zrn"` by default. */
  layout?: MLGruWeightLayout;
  /** The activations of the update and reset gates, and of the new gate; `["sigmoid", "tanh"]` by default. */
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
  /** Multiplies the normalised input; shape `[channels]`, 1 by default. */
  scale?: MLOperand;
  /** Added at the end; shape `[channels]`, 0 by default. */
  bias?: MLOperand;
  /** Added to the variance to avoid a division by 0; 1e-5 by default. */
  epsilon?: number;
  /** The layout of the input and the output; `"nchw"` by default. */
  layout?: MLInputOperandLayout;
}

/**
 * The options of `layerNormalization()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllayernormalizationoptions
 */
export interface MLLayerNormalizationOptions extends MLOperatorOptions {
  /** Multiplies the normalised input; dimension `i` is `input.shape[axes[i]]`; 1 by default. */
  scale?: MLOperand;
  /** Added at the end; shaped like `scale`; 0 by default. */
  bias?: MLOperand;
  /** The axes to normalise over; all but the first by default. */
  axes?: readonly number[];
  /** Added to the variance to avoid a division by 0; 1e-5 by default. */
  epsilon?: number;
}

/**
 * The options of `leakyRelu()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlleakyreluoptions
 */
export interface MLLeakyReluOptions extends MLOperatorOptions {
  /** The slope for negative inputs; 0.01 by default. */
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
  /** Added to the product with the input; shape `[directions, 4 * hiddenSize]`, 0 by default. */
  bias?: MLOperand;
  /** Added to the product with the hidden state; shape `[directions, 4 * hiddenSize]`, 0 by default. */
  recurrentBias?: MLOperand;
  /** Weights of the cell state in the gates i, o, f; shape `[directions, 3 * hiddenSize]`, 0 by default. */
  peepholeWeight?: MLOperand;
  /** Shape `[directions, batchSize, hiddenSize]`; zeros by default. */
  initialHiddenState?: MLOperand;
  /** Shape `[directions, batchSize, hiddenSize]`; zeros by default. */
  initialCellState?: MLOperand;
  /** Whether to return the hidden states of all steps too; `false` by default. */
  returnSequence?: boolean;
  /** The order in which the steps are processed; `"forward"` by default. */
  direction?: MLRecurrentNetworkDirection;
  /** The order of the gates in weights and biases; `"iofg"` by default. */
  layout?: MLLstmWeightLayout;
  /** The activations of the gates i, o, f, the cell gate and the output; `["sigmoid", "tanh", "tanh"]` by default. */
  activations?: readonly MLRecurrentNetworkActivation[];
}

/**
 * The options of `lstmCell()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllstmcelloptions
 */
export interface MLLstmCellOptions extends MLOperatorOptions {
  /** Added to the product with the input; shape `[4 * hiddenSize]`, 0 by default. */
  bias?: MLOperand;
  /** Added to the product with the hidden state; shape `[4 * hiddenSize]`, 0 by default. */
  recurrentBias?: MLOperand;
  /** Weights of the cell state in the gates i, o, f, in this order; shape `[3 * hiddenSize]`, 0 by default. */
  peepholeWeight?: MLOperand;
  /** The order of the gates in weights and biases; `"iofg"` by default. */
  layout?: MLLstmWeightLayout;
  /** The activations of the gates i, o, f, the cell gate and the output; `["sigmoid", "tanh", "tanh"]` by default. */
  activations?: readonly MLRecurrentNetworkActivation[];
}

/**
 * The options of `pad()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlpadoptions
 */
export interface MLPadOptions extends MLOperatorOptions {
  /** What to add; `"constant"` by default. */
  mode?: MLPaddingMode;
  /** The constant, converted to the data type of the input; 0 by default. */
  value?: MLNumber;
}

/**
 * The options of `averagePool2d()`, `l2Pool2d()` and `maxPool2d()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlpool2doptions
 */
export interface MLPool2dOptions extends MLOperatorOptions {
  /** `[height, width]` of the window; the size of the input by default. */
  windowDimensions?: readonly number[];
  /** `[beginHeight, endHeight, beginWidth, endWidth]`; zeros by default. */
  padding?: readonly number[];
  /** `[height, width]`; ones by default. */
  strides?: readonly number[];
  /** `[height, width]`; ones by default. */
  dilations?: readonly number[];
  /** The layout of the input and the output; `"nchw"` by default. */
  layout?: MLInputOperandLayout;
  /** How to round the output sizes; `"floor"` by default. */
  outputShapeRounding?: MLRoundingType;
  /**
   * `[height, width]` of the output: the computed sizes, both rounded down or both rounded up. Replaces
   * `outputShapeRounding`.
   */
  outputSizes?: readonly number[];
}

/**
 * The options of the reductions.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlreduceoptions
 */
export interface MLReduceOptions extends MLOperatorOptions {
  /** The axes to reduce; all by default. */
  axes?: readonly number[];
  /** Whether to keep the reduced axes, with size 1; `false` by default. */
  keepDimensions?: boolean;
}

/**
 * The options of `resample2d()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlresample2doptions
 */
export interface MLResample2dOptions extends MLOperatorOptions {
  /** How to compute values between elements; `"nearest-neighbor"` by default. */
  mode?: MLInterpolationMode;
  /** Scale factors for `axes`; ones by default. */
  scales?: readonly number[];
  /** Output sizes of `axes`; they replace `scales`. */
  sizes?: readonly number[];
  /** The two axes to resample; `[2, 3]` by default. */
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
  /** The axis of the input that the indices point into; 0 by default. */
  axis?: number;
}

/**
 * The options of `slice()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlsliceoptions
 */
export interface MLSliceOptions extends MLOperatorOptions {
  /** For each axis, the step between the elements taken, from 1 to `sizes[axis]`; ones by default. */
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
  /** For each output axis, the input axis; by default, the axes in reverse order. */
  permutation?: readonly number[];
}

/**
 * The options of `triangular()`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mltriangularoptions
 */
export interface MLTriangularOptions extends MLOperatorOptions {
  /** Whether to keep the upper triangle (`true`, the default) or the lower (`false`). */
  upper?: boolean;
  /** The diagonal at the edge of the triangle: 0 (default) is the main one, positive ones lie above it. */
  diagonal?: number;
}
