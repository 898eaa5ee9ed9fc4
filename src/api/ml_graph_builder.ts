/**
 * MLGraphBuilder: builds a graph, operator by operator.
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
 * Builds a graph: create inputs and constants, apply operators to them, then call {@linkcode MLGraphBuilder.build}.
 *
 * Each operator method adds one operation and returns its output, an {@linkcode MLOperand}. In the formulas, `x` stands
 * for an element of `input`, `ln` is the natural logarithm, and `⌊ ⌋` and `⌈ ⌉` round down and up. "Any shape" means
 * any that `MLContext.opSupportLimits()` allows. Every options object also takes a `label`, which error messages quote.
 *
 * Besides the errors listed for each method, every operator method throws
 * - a TypeError if an operand belongs to another builder, the context does not support its data type or rank, or the
 *   output would be larger than `MLContext.opSupportLimits().maxTensorByteLength`
 * - an InvalidStateError if the graph has been built, or the context is lost
 *
 * The message names the method, the label and the operand:
 * `MLGraphBuilder.conv2d: [stem] filter must have rank 4, not 3`.
 *
 * @example
 * ```ts
 * import { ml, MLGraphBuilder } from "@webnn/deno";
 *
 * const builder = new MLGraphBuilder(await ml.createContext());
 * const x = builder.input("x", { dataType: "float32", shape: [1, 3] });
 * const weights = builder.constant({ dataType: "float32", shape: [3, 2] }, new Float32Array([1, 2, 3, 4, 5, 6]));
 * const graph = await builder.build({ y: builder.relu(builder.matmul(x, weights)) });
 * ```
 *
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder
 */
export class MLGraphBuilder {
  /**
   * Creates a builder, which builds one graph.
   * @param context the context on which the graph will run
   * @throws {TypeError} if `context` is not an MLContext
   * @throws {DOMException} InvalidStateError if the context is lost
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-constructor
   */
  constructor(context: MLContext) {
    builderSlot.initialize(this, createBuilderState(context));
  }

  /**
   * Creates an input of the graph.
   *
   * Two inputs may share a name, as long as the graph depends on only one of them.
   * @param name the name under which `MLContext.dispatch()` gets the tensor; not empty
   * @param descriptor the data type and shape
   * @returns an operand with that data type and shape
   * @throws {TypeError} if `name` is empty, or the context does not support the descriptor
   * @throws {DOMException} InvalidStateError if the graph has been built, or the context is lost
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-input
   */
  input(name: string, descriptor: MLOperandDescriptor): MLOperand {
    return createInput(this, arguments.length, name, descriptor);
  }

  /**
   * Creates a constant from a copy of the bytes in `buffer`.
   * @param descriptor the data type and shape
   * @param buffer the elements, row-major: an ArrayBuffer or Uint8Array with the bytes, or the typed array of the data
   * type (for float16 a Float16Array, or a Uint16Array with the bits)
   * @returns an operand with that data type and shape
   * @throws {TypeError} if the context does not support the descriptor, or the length or kind of `buffer` is wrong
   * @throws {DOMException} InvalidStateError if the graph has been built, or the context is lost; UnknownError if there
   * is not enough memory
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-constant-buffer
   */
  constant(descriptor: MLOperandDescriptor, buffer: AllowSharedBufferSource): MLOperand;
  /**
   * Creates a scalar constant.
   * @param dataType the data type
   * @param value the number; for an integer type, it is truncated and clamped to the range of the type
   * @returns an operand of shape `[]`
   * @throws {TypeError} if the context does not support the data type, or `value` is a BigInt and `dataType` is not
   * int64 or uint64
   * @throws {DOMException} InvalidStateError if the graph has been built, or the context is lost
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-constant-datatype-value
   */
  constant(dataType: MLOperandDataType, value: MLNumber): MLOperand;
  /**
   * Creates a constant that shares the memory of a constant tensor. Graphs that use the same tensor share one copy.
   * @param tensor made by `MLContext.createConstantTensor()`; it may be destroyed once the graph is built
   * @returns an operand with the data type and shape of the tensor
   * @throws {TypeError} if the tensor is not a constant tensor, is destroyed, or belongs to another context
   * @throws {DOMException} InvalidStateError if the graph has been built, or the context is lost
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-constant-tensor
   */
  constant(tensor: MLTensor): MLOperand;
  constant(first: MLOperandDescriptor | MLOperandDataType | MLTensor, ...rest: unknown[]): MLOperand {
    return createConstant(this, [first, ...rest].slice(0, arguments.length));
  }

  /**
   * Compiles the graph that computes `outputs`. Once the graph is compiled, or the engine fails to compile it, the
   * builder cannot be used again.
   *
   * Inputs, constants and operators on which no output depends are left out.
   * @param outputs the operands to compute, by the name under which `MLContext.dispatch()` writes them
   * @returns a promise of the compiled graph, which rejects with the errors below
   * @throws {TypeError} if `outputs` is empty or has an empty name; an output belongs to another builder, or is an
   * input or a constant; two inputs of the graph have the same name; or a constant tensor of the graph is destroyed.
   * After these errors the builder stays usable
   * @throws {DOMException} InvalidStateError if the graph has been built, or the context is lost; OperationError if the
   * engine cannot compile the graph
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-build
   */
  build(outputs: MLNamedOperands): Promise<MLGraph> {
    return promised(() => buildGraph(this, arguments.length, outputs));
  }

