/**
 * Operators that combine elements along axes: reductions, argMax, cumulative sums, softmax, losses.
 *
 * @module
 */

import type { NodeView } from "../node.ts";
import { join, type Operand, range } from "../operand.ts";
import { type Build, type Row, type RowResult, rows } from "../row.ts";
import { isPlain } from "../element_type.ts";
import { unsupported } from "../errors.ts";
import { isKnown } from "../value.ts";
import { axesOf, flattened } from "./movement.ts";

/** WebNN's reductions, each with its result for no elements. */
const OF_NOTHING = {
  reduceL1: 0,
  reduceL2: 0,
  reduceLogSum: -Infinity,
  reduceLogSumExp: -Infinity,
  reduceMax: -Infinity,
  reduceMean: NaN,
  reduceMin: Infinity,
  reduceProduct: 1,
  reduceSum: 0,
  reduceSumSquare: 0,
};

type Reduction = keyof typeof OF_NOTHING;

/**
 * The reductions that return a single element unchanged. With `noop_with_empty_axes`, ONNX returns the input, but
 * engines apply the reduction to each element: only for these reductions, both agree.
 */
const KEEPING: readonly Reduction[] = ["reduceMax", "reduceMean", "reduceMin", "reduceProduct", "reduceSum"];

/** A reduction. Its axes are an input since version `axesInputSince` of the operator; before, an attribute. */
const reduce = (name: Reduction, axesInputSince: number): Build => (node, x, axesInput?) => {
  const given = axesOf(node, axesInputSince, axesInput) ?? [];
  const axes = given.length === 0 ? range(0, x.rank) : x.axes(given);
  const keepDimensions = node.flag("keepdims", true);
  if (x.shape.includes(0)) return ofNothing(x, name, axes, keepDimensions);
  if (given.length === 0 && node.since >= axesInputSince && node.flag("noop_with_empty_axes")) {
    return KEEPING.includes(name) ? x : unsupported("ONNX and its engines define noop_with_empty_axes differently");
  }
  if (isKnown(x.value) || node.supports(name, "input", x.dataType)) return x[name]({ axes, keepDimensions });
  if (name !== "reduceMean" || x.isFloat) return unsupported(`WebNN's ${name} does not support ${x.type}`);
  const isSmall = x.dataType === "int8" || x.dataType === "uint8";
  const sum = (isSmall ? x.cast("int32") : x).reduceSum({ axes, keepDimensions });
  return sum.div(x.size / sum.size).cast(x.type);
};

/** The result for an empty input, which is known without computing. */
function ofNothing(x: Operand, name: Reduction, axes: readonly number[], keepDimensions: boolean): Operand {
  const sizes = x.shape.map((size, i) => axes.includes(i) ? 1 : size);
  const value = OF_NOTHING[name];
  if (!isPlain(x.type) || !(Number.isFinite(value) || x.isFloat)) {
    unsupported(`${name} of an empty ${x.type} tensor has no result`);
  }
  return x.constant(keepDimensions ? sizes : sizes.filter((_, i) => !axes.includes(i)), value);
}

/**
 * The first or last position of the maximum or minimum along an axis. WebNN finds the first; the last is the first on
 * the reversed axis.
 */
const argument = (name: "argMax" | "argMin"): Build => (node, x) => {
  const axis = x.axis(node.int("axis", 0));
  const options = { keepDimensions: node.flag("keepdims", true), outputDataType: node.integer };
  if (!node.flag("select_last_index")) return x[name](axis, options);
  const fromEnd = x.reverse({ axes: [axis] })[name](axis, options);
  return fromEnd.scalar(x.shape[axis]! - 1).sub(fromEnd);
};

function cumSum(node: NodeView, x: Operand, axis: Operand): Operand {
  const options = { exclusive: node.flag("exclusive"), reversed: node.flag("reverse") };
  return x.cumulativeSum(x.axis(axis.number("axis")), options);
}

/**
 * Before version 13, the operator flattens the input to a matrix whose rows start at the axis. Since version 13, it
 * applies to the axis alone.
 */
const alongAxis = (compute: (x: Operand, axis: number) => Operand): Build => (node, x) => {
  const axis = x.axis(node.int("axis", node.since >= 13 ? -1 : 1));
  return node.since >= 13 || axis === x.rank - 1 ? compute(x, axis) : compute(flattened(x, axis), 1).reshape(x.shape);
};

/** x − max − ln Σ exp(x − max) */
function logSoftmax(x: Operand, axis: number): Operand {
  const options = { axes: [axis], keepDimensions: true };
  const centred = x.sub(x.reduceMax(options));
  return centred.sub(centred.exp().reduceSum(options).log());
}

/** 1 at the first maximum, otherwise 0. */
function hardmax(x: Operand, axis: number): Operand {
  return x.positions(axis).equal(x.argMax(axis, { keepDimensions: true })).cast(x.type);
}

/** The maximum number of comparisons for sorting. */
const MAXIMUM_COMPARISONS = 2 ** 26;
/** The largest k of TopK for which the elements are found one by one; for a larger k, they are sorted. */
const MAXIMUM_STEPS = 16;

