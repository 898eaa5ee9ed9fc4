/**
 * Lowering of gather, scatter, argMin and argMax. MIL's operators read out of bounds if an index is out of range, and
 * not all count negative indices from the end. So indices are clamped and made positive first; constant ones when the
 * graph is lowered.
 *
 * @module
 */

import type { Value } from "../../../graph/graph.ts";
import type { indexing as rows } from "../../../ops/indexing.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import { elementsOf } from "../constant_bytes.ts";
import type { MilConstant, MilValue } from "../mil.ts";
import { milShape, type MilWriter } from "../mil_writer.ts";
import type { Lowering } from "./lowering.ts";

/**
 * Brings indices into the range [0, size − 1]. `sizes` has one size for all, or one per index of the last dimension.
 */
function inRange(indices: Value, sizes: readonly number[], mil: MilWriter): MilValue {
  const constant = mil.constantOf(indices);
  if (constant) return constantInRange(constant, sizes, mil);
  const each = (value: (size: number) => number) =>
    mil.constant("int32", sizes.length === 1 ? [] : [sizes.length], sizes.map(value));
  const raised = mil.binary("maximum", mil.value(indices), each((size) => -size));
  const clamped = mil.binary("minimum", raised, each((size) => size - 1));
  const isNegative = mil.predicate("less", clamped, mil.scalar("int32", 0));
  return mil.select(isNegative, mil.binary("add", clamped, each((size) => size)), clamped);
}

function constantInRange(indices: MilConstant, sizes: readonly number[], mil: MilWriter): MilConstant {
  const elements = elementsOf(indices);
  const positions = Array.from(elements, (index, i) => {
    const size = sizes[i % sizes.length]!;
    const clamped = Math.min(Math.max(index, -size), size - 1);
    return clamped < 0 ? clamped + size : clamped;
  });
  const isInRange = positions.every((position, i) => position === elements[i]);
  return isInRange ? indices : mil.constant("int32", indices.shape, positions);
}

/** In MIL, indices have rank 1 or more; a scalar index is `[1]`. The extra dimension of 1 is removed afterwards. */
const gather: Lowering<"gather"> = ({ operands: { input, indices }, attributes: { axis }, outputs: [output] }, mil) => {
  const positions = inRange(indices, [input.shape[axis]!], mil);
  return mil.reshape(mil.gather(mil.value(input), positions, axis), milShape(output!.shape));
};

const gatherElements: Lowering<"gatherElements"> = ({ operands: { input, indices }, attributes: { axis } }, mil) => {
  const x = mil.value(input);
  const parameters = { axis: mil.int(axis), validate_indices: mil.bool(false) };
  const positions = inRange(indices, [input.shape[axis]!], mil);
  return mil.op("gather_along_axis", { x, indices: positions, ...parameters }, {
    dataType: x.dataType,
    shape: indices.shape,
  });
};

/** Coordinates into the leading dimensions: one per index of the last dimension. */
function coordinates(indices: Value, input: Value, mil: MilWriter): MilValue {
  return inRange(indices, input.shape.slice(0, indices.shape.at(-1)!), mil);
}

const gatherND: Lowering<"gatherND"> = ({ operands: { input, indices }, outputs: [output] }, mil) => {
  const x = mil.value(input);
  const parameters = { batch_dims: mil.int(0), validate_indices: mil.bool(false) };
  // A coordinate into a tensor of rank 1 stays a list of one, so that MIL returns a list and not a 0-D tensor.
  const positions = coordinates(indices, input, mil);
  const listed = mil.reshape(positions, indices.shape.length === 1 ? [1, ...indices.shape] : indices.shape);
  const shape = [...listed.shape.slice(0, -1), ...input.shape.slice(indices.shape.at(-1)!)];
  const gathered = mil.op("gather_nd", { x, indices: listed, ...parameters }, { dataType: x.dataType, shape });
  return mil.reshape(gathered, milShape(output!.shape));
};

const scatterElements: Lowering<"scatterElements"> = ({ operands, attributes: { axis } }, mil) => {
  const data = mil.value(operands.input);
  return mil.op("scatter_along_axis", {
    data,
    indices: inRange(operands.indices, [operands.input.shape[axis]!], mil),
    updates: mil.value(operands.updates),
    axis: mil.int(axis),
    mode: mil.text("update"),
    validate_indices: mil.bool(false),
  }, data);
};

const scatterND: Lowering<"scatterND"> = ({ operands: { input, indices, updates } }, mil) => {
  const data = mil.value(input);
  const isSingle = indices.shape.length === 1;
  const listed = (value: MilValue, { shape }: Value) => isSingle ? mil.reshape(value, [1, ...shape]) : value;
  return mil.op("scatter_nd", {
    data,
    indices: listed(coordinates(indices, input, mil), indices),
    updates: listed(mil.value(updates), updates),
    mode: mil.text("update"),
    validate_indices: mil.bool(false),
  }, data);
};

/** argMin or argMax, as int32. */
function argMinMax(type: string) {
  return (
    { operands: { input }, attributes: { axis }, outputs: [output] }: NodeOf<"argMin" | "argMax">,
    mil: MilWriter,
  ) => {
    const x = mil.value(input);
    const parameters = { axis: mil.int(axis), keep_dims: mil.bool(true), output_dtype: mil.text("int32") };
    const kept = mil.op(type, { x, ...parameters }, { dataType: "int32", shape: input.shape.with(axis, 1) });
    return mil.reshape(kept, milShape(output!.shape));
  };
}

export const indexing = {
  argMax: argMinMax("reduce_argmax"),
  argMin: argMinMax("reduce_argmin"),
  gather,
  gatherElements,
  gatherND,
  scatterElements,
  scatterND,
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
