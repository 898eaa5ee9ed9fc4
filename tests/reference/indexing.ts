/**
 * Gather and scatter. Negative indices count from the end; indices out of range are clamped.
 *
 * @module
 */

import { attribute, type Compute, operand, type Rows } from "./operator.ts";
import {
  at,
  type Element,
  generate,
  type Index,
  indices,
  offsetOf,
  type RefTensor,
  tensor,
  withAxis,
} from "./tensor.ts";

/** Converts an element of `indices` to a coordinate. */
function resolveIndex(element: Element, dimension: number): number {
  const clamped = Math.min(Math.max(Number(element), -dimension), dimension - 1);
  return clamped < 0 ? clamped + dimension : clamped;
}

const gather: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const positions = operand(operands, "indices");
  const axis = attribute(attributes, "axis", 0);
  const rank = positions.shape.length;
  const shape = [...input.shape.slice(0, axis), ...positions.shape, ...input.shape.slice(axis + 1)];
  return [generate(input.dataType, shape, (index) => {
    const chosen = resolveIndex(at(positions, index.slice(axis, axis + rank)), input.shape[axis]!);
    return at(input, [...index.slice(0, axis), chosen, ...index.slice(axis + rank)]);
  })];
};

const gatherElements: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const positions = operand(operands, "indices");
  const axis = attribute(attributes, "axis", 0);
  return [generate(input.dataType, positions.shape, (index) => {
    const chosen = resolveIndex(at(positions, index), input.shape[axis]!);
    return at(input, withAxis(index, axis, chosen));
  })];
};

/** The leading coordinates in the row of `positions` at `index`. */
function coordinates(positions: RefTensor, index: Index, shape: readonly number[]): number[] {
  const length = positions.shape.at(-1)!;
  return Array.from({ length }, (_, axis) => resolveIndex(at(positions, [...index, axis]), shape[axis]!));
}

const gatherND: Compute = (operands) => {
  const input = operand(operands, "input");
  const positions = operand(operands, "indices");
  const batch = positions.shape.slice(0, -1);
  const shape = [...batch, ...input.shape.slice(positions.shape.at(-1)!)];
  return [generate(input.dataType, shape, (index) => {
    const leading = coordinates(positions, index.slice(0, batch.length), input.shape);
    return at(input, [...leading, ...index.slice(batch.length)]);
  })];
};

/** A copy of the input, with each update written at its target, in order. */
function scatter(input: RefTensor, updates: RefTensor, target: (index: Index) => Index): RefTensor {
  const data = [...input.data];
  for (const index of indices(updates.shape)) data[offsetOf(input.shape, target(index))] = at(updates, index);
  return tensor(input.dataType, input.shape, data);
}

const scatterElements: Compute = (operands, attributes) => {
  const input = operand(operands, "input");
  const positions = operand(operands, "indices");
  const axis = attribute(attributes, "axis", 0);
  const target = (index: Index) => withAxis(index, axis, resolveIndex(at(positions, index), input.shape[axis]!));
  return [scatter(input, operand(operands, "updates"), target)];
};

const scatterND: Compute = (operands) => {
  const input = operand(operands, "input");
  const positions = operand(operands, "indices");
  const batch = positions.shape.length - 1;
  const target = (index: Index) => [
    ...coordinates(positions, index.slice(0, batch), input.shape),
    ...index.slice(batch),
  ];
  return [scatter(input, operand(operands, "updates"), target)];
};

export const indexing: Rows = { gather, gatherElements, gatherND, scatterElements, scatterND };
