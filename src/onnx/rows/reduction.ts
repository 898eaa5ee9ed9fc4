/**
 * Operators that combine elements along axes: reductions, argMax, cumulative sums, softmax, losses.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { known, sizeOf } from "../value.ts";
import { calculate, counting, cut, isFloat, join, nothing, range } from "./calculation.ts";
import { axesOf } from "./movement.ts";

type Reduction =
  | "reduceL1"
  | "reduceL2"
  | "reduceLogSum"
  | "reduceLogSumExp"
  | "reduceMax"
  | "reduceMean"
  | "reduceMin"
  | "reduceProduct"
  | "reduceSum"
  | "reduceSumSquare";

/** The result of reducing no elements. */
const OF_NOTHING: Partial<Record<Reduction, number>> = {
  reduceL1: 0,
  reduceL2: 0,
  reduceLogSum: -Infinity,
  reduceLogSumExp: -Infinity,
  reduceMax: -Infinity,
  reduceMin: Infinity,
  reduceProduct: 1,
  reduceSum: 0,
  reduceSumSquare: 0,
};

/** A reduction whose axes are an input since a version of the operator. */
const reduce = (name: Reduction, axesInputSince: number) => (node: NodeView): RowResult => {
  const { shape } = node.value(0);
  const given = axesOf(node, axesInputSince)?.map((axis) => node.axis(axis, shape.length)) ?? [];
  const isWhole = given.length === 0;
  const axes = isWhole ? range(0, shape.length) : given;
  const keepDimensions = node.flag("keepdims", true);
  if (shape.includes(0)) return ofNothing(node, name, axes, keepDimensions);
  if (isWhole && node.since >= axesInputSince && node.flag("noop_with_empty_axes")) return notReduced(node, name);
  return reduced(node, name, axes, keepDimensions);
};

/** For the other reductions, ONNX specifies no operation, but engines apply theirs to each element. */
const PLAIN: readonly Reduction[] = ["reduceMax", "reduceMean", "reduceMin", "reduceProduct", "reduceSum"];

function notReduced(node: NodeView, name: Reduction): MLOperand {
  if (!PLAIN.includes(name)) node.refuse("noop_with_empty_axes, which ONNX and its engines define differently");
  return node.input(0);
}

function reduced(node: NodeView, name: Reduction, axes: number[], keepDimensions: boolean): MLOperand {
  const x = node.input(0);
  if (node.supports(name, "input", x.dataType)) return node.builder[name](x, { axes, keepDimensions });
  const isSmall = x.dataType === "int8" || x.dataType === "uint8";
  if (name === "reduceMean" && !isFloat(x)) {
    const sum = node.builder.reduceSum(isSmall ? node.cast(x, "int32") : x, { axes, keepDimensions });
    return node.cast(calculate(node).div(sum, axes.reduce((count, axis) => count * x.shape[axis]!, 1)), x.dataType);
  }
  return node.refuse(`WebNN's ${name} does not support ${x.dataType}`);
}

/** The result for an empty input, which is known without computing. */
function ofNothing(node: NodeView, name: Reduction, axes: number[], keepDimensions: boolean): RowResult {
  const { shape, type } = node.value(0);
  const sizes = keepDimensions
    ? shape.map((size, i) => axes.includes(i) ? 1 : size)
    : shape.filter((_, i) => !axes.includes(i));
  const value = OF_NOTHING[name] ?? NaN;
  if (type !== "float32" && type !== "float16" && type !== "float64") {
    if (!Number.isFinite(value)) node.refuse(`${name} of an empty ${type} tensor`);
    if (type !== "int32" && type !== "int64" && type !== "uint32" && type !== "uint64") {
      node.refuse(`the type ${type} is not supported`);
    }
  }
  return known(type as "float32", sizes, new Array(sizeOf(sizes)).fill(value));
}

/** The first or last position of an extreme along an axis; the last is the first on the reversed axis. */
const argument = (name: "argMax" | "argMin") => (node: NodeView): RowResult => {
  const x = node.input(0);
  const axis = node.axis(node.int("axis", 0), x.shape.length);
  const options = { keepDimensions: node.flag("keepdims", true), outputDataType: node.integer };
  if (!node.flag("select_last_index")) return node.builder[name](x, axis, options);
  const fromEnd = node.builder[name](node.builder.reverse(x, { axes: [axis] }), axis, options);
  return calculate(node).sub(x.shape[axis]! - 1, fromEnd);
};

