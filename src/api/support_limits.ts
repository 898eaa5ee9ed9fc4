/**
 * The types of `MLContext.opSupportLimits()`: the data types and ranks that each operand and output supports.
 *
 * @module
 */

import type { MLTensorLimits } from "../graph/limits.ts";

export type { MLRankRange, MLTensorLimits } from "../graph/limits.ts";

/**
 * Limits of an operator with one operand.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlsingleinputsupportlimits
 */
export type MLSingleInputSupportLimits = Record<"input" | "output", MLTensorLimits>;

/**
 * Limits of a binary operator.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlbinarysupportlimits
 */
export type MLBinarySupportLimits = Record<"a" | "b" | "output", MLTensorLimits>;

/**
 * Limits of `isInfinite`, `isNaN` and `logicalNot`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllogicalnotsupportlimits
 */
export type MLLogicalNotSupportLimits = Record<"a" | "output", MLTensorLimits>;

/**
 * Limits of `batchNormalization`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlbatchnormalizationsupportlimits
 */
export type MLBatchNormalizationSupportLimits = Record<
  "input" | "mean" | "variance" | "scale" | "bias" | "output",
  MLTensorLimits
>;

/**
 * Limits of `concat`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlconcatsupportlimits
 */
export type MLConcatSupportLimits = Record<"inputs" | "output", MLTensorLimits>;

/**
 * Limits of `conv2d` and `convTranspose2d`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlconv2dsupportlimits
 */
export type MLConv2dSupportLimits = Record<"input" | "filter" | "bias" | "output", MLTensorLimits>;

/**
 * Limits of `quantizeLinear` and `dequantizeLinear`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlquantizedequantizelinearsupportlimits
 */
export type MLQuantizeDequantizeLinearSupportLimits = Record<
  "input" | "scale" | "zeroPoint" | "output",
  MLTensorLimits
>;

/**
 * Limits of `gather`, `gatherElements` and `gatherND`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgathersupportlimits
 */
export type MLGatherSupportLimits = Record<"input" | "indices" | "output", MLTensorLimits>;

/**
 * Limits of `gemm`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgemmsupportlimits
 */
export type MLGemmSupportLimits = Record<"a" | "b" | "c" | "output", MLTensorLimits>;

/**
 * Limits of `gru`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgrusupportlimits
 */
export type MLGruSupportLimits = Record<
  "input" | "weight" | "recurrentWeight" | "bias" | "recurrentBias" | "initialHiddenState" | "output0" | "output1",
  MLTensorLimits
>;

/**
 * Limits of `gruCell`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgrucellsupportlimits
 */
export type MLGruCellSupportLimits = Record<
  "input" | "weight" | "recurrentWeight" | "hiddenState" | "bias" | "recurrentBias" | "output",
  MLTensorLimits
>;

/**
 * Limits of `instanceNormalization` and `layerNormalization`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlnormalizationsupportlimits
 */
export type MLNormalizationSupportLimits = Record<"input" | "scale" | "bias" | "output", MLTensorLimits>;

/**
 * Limits of `lstm`.
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
 * Limits of `lstmCell`.
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
 * Limits of `prelu`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlprelusupportlimits
 */
export type MLPreluSupportLimits = Record<"input" | "slope" | "output", MLTensorLimits>;

/**
 * Limits of `scatterElements` and `scatterND`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlscattersupportlimits
 */
export type MLScatterSupportLimits = Record<"input" | "indices" | "updates" | "output", MLTensorLimits>;

/**
 * Limits of `split`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlsplitsupportlimits
 */
export type MLSplitSupportLimits = Record<"input" | "outputs", MLTensorLimits>;

/**
 * Limits of `where`.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlwheresupportlimits
 */
export type MLWhereSupportLimits = Record<"condition" | "trueValue" | "falseValue" | "output", MLTensorLimits>;

/**
 * What a context supports: returned by `MLContext.opSupportLimits()`. Each operator has a member of its own name.
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
  /** The size limit of any tensor, in bytes. */
  maxTensorByteLength: number;
  /** Limits of graph inputs. */
  input: MLTensorLimits;
  /** Limits of constants. */
  constant: MLTensorLimits;
  /** Limits of graph outputs. */
  output: MLTensorLimits;
}
