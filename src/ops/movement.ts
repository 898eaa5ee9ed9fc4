/**
 * Operators that move data and compute nothing.
 *
 * @module
 */

import { allAxes, broadcastsTo, elementCount, formatShape, MAX_DIMENSION, type Shape } from "../shape.ts";
import { checkAxes, checkAxis, checkLength, checkNonZero, refuse } from "./checks.ts";
import { castNumber, castProblem } from "./ml_number.ts";
import { moving, picking } from "./cost.ts";
import { ANY, list, one, operator, rank, sameAs, tensor } from "./operator.ts";
import {
  booleanTrue,
  constantPadding,
  integer,
  integer0,
  integerOrIntegers,
  integers,
  maybeIntegers,
  number0,
  signedInteger0,
  wrappingIntegers,
} from "./parameters.ts";

/** The maximum number of inputs of concat, and of outputs of split. */
const MAX_TENSORS = 8192;

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-concat */
const concat = operator({
  name: "concat",
  operands: { inputs: list(ANY, rank(1)) },
  outputs: { output: tensor(sameAs("inputs"), rank(1), "inputs") },
  parameters: { axis: integer },
  resolve({ inputs }, { axis }) {
    const [first] = inputs;
    if (!first || inputs.length > MAX_TENSORS) {
      refuse(`inputs must have 1 to ${MAX_TENSORS} items, not ${inputs.length}`);
    }
    checkAxis(axis, first.shape.length);
    inputs.forEach(({ shape }, i) => {
      if (shape.some((dimension, d) => d !== axis && dimension !== first.shape[d])) {
        refuse(
          `inputs[${i}] ${formatShape(shape)} must equal inputs[0] ${formatShape(first.shape)} except on axis ${axis}`,
        );
      }
    });
    const sum = inputs.reduce((total, { shape }) => total + shape[axis]!, 0);
    if (sum > MAX_DIMENSION) {
      refuse(`the inputs have ${sum} elements along axis ${axis}; at most ${MAX_DIMENSION} are supported`);
    }
    return {
      attributes: { axis },
      outputs: [{ dataType: first.dataType, shape: first.shape.with(axis, sum) }],
    };
  },
  cost: moving,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-expand */
const expand = operator({
  name: "expand",
  operands: { input: one(ANY) },
  outputs: { output: tensor(sameAs("input")) },
  parameters: { newShape: integers },
  resolve({ input }, { newShape }) {
    if (!broadcastsTo(input.shape, newShape)) {
      refuse(
        `input ${formatShape(input.shape)} must have a shape that broadcasts to newShape ${formatShape(newShape)}`,
      );
    }
    return { attributes: { newShape }, outputs: [{ dataType: input.dataType, shape: newShape }] };
  },
  cost: moving,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pad */
const pad = operator({
  name: "pad",
  operands: { input: one(ANY) },
  outputs: { output: tensor(sameAs("input"), rank(0), "input") },
  parameters: { beginningPadding: integers, endingPadding: integers },
  options: { mode: constantPadding, value: number0 },
  resolve({ input: { dataType, shape } }, { beginningPadding, endingPadding, mode, value }) {
    checkLength("beginningPadding", beginningPadding, shape.length);
    checkLength("endingPadding", endingPadding, shape.length);
    if (mode === "reflection") {
      checkReflection("beginningPadding", beginningPadding, shape);
      checkReflection("endingPadding", endingPadding, shape);
    }
    const problem = castProblem(value, dataType);
    if (problem) refuse(`value ${problem}`);
    return {
      attributes: { beginningPadding, endingPadding, mode, value: castNumber(value, dataType) },
      outputs: [{
        dataType,
        shape: shape.map((dimension, axis) => beginningPadding[axis]! + dimension + endingPadding[axis]!),
      }],
    };
  },
  cost: moving,
});

/** A reflection does not repeat the edge element, so a dimension of size n can be padded by at most n − 1. */
function checkReflection(name: string, padding: readonly number[], shape: Shape): void {
  if (padding.some((size, axis) => size >= shape[axis]!)) {
    refuse(
      `${name} [${padding.join(", ")}] must be less than the input's shape ${formatShape(shape)} in mode reflection`,
    );
  }
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reshape-method */
const reshape = operator({
  name: "reshape",
  operands: { input: one(ANY) },
  outputs: { output: tensor(sameAs("input")) },
  parameters: { newShape: integers },
  resolve({ input }, { newShape }) {
    const [from, to] = [elementCount(input.shape), elementCount(newShape)];
    if (from !== to) {
      refuse(`newShape ${formatShape(newShape)} has ${to} elements, the input ${from}; they must be equal`);
    }
    return { attributes: { newShape }, outputs: [{ dataType: input.dataType, shape: newShape }] };
  },
  cost: moving,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reverse-method */
const reverse = operator({
  name: "reverse",
  operands: { input: one(ANY) },
  outputs: { output: tensor(sameAs("input"), rank(0), "input") },
  options: { axes: maybeIntegers },
  resolve({ input }, { axes = allAxes(input.shape.length) }) {
    checkAxes(axes, input.shape.length);
    return { attributes: { axes }, outputs: [input] };
  },
  cost: moving,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-slice */
const slice = operator({
  name: "slice",
  operands: { input: one(ANY) },
  outputs: { output: tensor(sameAs("input"), rank(0), "input") },
  parameters: { starts: integers, sizes: integers },
  options: { strides: maybeIntegers },
  resolve({ input: { dataType, shape } }, { starts, sizes, strides = shape.map(() => 1) }) {
    checkLength("starts", starts, shape.length);
    checkLength("sizes", sizes, shape.length);
    checkLength("strides", strides, shape.length);
    checkNonZero("sizes", sizes);
    checkNonZero("strides", strides);
    shape.forEach((dimension, axis) => {
      const end = starts[axis]! + sizes[axis]!;
      if (end > dimension) refuse(`starts + sizes must be at most ${dimension} on axis ${axis}, not ${end}`);
    });
    // The standard allows a stride larger than the size; WPT does not.
    if (strides.some((stride, axis) => stride > sizes[axis]!)) {
      refuse(`strides [${strides.join(", ")}] must not exceed sizes [${sizes.join(", ")}]`);
    }
    return {
      attributes: { starts, sizes, strides },
      outputs: [{ dataType, shape: sizes.map((size, axis) => Math.ceil(size / strides[axis]!)) }],
    };
  },
  cost: picking,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-split */
const split = operator({
  name: "split",
  operands: { input: one(ANY, rank(1)) },
  outputs: { outputs: tensor(sameAs("input"), rank(1), "input") },
  parameters: { splits: integerOrIntegers },
  options: { axis: integer0 },
  resolve({ input }, { splits, axis }) {
    checkAxis(axis, input.shape.length);
    const sizes = typeof splits === "number" ? equalParts(splits, input.shape[axis]!) : splits;
    checkParts(sizes, input.shape[axis]!);
    return {
      attributes: { splits: sizes, axis },
      outputs: sizes.map((size) => ({ dataType: input.dataType, shape: input.shape.with(axis, size) })),
    };
  },
  cost: moving,
});

function equalParts(count: number, dimension: number): number[] {
  if (count < 1 || count > MAX_TENSORS) refuse(`splits must be 1 to ${MAX_TENSORS}, not ${count}`);
  if (dimension % count !== 0) {
    refuse(`splits must be a divisor of ${dimension}, the number of elements along the axis, not ${count}`);
  }
  return new Array(count).fill(dimension / count);
}

function checkParts(sizes: readonly number[], dimension: number): void {
  if (sizes.length < 1 || sizes.length > MAX_TENSORS) {
    refuse(`splits must have 1 to ${MAX_TENSORS} items, not ${sizes.length}`);
  }
  if (sizes.includes(0)) refuse("splits must not contain 0");
  const sum = sizes.reduce((total, size) => total + size, 0);
  if (sum !== dimension) refuse(`splits must add up to the ${dimension} elements along the axis, not to ${sum}`);
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-tile */
const tile = operator({
  name: "tile",
  operands: { input: one(ANY) },
  outputs: { output: tensor(sameAs("input"), rank(0), "input") },
  parameters: { repetitions: wrappingIntegers },
  resolve({ input: { dataType, shape } }, { repetitions }) {
    checkLength("repetitions", repetitions, shape.length);
    checkNonZero("repetitions", repetitions);
    return {
      attributes: { repetitions },
      outputs: [{ dataType, shape: shape.map((dimension, axis) => dimension * repetitions[axis]!) }],
    };
  },
  cost: moving,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-transpose */
const transpose = operator({
  name: "transpose",
  operands: { input: one(ANY) },
  outputs: { output: tensor(sameAs("input"), rank(0), "input") },
  options: { permutation: maybeIntegers },
  resolve({ input }, { permutation = allAxes(input.shape.length).toReversed() }) {
    checkLength("permutation", permutation, input.shape.length);
    checkAxes(permutation, input.shape.length);
    return {
      attributes: { permutation },
      outputs: [{ dataType: input.dataType, shape: permutation.map((axis) => input.shape[axis]!) }],
    };
  },
  cost: moving,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-triangular */
const triangular = operator({
  name: "triangular",
  operands: { input: one(ANY, rank(2)) },
  outputs: { output: tensor(sameAs("input"), rank(2), "input") },
  options: { upper: booleanTrue, diagonal: signedInteger0 },
  resolve: ({ input }, { upper, diagonal }) => ({ attributes: { upper, diagonal }, outputs: [input] }),
  cost: moving,
});

/** The rows of data movement. */
export const movement = {
  concat,
  expand,
  pad,
  reshape,
  reverse,
  slice,
  split,
  tile,
  transpose,
  triangular,
};
