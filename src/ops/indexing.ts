/**
 * Operators that read or write where other values say, and those that say where a value is.
 *
 * Indices may be negative, which counts from the end; those that are out of range take the nearest one that is in it.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { type Descriptor, formatShape, type Shape } from "../shape.ts";
import { checkAxis, checkShape, refuse } from "./checks.ts";
import { moving, perInput, picking } from "./cost.ts";
import { ANY, INDICES, one, operator, rank, sameAs, tensor } from "./operator.ts";
import { booleanFalse, int32Type, integer, integer0 } from "./parameters.ts";

const POSITIONS: readonly MLOperandDataType[] = ["int32", "int64"];

/** @see https://www.w3.org/TR/webnn/#argminmax-op */
function argMinMax<const Name extends string>(name: Name) {
  return operator({
    name,
    operands: { input: one(ANY, rank(1)) },
    outputs: { output: tensor(POSITIONS) },
    parameters: { axis: integer },
    options: { keepDimensions: booleanFalse, outputDataType: int32Type },
    resolve({ input: { shape } }, { axis, keepDimensions, outputDataType }) {
      checkAxis(axis, shape.length);
      if (!POSITIONS.includes(outputDataType)) {
        refuse(`outputDataType must be ${POSITIONS.join(" or ")}, not ${outputDataType}`);
      }
      // No dimension exceeds the greatest int32, so that every position fits the output's type.
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
  // The standard's table says rank 1 at least; its steps and WPT admit the scalar that a scalar index gives.
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

/** One index per element: the dimensions are those of the input, except along the axis. */
function checkElementIndices(input: Descriptor, indices: Descriptor, axis: number): void {
  checkAxis(axis, input.shape.length);
  checkShape("indices", indices.shape, input.shape.with(axis, indices.shape[axis]!));
}

/** The last dimension of the indices is that of a coordinate; what a coordinate leaves open comes after the others. */
function shapeAtCoordinates({ shape }: Descriptor, indices: Descriptor): Shape {
  const coordinateSize = indices.shape.at(-1)!;
  if (coordinateSize > shape.length) {
    refuse(
      `indices ${formatShape(indices.shape)} must end in a dimension of at most ${shape.length}, the rank of the input`,
    );
  }
  return [...indices.shape.slice(0, -1), ...shape.slice(coordinateSize)];
}

/** The rows of gathering and scattering. */
export const indexing = {
  argMax: argMinMax("argMax"),
  argMin: argMinMax("argMin"),
  gather,
  gatherElements,
  gatherND,
  scatterElements,
  scatterND,
};
