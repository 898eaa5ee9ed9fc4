/**
 * MLGraphBuilder: the interface in which a graph is written down.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { operators } from "../ops/operators.ts";
import type { AllowSharedBufferSource } from "../webidl/buffers.ts";
import { defineInterface, promised } from "../webidl/platform_object.ts";
import { appendList, appendOne, buildGraph, createBuilderState, createConstant, createInput } from "./graph_builder.ts";
import type {
  MLArgMinMaxOptions,
  MLBatchNormalizationOptions,
  MLClampOptions,
  MLConv2dOptions,
  MLConvTranspose2dOptions,
  MLCumulativeSumOptions,
  MLEluOptions,
  MLGatherOptions,
  MLGemmOptions,
  MLGruCellOptions,
  MLGruOptions,
  MLHardSigmoidOptions,
  MLInstanceNormalizationOptions,
  MLLayerNormalizationOptions,
  MLLeakyReluOptions,
  MLLinearOptions,
  MLLstmCellOptions,
  MLLstmOptions,
  MLNamedOperands,
  MLNumber,
  MLOperandDescriptor,
  MLOperatorOptions,
  MLPadOptions,
  MLPool2dOptions,
  MLReduceOptions,
  MLResample2dOptions,
  MLReverseOptions,
  MLScatterOptions,
  MLSliceOptions,
  MLSplitOptions,
  MLTransposeOptions,
  MLTriangularOptions,
} from "./dictionaries.ts";
import type { MLContext } from "./ml_context.ts";
import type { MLGraph } from "./ml_graph.ts";
import type { MLOperand } from "./ml_operand.ts";
import type { MLTensor } from "./ml_tensor.ts";
import { builderSlot } from "./state.ts";

/**
 * Writes down a graph: inputs, constants and operators, and at last {@linkcode MLGraphBuilder.build}.
 *
 * Every method throws a TypeError for arguments that do not fit the operator (its message names the method, the label and
 * the operand), and an InvalidStateError once the graph is built or the context lost.
 *
 * @see https://www.w3.org/TR/webnn/#mlgraphbuilder
 */
export class MLGraphBuilder {
  /**
   * A builder of one graph.
   * @param context the context on which the graph will run
   * @throws InvalidStateError if the context is lost
   */
  constructor(context: MLContext) {
    builderSlot.initialize(this, createBuilderState(context));
  }

  /** A named input of the graph. */
  input(name: string, descriptor: MLOperandDescriptor): MLOperand {
    return createInput(this, arguments.length, name, descriptor);
  }

  /** A constant with a copy of the data in `buffer`, whose length and kind must fit the descriptor. */
  constant(descriptor: MLOperandDescriptor, buffer: AllowSharedBufferSource): MLOperand;
  /** A scalar constant: `value` in the data type. */
  constant(dataType: MLOperandDataType, value: MLNumber): MLOperand;
  /** A constant that shares the bytes of a constant tensor. */
  constant(tensor: MLTensor): MLOperand;
  constant(first: MLOperandDescriptor | MLOperandDataType | MLTensor, ...rest: unknown[]): MLOperand {
    return createConstant(this, [first, ...rest].slice(0, arguments.length));
  }

  /**
   * Compiles the graph that computes the outputs. Nothing can be added to the builder afterwards.
   * @returns rejects with a TypeError if an output is of another builder, an input or a constant, InvalidStateError if
   * the graph is built already or the context lost, OperationError if the engine refuses the graph
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-build
   */
  build(outputs: MLNamedOperands): Promise<MLGraph> {
    return promised(() => buildGraph(this, arguments.length, outputs));
  }

