/**
 * Operators with indices: gather and scatter read or write at given indices, argMin and argMax return indices.
 *
 * Negative indices count from the end; indices out of range are clamped to the nearest valid one.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { type Descriptor, formatShape, type Shape } from "../shape.ts";
import { checkAxis, checkShape, refuse } from "./checks.ts";
import { moving, perInput, picking } from "./cost.ts";
import { ANY, INDICES, one, operator, rank, sameAs, tensor } from "./operator.ts";
import { booleanFalse, int32Type, integer, integer0 } from "./parameters.ts";

const INDEX_TYPES: readonly MLOperandDataType[] = ["int32", "int64"];

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-argminmax */
function argMinMax<const Name extends string>(name: Name) {
  return operator({
    name,
    operands: { input: one(ANY, rank(1)) },
    outputs: { output: tensor(INDEX_TYPES) },
    parameters: { axis: integer },
    options: { keepDimensions: booleanFalse, outputDataType: int32Type },
    resolve({ input: { shape } }, { axis, keepDimensions, outputDataType }) {
      checkAxis(axis, shape.length);
      if (!INDEX_TYPES.includes(outputDataType)) {
        refuse(`outputDataType must be ${INDEX_TYPES.join(" or ")}, not ${outputDataType}`);
      }
      // No dimension exceeds the largest int32, so every index fits either type.
      return {
        attributes: { axis, keepDimensions, outputDataType },
        outputs: [{ dataType: outputDataType, shape: keepDimensions ? shape.with(axis, 1) : shape.toSpliced(axis, 1) }],
      };
    },
    cost: perInput(1),
  });
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gather */
const gather = operator({
  name: "gather",
  operands: { input: one(ANY, rank(1)), indices: one(INDICES) },
  // The output is a scalar if `indices` is a scalar and `input` has rank 1. The standard's steps and WPT allow this;
  // its table asks for rank 1 or more.
  outputs: { output: tensor(sameAs("input")) },
  options: { axis: integer0 },
  resolve({ input: { dataType, shape }, indices }, { axis }) {
    checkAxis(axis, shape.length);
    return { attributes: { axis }, outputs: [{ dataType, shape: shape.toSpliced(axis, 1, ...indices.shape) }] };
  },
  cost: picking,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gatherelements */
const gatherElements = operator({
  name: "gatherElements",
  operands: { input: one(ANY, rank(1)), indices: one(INDICES, rank(1), "input") },
  outputs: { output: tensor(sameAs("input"), rank(1), "input") },
  options: { axis: integer0 },
  resolve({ input, indices }, { axis }) {
    checkElementIndices(input, indices, axis);
    return { attributes: { axis }, outputs: [{ dataType: input.dataType, shape: indices.shape }] };
  },
  cost: picking,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gathernd */
const gatherND = operator({
  name: "gatherND",
  operands: { input: one(ANY, rank(1)), indices: one(INDICES, rank(1)) },
  outputs: { output: tensor(sameAs("input")) },
  resolve: ({ input, indices }) => ({
    attributes: {},
    outputs: [{ dataType: input.dataType, shape: shapeAtCoordinates(input, indices) }],
  }),
  cost: picking,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-scatterelements */
const scatterElements = operator({
  name: "scatterElements",
  operands: {
    input: one(ANY, rank(1)),
    indices: one(INDICES, rank(1), "input"),
    updates: one(sameAs("input"), rank(1), "input"),
  },
  outputs: { output: tensor(sameAs("input"), rank(1), "input") },
  options: { axis: integer0 },
  resolve({ input, indices, updates }, { axis }) {
    checkElementIndices(input, indices, axis);
    checkShape("updates", updates.shape, indices.shape);
    return { attributes: { axis }, outputs: [input] };
  },
  cost: moving,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-scatternd */
const scatterND = operator({
  name: "scatterND",
  operands: { input: one(ANY, rank(1)), indices: one(INDICES, rank(1)), updates: one(sameAs("input")) },
  outputs: { output: tensor(sameAs("input"), rank(1), "input") },
  resolve({ input, indices, updates }) {
    checkShape("updates", updates.shape, shapeAtCoordinates(input, indices));
    return { attributes: {}, outputs: [input] };
  },
  cost: moving,
});

/** Indices must have the shape of the input, except on the axis. */
function checkElementIndices(input: Descriptor, indices: Descriptor, axis: number): void {
  checkAxis(axis, input.shape.length);
  checkShape("indices", indices.shape, input.shape.with(axis, indices.shape[axis]!));
}

/**
 * The shape of gatherND's output and scatterND's updates:
 * `[...indices.shape.slice(0, -1), ...input.shape.slice(coordinateSize)]`.
 */
function shapeAtCoordinates({ shape }: Descriptor, indices: Descriptor): Shape {
  const coordinateSize = indices.shape.at(-1)!;
  if (coordinateSize > shape.length) {
    refuse(
      `indices ${formatShape(indices.shape)} must end in a dimension of at most ${shape.length}, the rank of the input`,
    );
  }
  return [...indices.shape.slice(0, -1), ...shape.slice(coordinateSize)];
}

/** The rows of operators with indices. */
export const indexing = {
  argMax: argMinMax("argMax"),
  argMin: argMinMax("argMin"),
  gather,
  gatherElements,
  gatherND,
  scatterElements,
  scatterND,
};
