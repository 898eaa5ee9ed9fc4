/**
 * Reductions, argMin and argMax, cumulativeSum and softmax.
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce
 *
 * @module
 */

import { attribute, type Attributes, type Compute, operand, parameter, type Rows } from "./operator.ts";
import { isFloat } from "./round.ts";
import {
  accumulate,
  type Accumulated,
  at,
  type Element,
  floatAt,
  generate,
  type Index,
  indices,
  meanOf,
  type RefDataType,
  type RefTensor,
  sumOf,
  withAxis,
} from "./tensor.ts";

function sum(values: readonly number[]): number {
  return sumOf(values).value;
}

/** The axes to reduce: all by default, none for an empty list. */
function reducedAxes(input: RefTensor, attributes: Attributes): number[] {
  return attribute(attributes, "axes", input.shape.map((_, axis) => axis));
}

function reducedShape(input: RefTensor, axes: readonly number[], keepDimensions: boolean): number[] {
  return input.shape.flatMap((dimension, axis) => !axes.includes(axis) ? [dimension] : keepDimensions ? [1] : []);
}

/** All indices of the input that are reduced to the output element at `index`, in row-major order. */
function* reducedIndices(
  shape: readonly number[],
  axes: readonly number[],
  keepDimensions: boolean,
  index: Index,
): Generator<number[]> {
  const kept = [...index];
  const base = shape.map((_, axis) => {
    if (!axes.includes(axis)) return kept.shift()!;
    if (keepDimensions) kept.shift();
    return 0;
  });
  for (const inner of indices(axes.map((axis) => shape[axis]!))) {
    yield base.map((coordinate, axis) => axes.includes(axis) ? inner[axes.indexOf(axis)]! : coordinate);
  }
}

interface Reduction {
  readonly float: (values: readonly number[]) => Accumulated;
  readonly integer?: (values: readonly bigint[]) => bigint;
}

function reduce(reduction: Reduction): Compute {
  return (operands, attributes) => {
    const input = operand(operands, "input");
    const axes = reducedAxes(input, attributes);
    const keepDimensions = attribute(attributes, "keepDimensions", false);
    const shape = reducedShape(input, axes, keepDimensions);
    const elements = (index: Index) =>
      [...reducedIndices(input.shape, axes, keepDimensions, index)].map((position) => at(input, position));
    const count = axes.reduce((product, axis) => product * input.shape[axis]!, 1);
    if (isFloat(input.dataType)) {
      return [accumulate(input.dataType, shape, count + 2, (index) => reduction.float(elements(index).map(Number)))];
    }
    const integer = reduction.integer;
    if (integer === undefined) throw new TypeError(`no such reduction of ${input.dataType}`);
    return [generate(input.dataType, shape, (index) => integer(elements(index).map((element) => BigInt(element))))];
  };
}

/** Subtracts the maximum first, so that no exponential overflows. */
function logSumExp(values: readonly number[]): Accumulated {
  const max = Math.max(...values);
  if (!Number.isFinite(max)) return { value: max, magnitude: 0 };
  const value = max + Math.log(sum(values.map((x) => Math.exp(x - max))));
  return { value, magnitude: Math.abs(max) + Math.abs(value) + 1 };
}

function logSum(values: readonly number[]): Accumulated {
  const total = sumOf(values);
  const value = Math.log(total.value);
  // The derivative of the logarithm scales the error of the sum.
  return { value, magnitude: total.magnitude / Math.abs(total.value) + Math.abs(value) };
}

/** A value with a relative error, because nothing can cancel. */
function relative(value: number): Accumulated {
  return { value, magnitude: Math.abs(value) };
}

