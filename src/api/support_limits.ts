/**
 * The dictionaries that `opSupportLimits()` gives: for each operator, what each operand and output can be.
 *
 * @module
 */

import type { MLTensorLimits } from "../graph/limits.ts";

export type { MLRankRange, MLTensorLimits } from "../graph/limits.ts";

/**
 * What the one operand of an operator can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlsingleinputsupportlimits
 */
export type MLSingleInputSupportLimits = Record<"input" | "output", MLTensorLimits>;

/**
 * What the operands of a binary operator can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlbinarysupportlimits
 */
export type MLBinarySupportLimits = Record<"a" | "b" | "output", MLTensorLimits>;

/**
 * What the operand of a predicate can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllogicalnotsupportlimits
 */
export type MLLogicalNotSupportLimits = Record<"a" | "output", MLTensorLimits>;

/**
 * What the operands of batchNormalization can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlbatchnormalizationsupportlimits
 */
export type MLBatchNormalizationSupportLimits = Record<
  "input" | "mean" | "variance" | "scale" | "bias" | "output",
  MLTensorLimits
>;

/**
 * What the operands of concat can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlconcatsupportlimits
 */
export type MLConcatSupportLimits = Record<"inputs" | "output", MLTensorLimits>;

/**
 * What the operands of a convolution can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlconv2dsupportlimits
 */
export type MLConv2dSupportLimits = Record<"input" | "filter" | "bias" | "output", MLTensorLimits>;

/**
 * What the operands of a quantisation can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlquantizedequantizelinearsupportlimits
 */
export type MLQuantizeDequantizeLinearSupportLimits = Record<
  "input" | "scale" | "zeroPoint" | "output",
  MLTensorLimits
>;

/**
 * What the operands of a gather can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgathersupportlimits
 */
export type MLGatherSupportLimits = Record<"input" | "indices" | "output", MLTensorLimits>;

/**
 * What the operands of gemm can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgemmsupportlimits
 */
export type MLGemmSupportLimits = Record<"a" | "b" | "c" | "output", MLTensorLimits>;

/**
 * What the operands of gru can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgrusupportlimits
 */
export type MLGruSupportLimits = Record<
  "input" | "weight" | "recurrentWeight" | "bias" | "recurrentBias" | "initialHiddenState" | "output0" | "output1",
  MLTensorLimits
>;

/**
 * What the operands of gruCell can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgrucellsupportlimits
 */
export type MLGruCellSupportLimits = Record<
  "input" | "weight" | "recurrentWeight" | "hiddenState" | "bias" | "recurrentBias" | "output",
  MLTensorLimits
>;

/**
 * What the operands of a normalisation can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlnormalizationsupportlimits
 */
export type MLNormalizationSupportLimits = Record<"input" | "scale" | "bias" | "output", MLTensorLimits>;

/**
 * What the operands of lstm can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllstmsupportlimits
 */
export type MLLstmSupportLimits = Record<
  | "input"
  | "weight"
  | "recurrentWeight"
  | "bias"
  | "recurrentBias"
  | "peepholeWeight"
  | "initialHiddenState"
  | "initialCellState"
  | "output0"
  | "output1"
  | "output2",
  MLTensorLimits
>;

/**
 * What the operands of lstmCell can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllstmcellsupportlimits
 */
export type MLLstmCellSupportLimits = Record<
  | "input"
  | "weight"
  | "recurrentWeight"
  | "hiddenState"
  | "cellState"
  | "bias"
  | "recurrentBias"
  | "peepholeWeight"
  | "output0"
  | "output1",
  MLTensorLimits
>;

/**
 * What the operands of prelu can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlprelusupportlimits
 */
export type MLPreluSupportLimits = Record<"input" | "slope" | "output", MLTensorLimits>;

/**
 * What the operands of a scatter can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlscattersupportlimits
 */
export type MLScatterSupportLimits = Record<"input" | "indices" | "updates" | "output", MLTensorLimits>;

/**
 * What the operands of split can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlsplitsupportlimits
 */
export type MLSplitSupportLimits = Record<"input" | "outputs", MLTensorLimits>;

/**
 * What the operands of where can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlwheresupportlimits
 */
export type MLWhereSupportLimits = Record<"condition" | "trueValue" | "falseValue" | "output", MLTensorLimits>;

/**
 * What inputs, constants, outputs and operators of a context can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlopsupportlimits
 */
export interface MLOpSupportLimits extends
  Record<
    | "abs"
    | "argMax"
    | "argMin"
    | "averagePool2d"
    | "cast"
    | "ceil"
    | "clamp"
    | "cos"
    | "cumulativeSum"
    | "elu"
    | "erf"
    | "exp"
    | "expand"
    | "floor"
    | "gelu"
    | "hardSigmoid"
    | "hardSwish"
    | "identity"
    | "l2Pool2d"
    | "leakyRelu"
    | "linear"
    | "log"
    | "maxPool2d"
    | "neg"
    | "pad"
    | "reciprocal"
    | "reduceL1"
    | "reduceL2"
    | "reduceLogSum"
    | "reduceLogSumExp"
    | "reduceMax"
    | "reduceMean"
    | "reduceMin"
    | "reduceProduct"
    | "reduceSum"
    | "reduceSumSquare"
    | "relu"
    | "resample2d"
    | "reshape"
    | "reverse"
    | "roundEven"
    | "sigmoid"
    | "sign"
    | "sin"
    | "slice"
    | "softmax"
    | "softplus"
    | "softsign"
    | "sqrt"
    | "tan"
    | "tanh"
    | "tile"
    | "transpose"
    | "triangular",
    MLSingleInputSupportLimits
  >,
  Record<
    | "add"
    | "div"
    | "equal"
    | "greater"
    | "greaterOrEqual"
    | "lesser"
    | "lesserOrEqual"
    | "logicalAnd"
    | "logicalOr"
    | "logicalXor"
    | "matmul"
    | "max"
    | "min"
    | "mul"
    | "notEqual"
    | "pow"
    | "sub",
    MLBinarySupportLimits
  >,
  Record<"batchNormalization", MLBatchNormalizationSupportLimits>,
  Record<"concat", MLConcatSupportLimits>,
  Record<"conv2d" | "convTranspose2d", MLConv2dSupportLimits>,
  Record<"dequantizeLinear" | "quantizeLinear", MLQuantizeDequantizeLinearSupportLimits>,
  Record<"gather" | "gatherElements" | "gatherND", MLGatherSupportLimits>,
  Record<"gemm", MLGemmSupportLimits>,
  Record<"gru", MLGruSupportLimits>,
  Record<"gruCell", MLGruCellSupportLimits>,
  Record<"instanceNormalization" | "layerNormalization", MLNormalizationSupportLimits>,
  Record<"isInfinite" | "isNaN" | "logicalNot", MLLogicalNotSupportLimits>,
  Record<"lstm", MLLstmSupportLimits>,
  Record<"lstmCell", MLLstmCellSupportLimits>,
  Record<"prelu", MLPreluSupportLimits>,
  Record<"scatterElements" | "scatterND", MLScatterSupportLimits>,
  Record<"split", MLSplitSupportLimits>,
  Record<"where", MLWhereSupportLimits> {
  /** The layout in which convolutions and pools are fastest. */
  preferredInputLayout: "nchw" | "nhwc";
  /** The largest operand in bytes. */
  maxTensorByteLength: number;
  /** What inputs of a graph can be. */
  input: MLTensorLimits;
  /** What constants of a graph can be. */
  constant: MLTensorLimits;
  /** What outputs of a graph can be. */
  output: MLTensorLimits;
}
