/**
 * Operators that read or write elements at indices.
 *
 * @module
 */

import type { NodeView } from "../node.ts";
import { join, type Operand, range } from "../operand.ts";
import { type Row, rows } from "../row.ts";
import { unsupported } from "../errors.ts";

function gatherElements(node: NodeView, x: Operand, indices: Operand): Operand {
  const axis = x.axis(node.int("axis", 0));
  return cutTo(x, indices, axis).gatherElements(indices, { axis });
}

/** ONNX allows the other axes of the input to be longer than those of the indices; WebNN does not. */
function cutTo(x: Operand, indices: Operand, axis: number): Operand {
  return indices.shape.reduce((x, size, i) => i === axis ? x : x.cut(i, 0, size), x);
}

/** WebNN's gatherND has no batch axes, so the position in the batch is added to the coordinates. */
function gatherND(node: NodeView, x: Operand, indices: Operand): Operand {
  const coordinates = range(0, node.int("batch_dims", 0)).map((axis) => {
    const positions = indices.constant([x.shape[axis]!], range(0, x.shape[axis]!));
    return positions.along(axis, indices.rank).expand([...indices.shape.slice(0, -1), 1]);
  });
  return x.gatherND(join([...coordinates, indices], indices.rank - 1));
}

const REDUCTIONS = ["add", "mul", "max", "min"] as const;

function reductionOf(node: NodeView): typeof REDUCTIONS[number] | undefined {
  const name = node.string("reduction", "none");
  if (name === "none") return undefined;
  return REDUCTIONS.find((known) => known === name) ?? unsupported(`the reduction ${name} is not supported`);
}

/** The maximum number of steps of a reduction; each step adds operators to the graph. */
const MAXIMUM_STEPS = 512;

function checkSteps(steps: number): void {
  if (steps > MAXIMUM_STEPS) {
    unsupported(`a reduction of ${steps} updates is too expensive; the limit is ${MAXIMUM_STEPS}`);
  }
}

/**
 * Positions may repeat, so updates are combined one after the other along the axis; each step has distinct positions.
 */
function scatterElements(node: NodeView, x: Operand, indices: Operand, updates: Operand): Operand {
  const axis = x.axis(node.int("axis", 0));
  const reduce = reductionOf(node);
  if (!reduce) return scatterInto(x, indices, updates, axis);
  const steps = indices.shape[axis]!;
  checkSteps(steps);
  return range(0, steps).reduce((into, i) => {
    const at = indices.cut(axis, i, 1);
    const old = cutTo(into, at, axis).gatherElements(at, { axis });
    return scatterInto(into, at, old[reduce](updates.cut(axis, i, 1)), axis);
  }, x);
}

/** WebNN requires equal sizes on the other axes, so the input is cut to the indices; the rest is appended unchanged. */
function scatterInto(into: Operand, at: Operand, values: Operand, axis: number): Operand {
  const short = range(0, into.rank).find((i) => i !== axis && at.shape[i]! < into.shape[i]!);
  if (short === undefined) return into.scatterElements(at, values, { axis });
  const [count, size] = [at.shape[short]!, into.shape[short]!];
  return join([scatterInto(into.cut(short, 0, count), at, values, axis), into.cut(short, count, size - count)], short);
}

function scatterND(node: NodeView, x: Operand, indices: Operand, updates: Operand): Operand {
  const reduce = reductionOf(node);
  if (!reduce) return x.scatterND(indices, updates);
  const depth = indices.shape.at(-1)!;
  const count = indices.size / depth;
  checkSteps(count);
  const [places, values] = [indices.reshape([count, depth]), updates.reshape([count, ...x.shape.slice(depth)])];
  return range(0, count).reduce((into, i) => {
    const at = places.cut(0, i, 1);
    return into.scatterND(at, into.gatherND(at)[reduce](values.cut(0, i, 1)));
  }, x);
}

/**
 * Adds an axis: `on` where the position equals the index, `off` elsewhere. An index out of range gives only `off`.
 */
function oneHot(node: NodeView, indices: Operand, depthInput: Operand, values: Operand): Operand {
  const depth = depthInput.number("depth");
  const axis = indices.axis(node.int("axis", -1), indices.rank + 1);
  const wide = ["int32", "int64"].includes(indices.dataType) ? indices : indices.cast("int64");
  const column = wide.lesser(0).where(wide.add(depth), wide).reshape(indices.shape.toSpliced(axis, 0, 1));
  const positions = wide.constant([depth], range(0, depth)).along(axis, column.rank);
  return column.equal(positions).where(values.pick(0, 1), values.pick(0, 0));
}

/** For ai.onnx.ml: selects elements of the last axis. */
function arrayFeatureExtractor(_: NodeView, x: Operand, indices: Operand): Operand {
  const matrix = x.rank === 1 ? x.reshape([1, ...x.shape]) : x;
  return matrix.gather(indices.reshape([indices.size]), matrix.rank - 1);
}

export const indexing: Row[] = [
  ...rows("", {
    Gather: [1, 2, (node, x, indices) => x.gather(indices, x.axis(node.int("axis", 0)))],
    GatherElements: [11, 2, gatherElements],
    GatherND: [11, 2, gatherND],
    OneHot: [9, 3, oneHot],
    Scatter: [9, 3, scatterElements],
    ScatterElements: [[11, 16], 3, scatterElements],
    ScatterND: [[11, 16], 3, scatterND],
  }),
  ...rows("ai.onnx.ml", {
    ArrayFeatureExtractor: [1, 2, arrayFeatureExtractor],
    Binarizer: [1, 1, (node, x) => x.greater(node.float("threshold", 0)).cast(x.type)],
  }),
];