  /** The absolute value. */
  abs(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.abs, [input, options]);
  }

  /** `a + b`, element by element; the shapes broadcast to each other, as in all binary operators. */
  add(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.add, [a, b, options]);
  }

  /** The position of the greatest element along an axis. */
  argMax(input: MLOperand, axis: number, options: MLArgMinMaxOptions = {}): MLOperand {
    return appendOne(this, operators.argMax, [input, axis, options]);
  }

  /** The position of the least element along an axis. */
  argMin(input: MLOperand, axis: number, options: MLArgMinMaxOptions = {}): MLOperand {
    return appendOne(this, operators.argMin, [input, axis, options]);
  }

  /** The mean over a moving window, padding not counted. */
  averagePool2d(input: MLOperand, options: MLPool2dOptions = {}): MLOperand {
    return appendOne(this, operators.averagePool2d, [input, options]);
  }

  /** `scale · (x - mean) / √(variance + ε) + bias`, with one mean and variance for each index of an axis. */
  batchNormalization(
    input: MLOperand,
    mean: MLOperand,
    variance: MLOperand,
    options: MLBatchNormalizationOptions = {},
  ): MLOperand {
    return appendOne(this, operators.batchNormalization, [input, mean, variance, options]);
  }

  /** The input in another data type. Floats are truncated to integers; the value of those that do not fit is not defined. */
  cast(input: MLOperand, dataType: MLOperandDataType, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.cast, [input, dataType, options]);
  }

  /** The least whole number that is not less. */
  ceil(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.ceil, [input, options]);
  }

  /** The input, no less than `minValue` and no more than `maxValue`. */
  clamp(input: MLOperand, options: MLClampOptions = {}): MLOperand {
    return appendOne(this, operators.clamp, [input, options]);
  }

  /** The inputs one after the other along an axis; their other dimensions are equal. */
  concat(inputs: readonly MLOperand[], axis: number, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.concat, [inputs, axis, options]);
  }

  /** A 2-D convolution of a 4-D input. */
  conv2d(input: MLOperand, filter: MLOperand, options: MLConv2dOptions = {}): MLOperand {
    return appendOne(this, operators.conv2d, [input, filter, options]);
  }

  /** A transposed 2-D convolution of a 4-D input: the gradient of a convolution. */
  convTranspose2d(input: MLOperand, filter: MLOperand, options: MLConvTranspose2dOptions = {}): MLOperand {
    return appendOne(this, operators.convTranspose2d, [input, filter, options]);
  }

  /** The cosine of radians. */
  cos(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.cos, [input, options]);
  }

  /** The running sum along an axis. */
  cumulativeSum(input: MLOperand, axis: number, options: MLCumulativeSumOptions = {}): MLOperand {
    return appendOne(this, operators.cumulativeSum, [input, axis, options], arguments.length);
  }

  /** `(input - zeroPoint) · scale`, with a scale and a zero point for each block of elements. */
  dequantizeLinear(
    input: MLOperand,
    scale: MLOperand,
    zeroPoint: MLOperand,
    options: MLOperatorOptions = {},
  ): MLOperand {
    return appendOne(this, operators.dequantizeLinear, [input, scale, zeroPoint, options]);
  }

  /** `a / b`; integers truncate toward zero. */
  div(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.div, [a, b, options]);
  }

  /** `x` where positive, else `alpha · (eˣ − 1)`. */
  elu(input: MLOperand, options: MLEluOptions = {}): MLOperand {
    return appendOne(this, operators.elu, [input, options]);
  }

  /** 1 where `a = b`, else 0, as uint8. */
  equal(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.equal, [a, b, options]);
  }

  /** The error function. */
  erf(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.erf, [input, options]);
  }

  /** e to the power of the input. */
  exp(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.exp, [input, options]);
  }

  /** The input repeated along dimensions of size 1 and new outer ones. */
  expand(input: MLOperand, newShape: readonly number[], options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.expand, [input, newShape, options]);
  }

  /** The greatest whole number that is not greater. */
  floor(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.floor, [input, options]);
  }

  /** The slices of the input along an axis that the indices name; their dimensions take the place of the axis. */
  gather(input: MLOperand, indices: MLOperand, options: MLGatherOptions = {}): MLOperand {
    return appendOne(this, operators.gather, [input, indices, options]);
  }

  /** For each index the element at its own position, except along the axis, where the index says which. */
  gatherElements(input: MLOperand, indices: MLOperand, options: MLGatherOptions = {}): MLOperand {
    return appendOne(this, operators.gatherElements, [input, indices, options]);
  }

  /** The elements or slices at the coordinates that stand in the last dimension of the indices. */
  gatherND(input: MLOperand, indices: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.gatherND, [input, indices, options]);
  }

  /** `x · (1 + erf(x / √2)) / 2`. */
  gelu(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.gelu, [input, options]);
  }

  /** `alpha · a · b + beta · c`, matrices of `[M, K]` and `[K, N]`. */
  gemm(a: MLOperand, b: MLOperand, options: MLGemmOptions = {}): MLOperand {
    return appendOne(this, operators.gemm, [a, b, options]);
  }

  /** 1 where `a > b`, else 0, as uint8. */
  greater(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.greater, [a, b, options]);
  }

  /** 1 where `a ≥ b`, else 0, as uint8. */
  greaterOrEqual(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.greaterOrEqual, [a, b, options]);
  }

  /**
   * A GRU over the steps of `[steps, batchSize, inputSize]`: the last hidden state `[directions, batchSize, hiddenSize]` and,
   * with `returnSequence`, that of every step, `[steps, directions, batchSize, hiddenSize]`.
   */
  gru(
    input: MLOperand,
    weight: MLOperand,
    recurrentWeight: MLOperand,
    steps: number,
    hiddenSize: number,
    options: MLGruOptions = {},
  ): MLOperand[] {
    return appendList(this, operators.gru, [input, weight, recurrentWeight, steps, hiddenSize, options]);
  }

  /** One step of a GRU: the new hidden state, `[batchSize, hiddenSize]`. */
  gruCell(
    input: MLOperand,
    weight: MLOperand,
    recurrentWeight: MLOperand,
    hiddenState: MLOperand,
    hiddenSize: number,
    options: MLGruCellOptions = {},
  ): MLOperand {
    return appendOne(this, operators.gruCell, [input, weight, recurrentWeight, hiddenState, hiddenSize, options]);
  }

  /** `clamp(alpha · x + beta, 0, 1)`. */
  hardSigmoid(input: MLOperand, options: MLHardSigmoidOptions = {}): MLOperand {
    return appendOne(this, operators.hardSigmoid, [input, options]);
  }

  /** `x · clamp(x + 3, 0, 6) / 6`. */
  hardSwish(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.hardSwish, [input, options]);
  }

  /** The input as it is. */
  identity(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.identity, [input, options]);
  }

  /** Each channel of each image of a 4-D input, normalised over its height and width. */
  instanceNormalization(input: MLOperand, options: MLInstanceNormalizationOptions = {}): MLOperand {
    return appendOne(this, operators.instanceNormalization, [input, options]);
  }

  /** 1 where `a` is infinite, else 0, as uint8. */
  isInfinite(a: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.isInfinite, [a, options]);
  }

  /** 1 where `a` is NaN, else 0, as uint8. */
  isNaN(a: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.isNaN, [a, options]);
  }

  /** The root of the sum of squares over a moving window. */
  l2Pool2d(input: MLOperand, options: MLPool2dOptions = {}): MLOperand {
    return appendOne(this, operators.l2Pool2d, [input, options]);
  }

  /** The input normalised over axes: all but the first by default. */
  layerNormalization(input: MLOperand, options: MLLayerNormalizationOptions = {}): MLOperand {
    return appendOne(this, operators.layerNormalization, [input, options]);
  }

  /** `x` where positive, else `alpha · x`. */
  leakyRelu(input: MLOperand, options: MLLeakyReluOptions = {}): MLOperand {
    return appendOne(this, operators.leakyRelu, [input, options]);
  }

  /** 1 where `a < b`, else 0, as uint8. */
  lesser(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.lesser, [a, b, options]);
  }

  /** 1 where `a ≤ b`, else 0, as uint8. */
  lesserOrEqual(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.lesserOrEqual, [a, b, options]);
  }

  /** `alpha · x + beta`. */
  linear(input: MLOperand, options: MLLinearOptions = {}): MLOperand {
    return appendOne(this, operators.linear, [input, options]);
  }

  /** The natural logarithm. */
  log(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.log, [input, options]);
  }

  /** 1 where both are not 0, else 0. */
  logicalAnd(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.logicalAnd, [a, b, options]);
  }

  /** 1 where `a` is 0, else 0. */
  logicalNot(a: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.logicalNot, [a, options]);
  }

  /** 1 where one is not 0, else 0. */
  logicalOr(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.logicalOr, [a, b, options]);
  }

  /** 1 where exactly one is not 0, else 0. */
  logicalXor(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.logicalXor, [a, b, options]);
  }

  /**
   * An LSTM over the steps of `[steps, batchSize, inputSize]`: the last hidden state and the last cell state, each
   * `[directions, batchSize, hiddenSize]`, and, with `returnSequence`, the hidden state of every step,
   * `[steps, directions, batchSize, hiddenSize]`.
   */
  lstm(
    input: MLOperand,
    weight: MLOperand,
    recurrentWeight: MLOperand,
    steps: number,
    hiddenSize: number,
    options: MLLstmOptions = {},
  ): MLOperand[] {
    return appendList(this, operators.lstm, [input, weight, recurrentWeight, steps, hiddenSize, options]);
  }

  /** One step of an LSTM: the new hidden state and the new cell state, each `[batchSize, hiddenSize]`. */
  lstmCell(
    input: MLOperand,
    weight: MLOperand,
    recurrentWeight: MLOperand,
    hiddenState: MLOperand,
    cellState: MLOperand,
    hiddenSize: number,
    options: MLLstmCellOptions = {},
  ): MLOperand[] {
    return appendList(this, operators.lstmCell, [
      input,
      weight,
      recurrentWeight,
      hiddenState,
      cellState,
      hiddenSize,
      options,
    ]);
  }

  /** The matrix product of the last two dimensions, `[..., M, K]` and `[..., K, N]`; the others broadcast to each other. */
  matmul(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.matmul, [a, b, options]);
  }

  /** The greater of `a` and `b`. */
  max(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.max, [a, b, options]);
  }

  /** The greatest element in a moving window. */
  maxPool2d(input: MLOperand, options: MLPool2dOptions = {}): MLOperand {
    return appendOne(this, operators.maxPool2d, [input, options]);
  }

  /** The lesser of `a` and `b`. */
  min(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.min, [a, b, options]);
  }

  /** `a · b`. */
  mul(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.mul, [a, b, options]);
  }

  /** The negative. */
  neg(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.neg, [input, options]);
  }

  /** 1 where `a ≠ b`, else 0, as uint8. */
  notEqual(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.notEqual, [a, b, options]);
  }

  /** The input with a border, as wide before and after each dimension as is said. */
  pad(
    input: MLOperand,
    beginningPadding: readonly number[],
    endingPadding: readonly number[],
    options: MLPadOptions = {},
  ): MLOperand {
    return appendOne(this, operators.pad, [input, beginningPadding, endingPadding, options]);
  }

  /** `a` to the power of `b`. */
  pow(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.pow, [a, b, options]);
  }

  /** `x` where positive, else `slope · x`; the shapes broadcast to each other. */
  prelu(input: MLOperand, slope: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.prelu, [input, slope, options]);
  }

  /** `input / scale + zeroPoint`, rounded, in the range of the zero point's data type. */
  quantizeLinear(input: MLOperand, scale: MLOperand, zeroPoint: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.quantizeLinear, [input, scale, zeroPoint, options]);
  }

  /** `1 / x`. */
  reciprocal(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.reciprocal, [input, options]);
  }

  /** The sum of absolute values along axes. */
  reduceL1(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceL1, [input, options]);
  }

  /** The root of the sum of squares along axes. */
  reduceL2(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceL2, [input, options]);
  }

  /** The logarithm of the sum along axes. */
  reduceLogSum(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceLogSum, [input, options]);
  }

  /** The logarithm of the sum of exponentials along axes. */
  reduceLogSumExp(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceLogSumExp, [input, options]);
  }

  /** The greatest element along axes. */
  reduceMax(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceMax, [input, options]);
  }

  /** The mean along axes. */
  reduceMean(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceMean, [input, options]);
  }

  /** The least element along axes. */
  reduceMin(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceMin, [input, options]);
  }

  /** The product along axes. */
  reduceProduct(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceProduct, [input, options]);
  }

  /** The sum along axes. */
  reduceSum(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceSum, [input, options]);
  }

  /** The sum of squares along axes. */
  reduceSumSquare(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceSumSquare, [input, options]);
  }

  /** `max(x, 0)`. */
  relu(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.relu, [input, options]);
  }

  /** Two dimensions of a 4-D input scaled to other sizes, pixels taken as squares around half coordinates. */
  resample2d(input: MLOperand, options: MLResample2dOptions = {}): MLOperand {
    return appendOne(this, operators.resample2d, [input, options]);
  }

  /** The same elements in another shape. */
  reshape(input: MLOperand, newShape: readonly number[], options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.reshape, [input, newShape, options]);
  }

  /** The input in reverse order along axes. */
  reverse(input: MLOperand, options: MLReverseOptions = {}): MLOperand {
    return appendOne(this, operators.reverse, [input, options]);
  }

  /** The nearest whole number, the even one of two. */
  roundEven(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.roundEven, [input, options]);
  }

  /** The input, with each update in its own position, except along the axis, where its index says which. */
  scatterElements(
    input: MLOperand,
    indices: MLOperand,
    updates: MLOperand,
    options: MLScatterOptions = {},
  ): MLOperand {
    return appendOne(this, operators.scatterElements, [input, indices, updates, options]);
  }

  /** The input, with updates at the coordinates that stand in the last dimension of the indices. */
  scatterND(input: MLOperand, indices: MLOperand, updates: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.scatterND, [input, indices, updates, options]);
  }

  /** `1 / (1 + e⁻ˣ)`. */
  sigmoid(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sigmoid, [input, options]);
  }

  /** −1, 0 or 1. */
  sign(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sign, [input, options]);
  }

  /** The sine of radians. */
  sin(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sin, [input, options]);
  }

  /** A part of the input: `sizes` elements from `starts` on, or one in `strides` of them. */
  slice(
    input: MLOperand,
    starts: readonly number[],
    sizes: readonly number[],
    options: MLSliceOptions = {},
  ): MLOperand {
    return appendOne(this, operators.slice, [input, starts, sizes, options]);
  }

  /** `eˣ` divided by its sum along an axis. */
  softmax(input: MLOperand, axis: number, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.softmax, [input, axis, options]);
  }

  /** `ln(1 + eˣ)`. */
  softplus(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.softplus, [input, options]);
  }

  /** `x / (1 + |x|)`. */
  softsign(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.softsign, [input, options]);
  }

  /** Parts of the input along an axis: as many equal ones, or of the sizes listed. */
  split(input: MLOperand, splits: number | readonly number[], options: MLSplitOptions = {}): MLOperand[] {
    return appendList(this, operators.split, [input, splits, options]);
  }

  /** The square root. */
  sqrt(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sqrt, [input, options]);
  }

  /** `a - b`. */
  sub(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sub, [a, b, options]);
  }

  /** The tangent of radians. */
  tan(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.tan, [input, options]);
  }

  /** The hyperbolic tangent. */
  tanh(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.tanh, [input, options]);
  }

  /** The input repeated along each dimension. */
  tile(input: MLOperand, repetitions: readonly number[], options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.tile, [input, repetitions, options]);
  }

  /** The input with its dimensions in another order. */
  transpose(input: MLOperand, options: MLTransposeOptions = {}): MLOperand {
    return appendOne(this, operators.transpose, [input, options]);
  }

  /** The upper or lower triangle of the last two dimensions, zeros elsewhere. */
  triangular(input: MLOperand, options: MLTriangularOptions = {}): MLOperand {
    return appendOne(this, operators.triangular, [input, options]);
  }

  /** `trueValue` where the condition (uint8) is not 0, else `falseValue`; the shapes broadcast to each other. */
  where(condition: MLOperand, trueValue: MLOperand, falseValue: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.where, [condition, trueValue, falseValue, options]);
  }
}

defineInterface(MLGraphBuilder, builderSlot, ({ inputs, constants, nodes, hasBuilt }) => ({
  inputs: inputs.map(({ name }) => name),
  constants: constants.length,
  operators: nodes.length,
  ...hasBuilt && { built: true },
}));