const reductions: Rows = {
  reduceL1: reduce({
    float: (values) => relative(sumOf(values).magnitude),
    integer: (values) => values.reduce((total, value) => total + (value < 0n ? -value : value), 0n),
  }),
  reduceL2: reduce({ float: (values) => relative(Math.sqrt(sum(values.map((x) => x * x)))) }),
  reduceLogSum: reduce({ float: logSum }),
  reduceLogSumExp: reduce({ float: logSumExp }),
  reduceMax: reduce({
    float: (values) => ({ value: Math.max(...values), magnitude: 0 }),
    integer: (values) => values.reduce((max, value) => value > max ? value : max),
  }),
  reduceMean: reduce({
    float: meanOf,
  }),
  reduceMin: reduce({
    float: (values) => ({ value: Math.min(...values), magnitude: 0 }),
    integer: (values) => values.reduce((min, value) => value < min ? value : min),
  }),
  reduceProduct: reduce({
    float: (values) => relative(values.reduce((product, value) => product * value, 1)),
    integer: (values) => values.reduce((product, value) => product * value, 1n),
  }),
  reduceSum: reduce({
    float: sumOf,
    integer: (values) => values.reduce((total, value) => total + value, 0n),
  }),
  reduceSumSquare: reduce({
    float: (values) => relative(sum(values.map((x) => x * x))),
    integer: (values) => values.reduce((total, value) => total + value * value, 0n),
  }),
};

/** The index of the extreme along an axis; of several, the first. */
function extremePosition(precedes: (x: Element, y: Element) => boolean): Compute {
  return (operands, attributes) => {
    const input = operand(operands, "input");
    const axes = [parameter<number>(attributes, "axis")];
    const keepDimensions = attribute(attributes, "keepDimensions", false);
    const dataType = attribute<RefDataType>(attributes, "outputDataType", "int32");
    return [generate(dataType, reducedShape(input, axes, keepDimensions), (index) => {
      const line = [...reducedIndices(input.shape, axes, keepDimensions, index)].map((position) => at(input, position));
      return line.reduce((best: number, element, i) => precedes(element, line[best]!) ? i : best, 0);
    })];
  };
}

/** The positions that are summed for position `i`. */
function summedPositions(i: number, dimension: number, exclusive: boolean, reversed: boolean): number[] {
  return Array.from({ length: dimension }, (_, j) => j).filter((j) =>
    (reversed ? j > i : j < i) || (j === i && !exclusive)
  );
}

const cumulativeSum: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const axis = parameter<number>(attributes, "axis");
  const exclusive = attribute(attributes, "exclusive", false);
  const reversed = attribute(attributes, "reversed", false);
  const dimension = input.shape[axis]!;
  const elements = (index: Index) =>
    summedPositions(index[axis]!, dimension, exclusive, reversed).map((j) => at(input, withAxis(index, axis, j)));
  if (!isFloat(input.dataType)) {
    const total = (index: Index) => elements(index).reduce((sum: bigint, element) => sum + BigInt(element), 0n);
    return [generate(input.dataType, input.shape, total)];
  }
  return [accumulate(input.dataType, input.shape, dimension, (index) => sumOf(elements(index).map(Number)))];
};

const softmax: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const axis = parameter<number>(attributes, "axis");
  const dimension = input.shape[axis]!;
  return [accumulate(input.dataType, input.shape, dimension + 4, (index) => {
    const line = Array.from({ length: dimension }, (_, j) => floatAt(input, withAxis(index, axis, j)));
    const max = Math.max(...line);
    const total = sum(line.map((x) => Math.exp(x - max)));
    const value = Math.exp(floatAt(input, index) - max) / total;
    // The error of the exponent is ε|x − max|; so is the relative error of its exponential.
    const weighted = sum(line.map((x) => x === -Infinity ? 0 : Math.exp(x - max) / total * (max - x)));
    const own = value === 0 ? 0 : max - floatAt(input, index);
    return { value, magnitude: value * (1 + own + weighted) };
  })];
};

export const reduction: Rows = {
  ...reductions,
  argMax: extremePosition((x, y) => x > y),
  argMin: extremePosition((x, y) => x < y),
  cumulativeSum,
  softmax,
};