/** The k largest or smallest elements, and their positions. Equal elements keep their order. */
function topK(node: NodeView, x: Operand): RowResult {
  const axis = x.axis(node.int("axis", -1));
  const count = node.since >= 10 ? node.input(1).number("k") : node.int("k");
  const largest = node.flag("largest", true);
  const shape = x.shape.with(axis, count);
  if (count === 0) return [x.empty(shape), node.constant("int64", shape, [])];
  const positions = count <= MAXIMUM_STEPS
    ? firstOneByOne(x, axis, count, largest)
    : orderOf(x, axis, largest).cut(axis, 0, count);
  return [x.gatherElements(positions, { axis }), positions.cast("int64")];
}

/** The positions of the `count` largest or smallest elements: finds the best of the remaining ones each time. */
function firstOneByOne(x: Operand, axis: number, count: number, largest: boolean): Operand {
  const [best, worst] = largest ? ["reduceMax", "reduceMin"] as const : ["reduceMin", "reduceMax"] as const;
  const options = { axes: [axis], keepDimensions: true };
  const place = x.positions(axis);
  const last = x[worst](options);
  let left = place.equal(place).expand(x.shape);
  const found = range(0, count).map(() => {
    const candidates = left.logicalAnd(x.equal(left.where(x, last)[best](options)));
    const position = candidates.where(place, x.shape[axis]! - 1).reduceMin(options);
    left = left.logicalAnd(place.notEqual(position));
    return position;
  });
  return join(found, axis);
}

/** The positions in sorted order: counts, for each element, the elements that sort before it. */
function orderOf(x: Operand, axis: number, largest: boolean): Operand {
  const size = x.shape[axis]!;
  if (x.size * size > MAXIMUM_COMPARISONS) {
    unsupported(`sorting an axis of ${size} elements of [${x.shape}] is too expensive`);
  }
  const [a, b] = [x.reshape(x.shape.toSpliced(axis + 1, 0, 1)), x.reshape(x.shape.toSpliced(axis, 0, 1))];
  const isEarlier = b.positions(axis + 1).lesser(a.positions(axis));
  const isBefore = largest ? b.greater(a) : b.lesser(a);
  const place = isBefore.logicalOr(b.equal(a).logicalAnd(isEarlier)).cast("int32").reduceSum({ axes: [axis + 1] });
  const positions = x.positions(axis).expand(x.shape);
  return positions.scatterElements(place, positions, { axis });
}

/** The negative weighted log-probability of each target; targets equal to `ignore_index` count as 0. */
function negativeLogLikelihood(node: NodeView, logProbabilities: Operand, targets: Operand, weight?: Operand): Operand {
  const target = targets.cast("int32");
  const ignored = node.hasAttribute("ignore_index") ? target.equal(node.int("ignore_index")) : undefined;
  const withoutIgnored = (x: Operand) => ignored ? ignored.where(0, x) : x;
  const index = withoutIgnored(target);
  const column = index.reshape(index.shape.toSpliced(1, 0, 1));
  const chosen = logProbabilities.gatherElements(column, { axis: 1 }).reshape(index.shape);
  const ofClasses = weight ?? logProbabilities.constant([logProbabilities.shape[1]!], 1);
  const weights = withoutIgnored(ofClasses.gather(index, 0));
  const losses = withoutIgnored(chosen.mul(weights).neg());
  const reduction = node.string("reduction", "mean");
  if (reduction === "none") return losses;
  const sum = losses.reduceSum();
  return reduction === "sum" ? sum : sum.div(weights.reduceSum());
}

function softmaxCrossEntropyLoss(node: NodeView, scores: Operand, targets: Operand, weight?: Operand): RowResult {
  const logProbabilities = logSoftmax(scores, 1);
  return [negativeLogLikelihood(node, logProbabilities, targets, weight), logProbabilities];
}

export const reduction: Row[] = rows("", {
  ArgMax: [1, 1, argument("argMax")],
  ArgMin: [1, 1, argument("argMin")],
  CumSum: [11, 2, cumSum],
  Hardmax: [[1, 13], 1, alongAxis(hardmax)],
  LogSoftmax: [[1, 13], 1, alongAxis(logSoftmax)],
  NegativeLogLikelihoodLoss: [12, 2, negativeLogLikelihood],
  ReduceL1: [[1, 18], 1, reduce("reduceL1", 18)],
  ReduceL2: [[1, 18], 1, reduce("reduceL2", 18)],
  ReduceLogSum: [[1, 18], 1, reduce("reduceLogSum", 18)],
  ReduceLogSumExp: [[1, 18], 1, reduce("reduceLogSumExp", 18)],
  ReduceMax: [[1, 18], 1, reduce("reduceMax", 18)],
  ReduceMean: [[1, 18], 1, reduce("reduceMean", 18)],
  ReduceMin: [[1, 18], 1, reduce("reduceMin", 18)],
  ReduceProd: [[1, 18], 1, reduce("reduceProduct", 18)],
  ReduceSum: [[1, 13], 1, reduce("reduceSum", 13)],
  ReduceSumSquare: [[1, 18], 1, reduce("reduceSumSquare", 18)],
  Softmax: [[1, 13], 1, alongAxis((x, axis) => x.softmax(axis))],
  SoftmaxCrossEntropyLoss: [12, 2, softmaxCrossEntropyLoss],
  TopK: [[1, 10], 1, topK],
});