function cumSum(node: NodeView): RowResult {
  const x = node.input(0);
  const axis = node.axis(node.neededNumber(1, "axis"), x.shape.length);
  return node.builder.cumulativeSum(x, axis, { exclusive: node.flag("exclusive"), reversed: node.flag("reverse") });
}

/**
 * Before version 13, the input is flattened to a matrix whose rows start at the axis; since then, only one axis is
 * used.
 */
const alongAxis =
  (compute: (node: NodeView, x: MLOperand, axis: number) => MLOperand) => (node: NodeView): RowResult => {
    const x = node.input(0);
    const rank = x.shape.length;
    if (node.since >= 13) return compute(node, x, node.axis(node.int("axis", -1), rank));
    const axis = node.int("axis", 1);
    const at = axis < 0 ? axis + rank : axis;
    if (at === rank - 1) return compute(node, x, at);
    const flat = node.reshape(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
    return node.reshape(compute(node, flat, 1), x.shape);
  };

const softmax = (node: NodeView, x: MLOperand, axis: number): MLOperand => node.builder.softmax(x, axis);

/** x − max − ln Σ exp(x − max) */
function logSoftmax(node: NodeView, x: MLOperand, axis: number): MLOperand {
  const { builder } = node;
  const options = { axes: [axis], keepDimensions: true };
  const centred = builder.sub(x, builder.reduceMax(x, options));
  return builder.sub(centred, builder.log(builder.reduceSum(builder.exp(centred), options)));
}

/** 1 at the first maximum, otherwise 0. */
function hardmax(node: NodeView, x: MLOperand, axis: number): MLOperand {
  const at = node.builder.argMax(x, axis, { keepDimensions: true });
  return node.cast(node.builder.equal(counting(node, x, axis, "int32"), at), x.dataType);
}

/** The maximum number of comparisons for sorting. */
const MAXIMUM_COMPARISONS = 2 ** 26;
/** The maximum number of elements to find one by one. */
const MAXIMUM_STEPS = 16;

/** The k largest or smallest elements, equal ones in their order, and their positions. */
function topK(node: NodeView): RowResult {
  const x = node.input(0);
  const axis = node.axis(node.int("axis", -1), x.shape.length);
  const count = node.since >= 10 ? node.neededNumber(1, "k") : node.int("k");
  const largest = node.flag("largest", true);
  if (count === 0) {
    const shape = x.shape.with(axis, 0);
    return [nothing(node.type(0), shape), nothing("int64", shape)];
  }
  const positions = count <= MAXIMUM_STEPS
    ? firstOneByOne(node, x, axis, count, largest)
    : cut(node, orderOf(node, x, axis, largest), axis, 0, count);
  return [node.builder.gatherElements(x, positions, { axis }), node.cast(positions, node.integer)];
}

/** Repeatedly finds the extreme of the remaining elements. */
function firstOneByOne(node: NodeView, x: MLOperand, axis: number, count: number, largest: boolean): MLOperand {
  const { equal, where } = calculate(node);
  const { builder } = node;
  const [best, worst] = largest ? ["reduceMax", "reduceMin"] as const : ["reduceMin", "reduceMax"] as const;
  const options = { axes: [axis], keepDimensions: true };
  const place = counting(node, x, axis, "int32");
  const last = builder[worst](x, options);
  let left = node.expand(node.scalar("uint8", 1), x.shape);
  const found = range(0, count).map(() => {
    const among = where(left, x, last);
    const candidates = builder.logicalAnd(left, equal(x, builder[best](among, options)));
    const position = builder.reduceMin(where(candidates, place, x.shape[axis]! - 1), options);
    left = builder.logicalAnd(left, builder.notEqual(place, position));
    return position;
  });
  return join(node, found, axis);
}

/** The positions in sorted order: the rank of an element is the number of elements before it. */
function orderOf(node: NodeView, x: MLOperand, axis: number, largest: boolean): MLOperand {
  const { builder } = node;
  const size = x.shape[axis]!;
  if (sizeOf(x.shape) * size > MAXIMUM_COMPARISONS) {
    node.refuse(`sorting an axis of ${size} elements of [${x.shape}] is too expensive`);
  }
  const rank = x.shape.length;
  const [mine, other] = [x.shape.toSpliced(axis + 1, 0, 1), x.shape.toSpliced(axis, 0, 1)];
  const [a, b] = [node.reshape(x, mine), node.reshape(x, other)];
  const pairs = range(0, size * size).map((i) => i % size < Math.floor(i / size) ? 1 : 0);
  const shape = [...new Array(axis).fill(1), size, size, ...new Array(rank - axis - 1).fill(1)];
  const earlier = builder.logicalAnd(builder.equal(b, a), node.constant("uint8", shape, pairs));
  const before = builder.logicalOr(largest ? builder.greater(b, a) : builder.lesser(b, a), earlier);
  const place = builder.reduceSum(node.cast(before, "int32"), { axes: [axis + 1] });
  const positions = node.expand(counting(node, x, axis, "int32"), x.shape);
  return builder.scatterElements(positions, place, positions, { axis });
}

/** The negative weighted log-probability of each target; targets equal to `ignore_index` count as 0. */
function negativeLogLikelihood(node: NodeView, logProbabilities: MLOperand): MLOperand {
  const { mul, div, equal, where } = calculate(node);
  const { builder } = node;
  const classes = logProbabilities.shape[1]!;
  const target = node.cast(node.input(1), "int32");
  const ignored = node.hasAttribute("ignore_index") ? equal(target, node.int("ignore_index")) : undefined;
  const index = ignored ? where(ignored, 0, target) : target;
  const column = node.reshape(index, index.shape.toSpliced(1, 0, 1));
  const chosen = node.reshape(builder.gatherElements(logProbabilities, column, { axis: 1 }), index.shape);
  const plain = node.optional(2) ?? node.expand(node.scalar(chosen, 1), [classes]);
  const all = builder.gather(plain, index);
  const weights = ignored ? where(ignored, 0, all) : all;
  const losses = builder.neg(mul(chosen, weights));
  const loss = ignored ? where(ignored, 0, losses) : losses;
  const reduction = node.string("reduction", "mean");
  if (reduction === "none") return loss;
  const sum = builder.reduceSum(loss);
  return reduction === "sum" ? sum : div(sum, builder.reduceSum(weights));
}

function negativeLogLikelihoodLoss(node: NodeView): RowResult {
  return negativeLogLikelihood(node, node.input(0));
}

function softmaxCrossEntropyLoss(node: NodeView): RowResult {
  const logProbabilities = logSoftmax(node, node.input(0), 1);
  return [negativeLogLikelihood(node, logProbabilities), logProbabilities];
}

export const reduction: Row[] = rows("", {
  ArgMax: [[1], argument("argMax")],
  ArgMin: [[1], argument("argMin")],
  CumSum: [[11], cumSum],
  Hardmax: [[1, 13], alongAxis(hardmax)],
  LogSoftmax: [[1, 13], alongAxis(logSoftmax)],
  NegativeLogLikelihoodLoss: [[12], negativeLogLikelihoodLoss],
  ReduceL1: [[1, 18], reduce("reduceL1", 18)],
  ReduceL2: [[1, 18], reduce("reduceL2", 18)],
  ReduceLogSum: [[1, 18], reduce("reduceLogSum", 18)],
  ReduceLogSumExp: [[1, 18], reduce("reduceLogSumExp", 18)],
  ReduceMax: [[1, 18], reduce("reduceMax", 18)],
  ReduceMean: [[1, 18], reduce("reduceMean", 18)],
  ReduceMin: [[1, 18], reduce("reduceMin", 18)],
  ReduceProd: [[1, 18], reduce("reduceProduct", 18)],
  ReduceSum: [[1, 13], reduce("reduceSum", 13)],
  ReduceSumSquare: [[1, 18], reduce("reduceSumSquare", 18)],
  Softmax: [[1, 13], alongAxis(softmax)],
  SoftmaxCrossEntropyLoss: [[12], softmaxCrossEntropyLoss],
  TopK: [[1, 10], topK],
});
