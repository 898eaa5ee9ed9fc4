/**
 * Operators that move data without computing: elements come out as they went in, elsewhere.
 *
 * @module
 */

import { allAxes, elementCount, formatShape, MAX_DIMENSION } from "../shape.ts";
import { checkAxes, checkAxis, checkLength, refuse } from "./checks.ts";
import { ANY, list, one, operator, rank, sameAs, tensor } from "./operator.ts";
import { integer, integer0, integerOrIntegers, integers, maybeIntegers } from "./parameters.ts";

/** The number of tensors that one operation may take or give. */
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
});

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
});

function equalParts(count: number, dimension: number): number[] {
  if (count < 1 || count > MAX_TENSORS) refuse(`splits must be 1 to ${MAX_TENSORS}, not ${count}`);
  if (dimension % count !== 0) {
    refuse(`splits must divide the ${dimension} elements along the axis, as ${count} does not`);
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
});

/** The rows of data movement. */
export const movement = {
  concat,
  reshape,
  split,
  transpose,
};