  /**
   * Absolute value: `|x|`.
   *
   * @param input float32, float16, int64, int32 or int8; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  abs(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.abs, [input, options]);
  }

  /**
   * Element-wise sum: `a + b`.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns the data type of `a`; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary
   */
  add(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.add, [a, b, options]);
  }

  /**
   * Index of the largest element along `axis`. If several are equal, it may be the index of any of them.
   *
   * @param input any data type; rank 1 or more
   * @param axis less than the rank
   * @param options `keepDimensions`, false by default; `outputDataType`, `"int32"` (default) or `"int64"`
   * @returns `outputDataType`; the shape of `input` without `axis`, or with 1 in its place if `keepDimensions` is
   * true
   * @throws {TypeError} if `axis` is out of range, or `outputDataType` is neither int32 nor int64
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-argminmax
   */
  argMax(input: MLOperand, axis: number, options: MLArgMinMaxOptions = {}): MLOperand {
    return appendOne(this, operators.argMax, [input, axis, options]);
  }

  /**
   * Index of the smallest element along `axis`. If several are equal, it may be the index of any of them.
   *
   * @param input any data type; rank 1 or more
   * @param axis less than the rank
   * @param options `keepDimensions`, false by default; `outputDataType`, `"int32"` (default) or `"int64"`
   * @returns `outputDataType`; the shape of `input` without `axis`, or with 1 in its place if `keepDimensions` is
   * true
   * @throws {TypeError} if `axis` is out of range, or `outputDataType` is neither int32 nor int64
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-argminmax
   */
  argMin(input: MLOperand, axis: number, options: MLArgMinMaxOptions = {}): MLOperand {
    return appendOne(this, operators.argMin, [input, axis, options]);
  }

  /**
   * Mean of each window that moves over height and width. Padding is not counted: the sum is divided by the number of
   * input elements in the window.
   *
   * @param input float32 or float16; rank 4, in the layout `options.layout`
   * @param options see {@linkcode MLPool2dOptions}; the window covers the whole height and width by default
   * @returns the data type of `input`; its shape with height and width changed to
   * `(size + begin + end − ((window − 1) · dilation + 1)) / stride + 1`, rounded down or up as `outputShapeRounding`
   * or `outputSizes` says
   * @throws {TypeError} if a list has the wrong length or a zero where none is allowed, the window does not fit into
   * the padded input, `outputSizes` are not these sizes rounded down or up, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pool2d-average
   */
  averagePool2d(input: MLOperand, options: MLPool2dOptions = {}): MLOperand {
    return appendOne(this, operators.averagePool2d, [input, options]);
  }

  /**
   * Normalises with given statistics: `scale · (input − mean) / √(variance + epsilon) + bias`. `mean`, `variance`,
   * `scale` and `bias` have one value for each index on `options.axis`.
   *
   * @param input float32 or float16; rank 1 or more
   * @param mean the data type of `input`; shape `[input.shape[axis]]`
   * @param variance like `mean`
   * @param options `scale` (1 by default) and `bias` (0 by default), shaped like `mean`; `axis`, 1 by default;
   * `epsilon`, 1e-5 by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `axis` is out of range, or an operand has another data type or shape
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-batchnorm
   */
  batchNormalization(
    input: MLOperand,
    mean: MLOperand,
    variance: MLOperand,
    options: MLBatchNormalizationOptions = {},
  ): MLOperand {
    return appendOne(this, operators.batchNormalization, [input, mean, variance, options]);
  }

  /**
   * Converts to another data type. Floats convert to integers by dropping the fraction; the result is undefined if it
   * does not fit. Integers that do not fit keep their low bits.
   *
   * @param input any data type and shape
   * @param dataType the data type of the result
   * @returns `dataType`; the shape of `input`
   * @throws {TypeError} if `dataType` is not an `MLOperandDataType`
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-cast
   */
  cast(input: MLOperand, dataType: MLOperandDataType, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.cast, [input, dataType, options]);
  }

  /**
   * Rounds up to the nearest integer: `⌈x⌉`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  ceil(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.ceil, [input, options]);
  }

  /**
   * Limits values to a range: `min(max(x, minValue), maxValue)`.
   *
   * @param input any data type and shape
   * @param options `minValue` and `maxValue`, converted to the data type of `input`; a bound that is missing or NaN
   * has no effect
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `minValue > maxValue`, or a bound is a BigInt and `input` is not int64 or uint64
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-clamp
   */
  clamp(input: MLOperand, options: MLClampOptions = {}): MLOperand {
    return appendOne(this, operators.clamp, [input, options]);
  }

  /**
   * Joins tensors along `axis`, in the order of the list.
   *
   * @param inputs any data type; 1 to 8192 operands with the same data type and rank (1 or more), and with equal
   * dimensions except on `axis`
   * @param axis less than the rank
   * @returns the data type of the inputs; their shape, with the sum of their dimensions on `axis`
   * @throws {TypeError} if the list is empty or too long, `axis` is out of range, or the inputs do not match
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-concat
   */
  concat(inputs: readonly MLOperand[], axis: number, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.concat, [inputs, axis, options]);
  }

  /**
   * 2-D convolution (cross-correlation). In the layouts nchw and oihw, with one group:
   *
   * `output[n, o, y, x] = bias[o] + Σ input[n, i, y·sy + r·dy − top, x·sx + c·dx − left] · filter[o, i, r, c]`
   *
   * The sum is over `i`, `r` and `c`; the strides are `[sy, sx]`, the dilations `[dy, dx]`; positions in the padding
   * count as 0. With `groups > 1`, input and output channels are split into that many groups, and each group is
   * convolved on its own.
   *
   * @param input float32 or float16; rank 4, in the layout `options.inputLayout`
   * @param filter the data type of `input`; rank 4, in the layout `options.filterLayout`
   * @param options see {@linkcode MLConv2dOptions}
   * @returns the data type of `input`; in its layout, with the filter's output channels, and height and width
   * `⌊(size + begin + end − ((kernel − 1) · dilation + 1)) / stride⌋ + 1`
   * @throws {TypeError} if the input's channels are not `groups` times the filter's input channels, the output
   * channels are not divisible by `groups`, the filter is larger than the padded input, or an option has a wrong
   * length or shape, or a zero where none is allowed
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-conv2d
   */
  conv2d(input: MLOperand, filter: MLOperand, options: MLConv2dOptions = {}): MLOperand {
    return appendOne(this, operators.conv2d, [input, filter, options]);
  }

  /**
   * Transposed 2-D convolution: the gradient of {@linkcode MLGraphBuilder.conv2d} with respect to its input. In the
   * layouts nchw and iohw, with one group, each input element adds to the output:
   *
   * `output[n, o, y·sy + r·dy − top, x·sx + c·dx − left] += input[n, i, y, x] · filter[i, o, r, c]`
   *
   * The strides are `[sy, sx]`, the dilations `[dy, dx]`; what falls outside the output is dropped. The bias is added
   * once.
   *
   * @param input float32 or float16; rank 4, in the layout `options.inputLayout`
   * @param filter the data type of `input`; rank 4, in the layout `options.filterLayout`
   * @param options see {@linkcode MLConvTranspose2dOptions}
   * @returns the data type of `input`; in its layout, with the filter's output channels times `groups`, and height
   * and width `(size − 1) · stride + (kernel − 1) · dilation + 1 − begin − end + outputPadding`, or `outputSizes`
   * @throws {TypeError} if the filter's input channels are not those of `input`, `outputPadding` is not less than the
   * stride, `outputSizes` cannot be reached, or an option has a wrong length or shape, or a zero where none is allowed
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-convtranspose2d
   */
  convTranspose2d(input: MLOperand, filter: MLOperand, options: MLConvTranspose2dOptions = {}): MLOperand {
    return appendOne(this, operators.convTranspose2d, [input, filter, options]);
  }

  /**
   * Cosine: `cos x`, with `x` in radians.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  cos(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.cos, [input, options]);
  }

  /**
   * Running sum along `axis`: `output[i] = Σ input[j]` over all `j ≤ i`; over `j < i` if `exclusive`; from the end,
   * over `j ≥ i` or `j > i`, if `reversed`.
   *
   * @param input float32, float16, int32, uint32, int64 or uint64; rank 1 or more
   * @param axis less than the rank
   * @param options `exclusive` and `reversed`, false by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `axis` is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-cumulativesum
   */
  cumulativeSum(input: MLOperand, axis: number, options: MLCumulativeSumOptions = {}): MLOperand {
    return appendOne(this, operators.cumulativeSum, [input, axis, options], arguments.length);
  }

  /**
   * Converts quantised integers to floats: `(input − zeroPoint) · scale`. `scale` and `zeroPoint` have one element per
   * block: on each axis, `input.shape[axis] / scale.shape[axis]` elements of the input share one.
   *
   * @param input uint8, int8, uint32, int32, int4 or uint4; any shape
   * @param scale float32 or float16; the rank of `input`, each dimension a divisor of the input's
   * @param zeroPoint the data type of `input`; the shape of `scale`
   * @returns the data type of `scale`; the shape of `input`
   * @throws {TypeError} if an operand has another data type, rank or shape
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-dequantizelinear
   */
  dequantizeLinear(
    input: MLOperand,
    scale: MLOperand,
    zeroPoint: MLOperand,
    options: MLOperatorOptions = {},
  ): MLOperand {
    return appendOne(this, operators.dequantizeLinear, [input, scale, zeroPoint, options]);
  }

  /**
   * Element-wise quotient: `a / b`. Integers round toward zero; an integer divided by 0 is undefined.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns the data type of `a`; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary
   */
  div(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.div, [a, b, options]);
  }

  /**
   * Exponential linear unit: `x` if `x > 0`, else `alpha · (eˣ − 1)`.
   *
   * @param input float32 or float16; any shape
   * @param options `alpha`, 1 by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type, or an option is not a finite number
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-elu
   */
  elu(input: MLOperand, options: MLEluOptions = {}): MLOperand {
    return appendOne(this, operators.elu, [input, options]);
  }

  /**
   * Element-wise comparison: 1 if `a = b`, else 0. A comparison with NaN gives 0.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns uint8; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  equal(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.equal, [a, b, options]);
  }

  /**
   * Error function: `erf x = 2/√π · ∫₀ˣ e^(−t²) dt`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  erf(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.erf, [input, options]);
  }

  /**
   * Exponential: `eˣ`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  exp(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.exp, [input, options]);
  }

  /**
   * Broadcasts to a larger shape: repeats the input along dimensions of size 1 and along new outer dimensions.
   *
   * @param input any data type and shape
   * @param newShape the shape of the result
   * @returns the data type of `input`; `newShape`
   * @throws {TypeError} if the shape of `input` does not broadcast to `newShape`
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-expand
   */
  expand(input: MLOperand, newShape: readonly number[], options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.expand, [input, newShape, options]);
  }

  /**
   * Rounds down to the nearest integer: `⌊x⌋`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  floor(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.floor, [input, options]);
  }

  /**
   * Picks slices along `options.axis`: for axis 0 `output[i, ...] = input[indices[i], ...]`, where `i` has one index
   * per dimension of `indices`. Negative indices count from the end; indices out of range are clamped to the nearest
   * valid one.
   *
   * @param input any data type; rank 1 or more
   * @param indices int32, uint32 or int64; any shape
   * @param options `axis`, 0 by default
   * @returns the data type of `input`;
   * `[...input.shape.slice(0, axis), ...indices.shape, ...input.shape.slice(axis + 1)]`
   * @throws {TypeError} if `axis` is out of range, or `indices` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gather
   */
  gather(input: MLOperand, indices: MLOperand, options: MLGatherOptions = {}): MLOperand {
    return appendOne(this, operators.gather, [input, indices, options]);
  }

  /**
   * Picks one element per index: `output[i][j] = input[indices[i][j]][j]` for axis 0, `input[i][indices[i][j]]` for
   * axis 1. Negative indices count from the end; indices out of range are clamped to the nearest valid one.
   *
   * @param input any data type; rank 1 or more
   * @param indices int32, uint32 or int64; the shape of `input`, except that the dimension on `axis` may differ
   * @param options `axis`, 0 by default
   * @returns the data type of `input`; the shape of `indices`
   * @throws {TypeError} if `axis` is out of range, or `indices` has another data type or shape
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gatherelements
   */
  gatherElements(input: MLOperand, indices: MLOperand, options: MLGatherOptions = {}): MLOperand {
    return appendOne(this, operators.gatherElements, [input, indices, options]);
  }

  /**
   * Picks elements or slices by coordinates: `output[i] = input[indices[i, 0], ..., indices[i, c − 1]]`, where `c` is
   * the last dimension of `indices` and `i` stands for the others. Negative indices count from the end; indices out
   * of range are clamped to the nearest valid one.
   *
   * @param input any data type; rank 1 or more
   * @param indices int32, uint32 or int64; rank 1 or more, the last dimension at most the rank of `input`
   * @returns the data type of `input`; `[...indices.shape.slice(0, -1), ...input.shape.slice(c)]`
   * @throws {TypeError} if `indices` has another data type, or its last dimension is too large
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gathernd
   */
  gatherND(input: MLOperand, indices: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.gatherND, [input, indices, options]);
  }

  /**
   * Gaussian error linear unit, exact: `x · (1 + erf(x / √2)) / 2`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gelu-method
   */
  gelu(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.gelu, [input, options]);
  }

  /**
   * General matrix multiplication: `alpha · A · B + beta · C`, where `A` and `B` are `a` and `b`, each transposed if
   * its option is true.
   *
   * @param a float32 or float16; shape `[M, K]`, or `[K, M]` with `aTranspose`
   * @param b the data type of `a`; shape `[K, N]`, or `[N, K]` with `bTranspose`
   * @param options `c`, a shape that broadcasts to `[M, N]`, not added by default; `alpha` and `beta`, 1 by default;
   * `aTranspose` and `bTranspose`, false by default
   * @returns the data type of `a`; shape `[M, N]`
   * @throws {TypeError} if the operands differ in data type, the inner dimensions differ, or `c` does not broadcast
   * to `[M, N]`
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gemm
   */
  gemm(a: MLOperand, b: MLOperand, options: MLGemmOptions = {}): MLOperand {
    return appendOne(this, operators.gemm, [a, b, options]);
  }

  /**
   * Element-wise comparison: 1 if `a > b`, else 0. A comparison with NaN gives 0.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns uint8; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  greater(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.greater, [a, b, options]);
  }

  /**
   * Element-wise comparison: 1 if `a ≥ b`, else 0. A comparison with NaN gives 0.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns uint8; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  greaterOrEqual(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.greaterOrEqual, [a, b, options]);
  }

  /**
   * Gated recurrent unit: runs {@linkcode MLGraphBuilder.gruCell} for each step of a sequence, in one direction or
   * both.
   *
   * @param input float32 or float16; shape `[steps, batchSize, inputSize]`
   * @param weight shape `[directions, 3 · hiddenSize, inputSize]`
   * @param recurrentWeight shape `[directions, 3 · hiddenSize, hiddenSize]`
   * @param steps the first dimension of `input`
   * @param hiddenSize 1 or more
   * @param options see {@linkcode MLGruOptions}; `directions` is 2 if `direction` is `"both"`, else 1
   * @returns the hidden state after the last step, shape `[directions, batchSize, hiddenSize]`; with `returnSequence`
   * also the hidden state after every step, shape `[steps, directions, batchSize, hiddenSize]`, in the order of the
   * input for both directions
   * @throws {TypeError} if an operand has another data type or shape, `steps` is not the first dimension of `input`,
   * or `activations` does not have 2 items
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gru
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

  /**
   * One step of a gated recurrent unit. With `x = input`, `h = hiddenState`, and `W_z` the rows of `W`
   * for gate `z` (the other gates, weights and biases in the same way):
   *
   * - update gate `z = f(x · W_zᵀ + b_z + h · R_zᵀ + rb_z)`
   * - reset gate `r = f(x · W_rᵀ + b_r + h · R_rᵀ + rb_r)`
   * - new gate `n = g(x · W_nᵀ + b_n + r · (h · R_nᵀ + rb_n))`, or with `resetAfter: false`
   *   `n = g(x · W_nᵀ + b_n + (r · h) · R_nᵀ + rb_n)`
   * - result `z · h + (1 − z) · n`
   *
   * @param input float32 or float16; shape `[batchSize, inputSize]`
   * @param weight `W`, shape `[3 · hiddenSize, inputSize]`
   * @param recurrentWeight `R`, shape `[3 · hiddenSize, hiddenSize]`
   * @param hiddenState `h`, shape `[batchSize, hiddenSize]`
   * @param hiddenSize 1 or more
   * @param options `bias` (`b`) and `recurrentBias` (`rb`), shape `[3 · hiddenSize]`, 0 by default; `layout`, the
   * order of the gates, `"zrn"` by default; `activations`, `f` and `g`, `["sigmoid", "tanh"]` by default;
   * `resetAfter`, true by default
   * @returns the new hidden state; data type of `input`, shape `[batchSize, hiddenSize]`
   * @throws {TypeError} if an operand has another data type or shape, or `activations` does not have 2 items
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-grucell
   */
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

  /**
   * Hard sigmoid: `clamp(alpha · x + beta, 0, 1)`.
   *
   * @param input float32 or float16; any shape
   * @param options `alpha`, 0.2 by default; `beta`, 0.5 by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type, or an option is not a finite number
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-hard-sigmoid
   */
  hardSigmoid(input: MLOperand, options: MLHardSigmoidOptions = {}): MLOperand {
    return appendOne(this, operators.hardSigmoid, [input, options]);
  }

  /**
   * Hard swish: `x · clamp(x + 3, 0, 6) / 6`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-hard-swish
   */
  hardSwish(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.hardSwish, [input, options]);
  }

  /**
   * Copies the input: `x`.
   *
   * @param input any data type; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` belongs to another builder
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  identity(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.identity, [input, options]);
  }

  /**
   * Normalises each channel of each image over its height and width:
   * `scale · (x − mean) / √(variance + epsilon) + bias`, with the mean and the population variance of that channel.
   *
   * @param input float32 or float16; rank 4, in the layout `options.layout`
   * @param options `scale` (1 by default) and `bias` (0 by default), the data type of `input`, shape `[channels]`;
   * `epsilon`, 1e-5 by default; `layout`, `"nchw"` by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if an operand has another data type or shape
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-instancenorm
   */
  instanceNormalization(input: MLOperand, options: MLInstanceNormalizationOptions = {}): MLOperand {
    return appendOne(this, operators.instanceNormalization, [input, options]);
  }

  /**
   * Tests for infinity: 1 if `a` is +∞ or −∞, else 0.
   *
   * @param a float32 or float16; any shape
   * @returns uint8; the shape of `a`
   * @throws {TypeError} if `a` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  isInfinite(a: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.isInfinite, [a, options]);
  }

  /**
   * Tests for NaN: 1 if `a` is NaN, else 0.
   *
   * @param a float32 or float16; any shape
   * @returns uint8; the shape of `a`
   * @throws {TypeError} if `a` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  isNaN(a: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.isNaN, [a, options]);
  }

  /**
   * L2 norm of each window that moves over height and width: `√Σx²`.
   *
   * @param input float32 or float16; rank 4, in the layout `options.layout`
   * @param options see {@linkcode MLPool2dOptions}; the window covers the whole height and width by default
   * @returns the data type of `input`; its shape with height and width changed to
   * `(size + begin + end − ((window − 1) · dilation + 1)) / stride + 1`, rounded down or up as `outputShapeRounding`
   * or `outputSizes` says
   * @throws {TypeError} if a list has the wrong length or a zero where none is allowed, the window does not fit into
   * the padded input, `outputSizes` are not these sizes rounded down or up, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pool2d-l2
   */
  l2Pool2d(input: MLOperand, options: MLPool2dOptions = {}): MLOperand {
    return appendOne(this, operators.l2Pool2d, [input, options]);
  }

  /**
   * Normalises over `options.axes`: `scale · (x − mean) / √(variance + epsilon) + bias`, with the mean and the
   * population variance over those axes. With no axes (`[]`), the result is `bias`.
   *
   * @param input float32 or float16; any shape
   * @param options `axes`, all but the first by default; `scale` (1 by default) and `bias` (0 by default), the data
   * type of `input`, shape `axes.map((axis) => input.shape[axis])`; `epsilon`, 1e-5 by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `axes` repeats or is out of range, or an operand has another data type or shape
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-layernorm
   */
  layerNormalization(input: MLOperand, options: MLLayerNormalizationOptions = {}): MLOperand {
    return appendOne(this, operators.layerNormalization, [input, options]);
  }

  /**
   * Leaky rectified linear unit: `x` if `x > 0`, else `alpha · x`.
   *
   * @param input float32 or float16; any shape
   * @param options `alpha`, 0.01 by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type, or an option is not a finite number
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-leakyrelu
   */
  leakyRelu(input: MLOperand, options: MLLeakyReluOptions = {}): MLOperand {
    return appendOne(this, operators.leakyRelu, [input, options]);
  }

  /**
   * Element-wise comparison: 1 if `a < b`, else 0. A comparison with NaN gives 0.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns uint8; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  lesser(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.lesser, [a, b, options]);
  }

  /**
   * Element-wise comparison: 1 if `a ≤ b`, else 0. A comparison with NaN gives 0.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns uint8; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  lesserOrEqual(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.lesserOrEqual, [a, b, options]);
  }

  /**
   * Linear function: `alpha · x + beta`.
   *
   * @param input float32 or float16; any shape
   * @param options `alpha`, 1 by default; `beta`, 0 by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type, or an option is not a finite number
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-linear
   */
  linear(input: MLOperand, options: MLLinearOptions = {}): MLOperand {
    return appendOne(this, operators.linear, [input, options]);
  }

  /**
   * Natural logarithm: `ln x`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  log(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.log, [input, options]);
  }

  /**
   * Logical and: 1 if `a` and `b` are both non-zero, else 0.
   *
   * @param a uint8; any shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns uint8; the broadcast shape
   * @throws {TypeError} if `a` is not uint8, `b` has another data type than `a`, or the shapes do not broadcast to
   * each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  logicalAnd(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.logicalAnd, [a, b, options]);
  }

  /**
   * Logical not: 1 if `a` is 0, else 0.
   *
   * @param a uint8; any shape
   * @returns uint8; the shape of `a`
   * @throws {TypeError} if `a` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  logicalNot(a: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.logicalNot, [a, options]);
  }

  /**
   * Logical or: 1 if `a` or `b` or both are non-zero, else 0.
   *
   * @param a uint8; any shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns uint8; the broadcast shape
   * @throws {TypeError} if `a` is not uint8, `b` has another data type than `a`, or the shapes do not broadcast to
   * each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  logicalOr(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.logicalOr, [a, b, options]);
  }

  /**
   * Exclusive or: 1 if exactly one of `a` and `b` is non-zero, else 0.
   *
   * @param a uint8; any shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns uint8; the broadcast shape
   * @throws {TypeError} if `a` is not uint8, `b` has another data type than `a`, or the shapes do not broadcast to
   * each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  logicalXor(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.logicalXor, [a, b, options]);
  }

  /**
   * Long short-term memory: runs {@linkcode MLGraphBuilder.lstmCell} for each step of a sequence, in one direction or
   * both.
   *
   * @param input float32 or float16; shape `[steps, batchSize, inputSize]`
   * @param weight shape `[directions, 4 · hiddenSize, inputSize]`
   * @param recurrentWeight shape `[directions, 4 · hiddenSize, hiddenSize]`
   * @param steps the first dimension of `input`
   * @param hiddenSize 1 or more
   * @param options see {@linkcode MLLstmOptions}; `directions` is 2 if `direction` is `"both"`, else 1
   * @returns the hidden state and the cell state after the last step, shape `[directions, batchSize, hiddenSize]`;
   * with `returnSequence` also the hidden state after every step, shape `[steps, directions, batchSize, hiddenSize]`,
   * in the order of the input for both directions
   * @throws {TypeError} if an operand has another data type or shape, `steps` is not the first dimension of `input`,
   * or `activations` does not have 3 items
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstm
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

  /**
   * One step of a long short-term memory. With `x = input`, `h = hiddenState`, `c = cellState`, and `W_i` the rows
   * of `W` for gate `i` (the other gates, weights and biases in the same way):
   *
   * - input gate `i = f(x · W_iᵀ + b_i + h · R_iᵀ + rb_i + p_i · c)`
   * - output gate `o = f(x · W_oᵀ + b_o + h · R_oᵀ + rb_o + p_o · c)`
   * - forget gate `f' = f(x · W_fᵀ + b_f + h · R_fᵀ + rb_f + p_f · c)`
   * - cell gate `g' = g(x · W_gᵀ + b_g + h · R_gᵀ + rb_g)`
   * - new cell state `c' = f' · c + i · g'`
   * - new hidden state `o · k(c')`
   *
   * All gates use the old cell state. In ONNX, the output gate uses the new one.
   *
   * @param input float32 or float16; shape `[batchSize, inputSize]`
   * @param weight `W`, shape `[4 · hiddenSize, inputSize]`
   * @param recurrentWeight `R`, shape `[4 · hiddenSize, hiddenSize]`
   * @param hiddenState `h`, shape `[batchSize, hiddenSize]`
   * @param cellState `c`, shape `[batchSize, hiddenSize]`
   * @param hiddenSize 1 or more
   * @param options `bias` (`b`) and `recurrentBias` (`rb`), shape `[4 · hiddenSize]`, and `peepholeWeight` (`p`,
   * always in the order i, o, f), shape `[3 · hiddenSize]`, 0 by default; `layout`, the order of the gates, `"iofg"`
   * by default; `activations`, `f`, `g` and `k`, `["sigmoid", "tanh", "tanh"]` by default
   * @returns the new hidden state and the new cell state; data type of `input`, shape `[batchSize, hiddenSize]`
   * @throws {TypeError} if an operand has another data type or shape, or `activations` does not have 3 items
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstmcell
   */
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

  /**
   * Matrix product over the last two dimensions: `output[..., i, j] = Σₖ a[..., i, k] · b[..., k, j]`. The other
   * dimensions broadcast to each other.
   *
   * @param a float32 or float16; shape `[..., M, K]`, rank 2 or more
   * @param b the data type of `a`; shape `[..., K, N]`, rank 2 or more
   * @returns the data type of `a`; shape `[..., M, N]`
   * @throws {TypeError} if the data types or the inner dimensions differ, or the outer dimensions do not broadcast
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-matmul
   */
  matmul(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.matmul, [a, b, options]);
  }

  /**
   * Element-wise maximum: `max(a, b)`.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns the data type of `a`; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary
   */
  max(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.max, [a, b, options]);
  }

  /**
   * Largest element of each window that moves over height and width. Padding is ignored.
   *
   * @param input any data type; rank 4, in the layout `options.layout`
   * @param options see {@linkcode MLPool2dOptions}; the window covers the whole height and width by default
   * @returns the data type of `input`; its shape with height and width changed to
   * `(size + begin + end − ((window − 1) · dilation + 1)) / stride + 1`, rounded down or up as `outputShapeRounding`
   * or `outputSizes` says
   * @throws {TypeError} if a list has the wrong length or a zero where none is allowed, the window does not fit into
   * the padded input, or `outputSizes` are not these sizes rounded down or up
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pool2d-max
   */
  maxPool2d(input: MLOperand, options: MLPool2dOptions = {}): MLOperand {
    return appendOne(this, operators.maxPool2d, [input, options]);
  }

  /**
   * Element-wise minimum: `min(a, b)`.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns the data type of `a`; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary
   */
  min(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.min, [a, b, options]);
  }

  /**
   * Element-wise product: `a · b`.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns the data type of `a`; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary
   */
  mul(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.mul, [a, b, options]);
  }

  /**
   * Negation: `−x`.
   *
   * @param input float32, float16, int64, int32 or int8; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  neg(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.neg, [input, options]);
  }

  /**
   * Element-wise comparison: 1 if `a ≠ b`, else 0. A comparison with NaN gives 1.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns uint8; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical
   */
  notEqual(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.notEqual, [a, b, options]);
  }

  /**
   * Pads each dimension by `beginningPadding` and `endingPadding`. `options.mode` chooses the new elements:
   * `"constant"` adds `value`, `"edge"` repeats the edge element, `"reflection"` mirrors the elements next to it:
   * `[1, 2, 3]` padded by 2 is `[3, 2, 1, 2, 3, 2, 1]`.
   *
   * @param input any data type and shape
   * @param beginningPadding how many elements to add before each dimension
   * @param endingPadding how many elements to add after each dimension
   * @param options `mode`, `"constant"` by default; `value`, 0 by default, converted to the data type of `input`
   * @returns the data type of `input`; shape `beginningPadding + input.shape + endingPadding`, dimension by dimension
   * @throws {TypeError} if a list does not have one item per dimension, a reflected padding is not less than its
   * dimension, or `value` is a BigInt and `input` is not int64 or uint64
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pad
   */
  pad(
    input: MLOperand,
    beginningPadding: readonly number[],
    endingPadding: readonly number[],
    options: MLPadOptions = {},
  ): MLOperand {
    return appendOne(this, operators.pad, [input, beginningPadding, endingPadding, options]);
  }

  /**
   * Element-wise power: `aᵇ`.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns the data type of `a`; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary
   */
  pow(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.pow, [a, b, options]);
  }

  /**
   * Parametric rectified linear unit: `x` if `x ≥ 0`, else `slope · x`.
   *
   * @param input float32, float16, int64, int32 or int8; any shape
   * @param slope the data type of `input`; a shape that broadcasts with that of `input`
   * @returns the data type of `input`; the broadcast shape
   * @throws {TypeError} if `input` has another data type, the data type of `slope` differs, or the shapes do not
   * broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-prelu
   */
  prelu(input: MLOperand, slope: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.prelu, [input, slope, options]);
  }

  /**
   * Converts floats to quantised integers: `clamp(roundEven(input / scale) + zeroPoint, min, max)`, where `min` and
   * `max` are the limits of the data type of `zeroPoint`. `scale` and `zeroPoint` have one element per block: on each
   * axis, `input.shape[axis] / scale.shape[axis]` elements of the input share one.
   *
   * @param input float32 or float16; any shape
   * @param scale the data type and rank of `input`, each dimension a divisor of the input's
   * @param zeroPoint uint8, int8, uint32, int32, int4 or uint4; the shape of `scale`
   * @returns the data type of `zeroPoint`; the shape of `input`
   * @throws {TypeError} if an operand has another data type, rank or shape
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-quantizelinear
   */
  quantizeLinear(input: MLOperand, scale: MLOperand, zeroPoint: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.quantizeLinear, [input, scale, zeroPoint, options]);
  }

  /**
   * Reciprocal: `1 / x`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  reciprocal(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.reciprocal, [input, options]);
  }

  /**
   * L1 norm along axes: `Σ|x|`.
   *
   * @param input float32, float16, int32, uint32, int64 or uint64; any shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceL1(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceL1, [input, options]);
  }

  /**
   * L2 norm along axes: `√Σx²`.
   *
   * @param input float32 or float16; any shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceL2(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceL2, [input, options]);
  }

  /**
   * Logarithm of the sum along axes: `ln Σx`.
   *
   * @param input float32 or float16; any shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceLogSum(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceLogSum, [input, options]);
  }

  /**
   * Logarithm of the sum of exponentials along axes: `ln Σeˣ`, without overflow.
   *
   * @param input float32 or float16; any shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceLogSumExp(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceLogSumExp, [input, options]);
  }

  /**
   * Largest element along axes: `max x`.
   *
   * @param input any data type and shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceMax(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceMax, [input, options]);
  }

  /**
   * Mean along axes: `Σx / count`.
   *
   * @param input float32 or float16; any shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceMean(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceMean, [input, options]);
  }

  /**
   * Smallest element along axes: `min x`.
   *
   * @param input any data type and shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceMin(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceMin, [input, options]);
  }

  /**
   * Product along axes: `Πx`.
   *
   * @param input float32, float16, int32, uint32, int64 or uint64; any shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceProduct(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceProduct, [input, options]);
  }

  /**
   * Sum along axes: `Σx`.
   *
   * @param input float32, float16, int32, uint32, int64 or uint64; any shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceSum(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceSum, [input, options]);
  }

  /**
   * Sum of squares along axes: `Σx²`.
   *
   * @param input float32, float16, int32, uint32, int64 or uint64; any shape
   * @param options `axes`, all by default (with `[]` the formula applies to each element alone); `keepDimensions`,
   * false by default
   * @returns the data type of `input`; its shape without `axes`, or with 1 in their place if `keepDimensions` is true
   * @throws {TypeError} if `axes` repeats or is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
   */
  reduceSumSquare(input: MLOperand, options: MLReduceOptions = {}): MLOperand {
    return appendOne(this, operators.reduceSumSquare, [input, options]);
  }

  /**
   * Rectified linear unit: `max(x, 0)`.
   *
   * @param input float32, float16, int64, int32 or int8; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-relu-method
   */
  relu(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.relu, [input, options]);
  }

  /**
   * Scales two axes to other sizes, with half-pixel centres: output position `i` lies at
   * `c = clamp((i + 0.5) · inputSize / outputSize − 0.5, 0, inputSize − 1)` of the input. `"nearest-neighbor"` takes
   * the element at `⌈c − 0.5⌉`; `"linear"` interpolates between the elements at `⌊c⌋` and `⌈c⌉` of both axes.
   *
   * @param input float32, float16, uint8 or int8; rank 4
   * @param options `mode`, `"nearest-neighbor"` by default; `axes`, `[2, 3]` by default; `sizes` of these axes, or
   * `scales` (ones by default)
   * @returns the data type of `input`; its shape, with the dimensions on `axes` replaced by `sizes`, or by
   * `⌊dimension · scale⌋` without `sizes`
   * @throws {TypeError} if a list does not have 2 items, `axes` repeats or is out of range, a scale is not positive,
   * a size is 0, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-resample2d-method
   */
  resample2d(input: MLOperand, options: MLResample2dOptions = {}): MLOperand {
    return appendOne(this, operators.resample2d, [input, options]);
  }

  /**
   * Changes the shape and keeps the elements, in row-major order.
   *
   * @param input any data type and shape
   * @param newShape the shape of the result
   * @returns the data type of `input`; `newShape`
   * @throws {TypeError} if `newShape` does not have as many elements as `input`
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reshape-method
   */
  reshape(input: MLOperand, newShape: readonly number[], options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.reshape, [input, newShape, options]);
  }

  /**
   * Reverses the order of the elements along axes: `output[i] = input[n − 1 − i]` for an axis of size `n`.
   *
   * @param input any data type and shape
   * @param options `axes`, all by default; `[]` reverses none
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `axes` repeats or is out of range
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reverse-method
   */
  reverse(input: MLOperand, options: MLReverseOptions = {}): MLOperand {
    return appendOne(this, operators.reverse, [input, options]);
  }

  /**
   * Rounds to the nearest integer, ties to the even one: 0.5 → 0, 1.5 → 2, −2.5 → −2.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  roundEven(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.roundEven, [input, options]);
  }

  /**
   * Copies the input, then overwrites one element per index: `output[indices[i][j]][j] = updates[i][j]` for axis 0,
   * `output[i][indices[i][j]]` for axis 1. Negative indices count from the end; indices out of range are clamped to
   * the nearest valid one. If two updates have the same position, either may win.
   *
   * @param input any data type; rank 1 or more
   * @param indices int32, uint32 or int64; the shape of `input`, except that the dimension on `axis` may differ
   * @param updates the data type of `input`; the shape of `indices`
   * @param options `axis`, 0 by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `axis` is out of range, or an operand has another data type or shape
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-scatterelements
   */
  scatterElements(
    input: MLOperand,
    indices: MLOperand,
    updates: MLOperand,
    options: MLScatterOptions = {},
  ): MLOperand {
    return appendOne(this, operators.scatterElements, [input, indices, updates, options]);
  }

  /**
   * Copies the input, then overwrites elements or slices by coordinates:
   * `output[indices[i, 0], ..., indices[i, c − 1]] = updates[i]`, where `c` is the last dimension of `indices` and
   * `i` stands for the others. Negative indices count from the end; indices out of range are clamped to the nearest
   * valid one. If two updates have the same position, either may win.
   *
   * @param input any data type; rank 1 or more
   * @param indices int32, uint32 or int64; rank 1 or more, the last dimension at most the rank of `input`
   * @param updates the data type of `input`; shape `[...indices.shape.slice(0, -1), ...input.shape.slice(c)]`
   * @returns the data type and shape of `input`
   * @throws {TypeError} if an operand has another data type or shape, or the last dimension of `indices` is too large
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-scatternd
   */
  scatterND(input: MLOperand, indices: MLOperand, updates: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.scatterND, [input, indices, updates, options]);
  }

  /**
   * Sigmoid: `1 / (1 + e⁻ˣ)`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-sigmoid-method
   */
  sigmoid(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sigmoid, [input, options]);
  }

  /**
   * Sign: −1 if `x < 0`, 0 if `x = 0`, 1 if `x > 0`.
   *
   * @param input float32, float16, int64, int32 or int8; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  sign(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sign, [input, options]);
  }

  /**
   * Sine: `sin x`, with `x` in radians.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  sin(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sin, [input, options]);
  }

  /**
   * Cuts out a block: `output[i] = input[starts + i · strides]` on each axis.
   *
   * @param input any data type and shape
   * @param starts for each axis, the first index
   * @param sizes for each axis, how many elements the block spans, 1 or more
   * @param options `strides`, for each axis 1 or more and at most its size; ones by default
   * @returns the data type of `input`; shape `⌈sizes / strides⌉`, dimension by dimension
   * @throws {TypeError} if a list does not have one item per dimension, the block reaches beyond the input, or a size
   * or stride is out of range
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-slice
   */
  slice(
    input: MLOperand,
    starts: readonly number[],
    sizes: readonly number[],
    options: MLSliceOptions = {},
  ): MLOperand {
    return appendOne(this, operators.slice, [input, starts, sizes, options]);
  }

  /**
   * Softmax along `axis`: `eˣ / Σeˣ`, without overflow.
   *
   * @param input float32 or float16; rank 1 or more
   * @param axis less than the rank
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `axis` is out of range, or `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-softmax-method
   */
  softmax(input: MLOperand, axis: number, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.softmax, [input, axis, options]);
  }

  /**
   * Softplus: `ln(1 + eˣ)`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-softplus-method
   */
  softplus(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.softplus, [input, options]);
  }

  /**
   * Softsign: `x / (1 + |x|)`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-softsign-method
   */
  softsign(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.softsign, [input, options]);
  }

  /**
   * Cuts a tensor into parts along `options.axis`.
   *
   * @param input any data type; rank 1 or more
   * @param splits the number of equal parts, or the size of each part; 1 to 8192 parts
   * @param options `axis`, 0 by default
   * @returns one operand per part: the data type of `input`, and its shape with the size of the part on `axis`
   * @throws {TypeError} if `axis` is out of range, `splits` does not divide the dimension or does not add up to it,
   * or a size is 0
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-split
   */
  split(input: MLOperand, splits: number | readonly number[], options: MLSplitOptions = {}): MLOperand[] {
    return appendList(this, operators.split, [input, splits, options]);
  }

  /**
   * Square root: `√x`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  sqrt(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sqrt, [input, options]);
  }

  /**
   * Element-wise difference: `a − b`.
   *
   * @param a any data type and shape
   * @param b the data type of `a`; a shape that broadcasts with that of `a`
   * @returns the data type of `a`; the broadcast shape
   * @throws {TypeError} if `b` has another data type than `a`, or the shapes do not broadcast to each other
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary
   */
  sub(a: MLOperand, b: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.sub, [a, b, options]);
  }

  /**
   * Tangent: `tan x`, with `x` in radians.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
   */
  tan(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.tan, [input, options]);
  }

  /**
   * Hyperbolic tangent: `(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)`.
   *
   * @param input float32 or float16; any shape
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has another data type
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-tanh-method
   */
  tanh(input: MLOperand, options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.tanh, [input, options]);
  }

  /**
   * Repeats a tensor along each dimension: `output[i] = input[i mod n]` for a dimension of size `n`.
   *
   * @param input any data type and shape
   * @param repetitions how often to repeat each dimension, 1 or more
   * @returns the data type of `input`; shape `input.shape · repetitions`, dimension by dimension
   * @throws {TypeError} if `repetitions` does not have one item per dimension, or one is 0
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-tile
   */
  tile(input: MLOperand, repetitions: readonly number[], options: MLOperatorOptions = {}): MLOperand {
    return appendOne(this, operators.tile, [input, repetitions, options]);
  }

  /**
   * Reorders the dimensions: dimension `i` of the output is dimension `permutation[i]` of the input.
   *
   * @param input any data type and shape
   * @param options `permutation`, each axis once; reversed order by default
   * @returns the data type of `input`; shape `permutation.map((axis) => input.shape[axis])`
   * @throws {TypeError} if `permutation` does not have each axis once
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-transpose
   */
  transpose(input: MLOperand, options: MLTransposeOptions = {}): MLOperand {
    return appendOne(this, operators.transpose, [input, options]);
  }

  /**
   * Keeps the upper or lower triangle of the last two dimensions and sets the rest to 0. Element `[..., i, j]` is
   * kept if `j − i ≥ diagonal` (upper) or `j − i ≤ diagonal` (lower).
   *
   * @param input any data type; rank 2 or more
   * @param options `upper`, true by default; `diagonal`, 0 (the main diagonal) by default
   * @returns the data type and shape of `input`
   * @throws {TypeError} if `input` has rank 0 or 1
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-triangular
   */
  triangular(input: MLOperand, options: MLTriangularOptions = {}): MLOperand {
    return appendOne(this, operators.triangular, [input, options]);
  }

  /**
   * Selects element by element: `trueValue` where `condition` is non-zero, else `falseValue`. The three shapes
   * broadcast to each other.
   *
   * @param condition uint8; any shape
   * @param trueValue any data type and shape
   * @param falseValue the data type of `trueValue`; any shape
   * @returns the data type of `trueValue`; the broadcast shape
   * @throws {TypeError} if `condition` is not uint8, the values differ in data type, or the shapes do not broadcast
   * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-where
   */
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
