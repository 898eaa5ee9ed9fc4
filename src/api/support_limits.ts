/**
 * The dictionaries that `opSupportLimits()` gives: for each operator, what each operand and output can be.
 *
 * @module
 */

import type { MLTensorLimits } from "../graph/limits.ts";

/**
 * What the one operand of an operator can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlsingleinputsupportlimits
 */
export interface MLSingleInputSupportLimits {
  input: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of a binary operator can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlbinarysupportlimits
 */
export interface MLBinarySupportLimits {
  a: MLTensorLimits;
  b: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operand of a predicate can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllogicalnotsupportlimits
 */
export interface MLLogicalNotSupportLimits {
  a: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of batchNormalization can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlbatchnormalizationsupportlimits
 */
export interface MLBatchNormalizationSupportLimits {
  input: MLTensorLimits;
  mean: MLTensorLimits;
  variance: MLTensorLimits;
  scale: MLTensorLimits;
  bias: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of concat can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlconcatsupportlimits
 */
export interface MLConcatSupportLimits {
  inputs: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of a convolution can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlconv2dsupportlimits
 */
export interface MLConv2dSupportLimits {
  input: MLTensorLimits;
  filter: MLTensorLimits;
  bias: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of a quantisation can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlquantizedequantizelinearsupportlimits
 */
export interface MLQuantizeDequantizeLinearSupportLimits {
  input: MLTensorLimits;
  scale: MLTensorLimits;
  zeroPoint: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of a gather can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgathersupportlimits
 */
export interface MLGatherSupportLimits {
  input: MLTensorLimits;
  indices: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of gemm can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgemmsupportlimits
 */
export interface MLGemmSupportLimits {
  a: MLTensorLimits;
  b: MLTensorLimits;
  c: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of gru can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgrusupportlimits
 */
export interface MLGruSupportLimits {
  input: MLTensorLimits;
  weight: MLTensorLimits;
  recurrentWeight: MLTensorLimits;
  bias: MLTensorLimits;
  recurrentBias: MLTensorLimits;
  initialHiddenState: MLTensorLimits;
  output0: MLTensorLimits;
  output1: MLTensorLimits;
}

/**
 * What the operands of gruCell can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlgrucellsupportlimits
 */
export interface MLGruCellSupportLimits {
  input: MLTensorLimits;
  weight: MLTensorLimits;
  recurrentWeight: MLTensorLimits;
  hiddenState: MLTensorLimits;
  bias: MLTensorLimits;
  recurrentBias: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of a normalisation can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlnormalizationsupportlimits
 */
export interface MLNormalizationSupportLimits {
  input: MLTensorLimits;
  scale: MLTensorLimits;
  bias: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of lstm can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllstmsupportlimits
 */
export interface MLLstmSupportLimits {
  input: MLTensorLimits;
  weight: MLTensorLimits;
  recurrentWeight: MLTensorLimits;
  bias: MLTensorLimits;
  recurrentBias: MLTensorLimits;
  peepholeWeight: MLTensorLimits;
  initialHiddenState: MLTensorLimits;
  initialCellState: MLTensorLimits;
  output0: MLTensorLimits;
  output1: MLTensorLimits;
  output2: MLTensorLimits;
}

/**
 * What the operands of lstmCell can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mllstmcellsupportlimits
 */
export interface MLLstmCellSupportLimits {
  input: MLTensorLimits;
  weight: MLTensorLimits;
  recurrentWeight: MLTensorLimits;
  hiddenState: MLTensorLimits;
  cellState: MLTensorLimits;
  bias: MLTensorLimits;
  recurrentBias: MLTensorLimits;
  peepholeWeight: MLTensorLimits;
  output0: MLTensorLimits;
  output1: MLTensorLimits;
}

/**
 * What the operands of prelu can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlprelusupportlimits
 */
export interface MLPreluSupportLimits {
  input: MLTensorLimits;
  slope: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of a scatter can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlscattersupportlimits
 */
export interface MLScatterSupportLimits {
  input: MLTensorLimits;
  indices: MLTensorLimits;
  updates: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What the operands of split can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlsplitsupportlimits
 */
export interface MLSplitSupportLimits {
  input: MLTensorLimits;
  outputs: MLTensorLimits;
}

/**
 * What the operands of where can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlwheresupportlimits
 */
export interface MLWhereSupportLimits {
  condition: MLTensorLimits;
  trueValue: MLTensorLimits;
  falseValue: MLTensorLimits;
  output: MLTensorLimits;
}

/**
 * What inputs, constants, outputs and operators of a context can be.
 * @see https://www.w3.org/TR/webnn/#dictdef-mlopsupportlimits
 */
export interface MLOpSupportLimits {
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
  abs: MLSingleInputSupportLimits;
  add: MLBinarySupportLimits;
  argMax: MLSingleInputSupportLimits;
  argMin: MLSingleInputSupportLimits;
  averagePool2d: MLSingleInputSupportLimits;
  batchNormalization: MLBatchNormalizationSupportLimits;
  cast: MLSingleInputSupportLimits;
  ceil: MLSingleInputSupportLimits;
  clamp: MLSingleInputSupportLimits;
  concat: MLConcatSupportLimits;
  conv2d: MLConv2dSupportLimits;
  convTranspose2d: MLConv2dSupportLimits;
  cos: MLSingleInputSupportLimits;
  cumulativeSum: MLSingleInputSupportLimits;
  dequantizeLinear: MLQuantizeDequantizeLinearSupportLimits;
  div: MLBinarySupportLimits;
  elu: MLSingleInputSupportLimits;
  equal: MLBinarySupportLimits;
  erf: MLSingleInputSupportLimits;
  exp: MLSingleInputSupportLimits;
  expand: MLSingleInputSupportLimits;
  floor: MLSingleInputSupportLimits;
  gather: MLGatherSupportLimits;
  gatherElements: MLGatherSupportLimits;
  gatherND: MLGatherSupportLimits;
  gelu: MLSingleInputSupportLimits;
  gemm: MLGemmSupportLimits;
  greater: MLBinarySupportLimits;
  greaterOrEqual: MLBinarySupportLimits;
  gru: MLGruSupportLimits;
  gruCell: MLGruCellSupportLimits;
  hardSigmoid: MLSingleInputSupportLimits;
  hardSwish: MLSingleInputSupportLimits;
  identity: MLSingleInputSupportLimits;
  instanceNormalization: MLNormalizationSupportLimits;
  isInfinite: MLLogicalNotSupportLimits;
  isNaN: MLLogicalNotSupportLimits;
  l2Pool2d: MLSingleInputSupportLimits;
  layerNormalization: MLNormalizationSupportLimits;
  leakyRelu: MLSingleInputSupportLimits;
  lesser: MLBinarySupportLimits;
  lesserOrEqual: MLBinarySupportLimits;
  linear: MLSingleInputSupportLimits;
  log: MLSingleInputSupportLimits;
  logicalAnd: MLBinarySupportLimits;
  logicalNot: MLLogicalNotSupportLimits;
  logicalOr: MLBinarySupportLimits;
  logicalXor: MLBinarySupportLimits;
  lstm: MLLstmSupportLimits;
  lstmCell: MLLstmCellSupportLimits;
  matmul: MLBinarySupportLimits;
  max: MLBinarySupportLimits;
  maxPool2d: MLSingleInputSupportLimits;
  min: MLBinarySupportLimits;
  mul: MLBinarySupportLimits;
  neg: MLSingleInputSupportLimits;
  notEqual: MLBinarySupportLimits;
  pad: MLSingleInputSupportLimits;
  pow: MLBinarySupportLimits;
  prelu: MLPreluSupportLimits;
  quantizeLinear: MLQuantizeDequantizeLinearSupportLimits;
  reciprocal: MLSingleInputSupportLimits;
  reduceL1: MLSingleInputSupportLimits;
  reduceL2: MLSingleInputSupportLimits;
  reduceLogSum: MLSingleInputSupportLimits;
  reduceLogSumExp: MLSingleInputSupportLimits;
  reduceMax: MLSingleInputSupportLimits;
  reduceMean: MLSingleInputSupportLimits;
  reduceMin: MLSingleInputSupportLimits;
  reduceProduct: MLSingleInputSupportLimits;
  reduceSum: MLSingleInputSupportLimits;
  reduceSumSquare: MLSingleInputSupportLimits;
  relu: MLSingleInputSupportLimits;
  resample2d: MLSingleInputSupportLimits;
  reshape: MLSingleInputSupportLimits;
  reverse: MLSingleInputSupportLimits;
  roundEven: MLSingleInputSupportLimits;
  scatterElements: MLScatterSupportLimits;
  scatterND: MLScatterSupportLimits;
  sigmoid: MLSingleInputSupportLimits;
  sign: MLSingleInputSupportLimits;
  sin: MLSingleInputSupportLimits;
  slice: MLSingleInputSupportLimits;
  softmax: MLSingleInputSupportLimits;
  softplus: MLSingleInputSupportLimits;
  softsign: MLSingleInputSupportLimits;
  split: MLSplitSupportLimits;
  sqrt: MLSingleInputSupportLimits;
  sub: MLBinarySupportLimits;
  tan: MLSingleInputSupportLimits;
  tanh: MLSingleInputSupportLimits;
  tile: MLSingleInputSupportLimits;
  transpose: MLSingleInputSupportLimits;
  triangular: MLSingleInputSupportLimits;
  where: MLWhereSupportLimits;
}
