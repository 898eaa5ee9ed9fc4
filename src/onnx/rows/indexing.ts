/**
 * Operators that read or write elements at indices.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { sizeOf } from "../value.ts";
import { along, calculate, cut, isFloat, nothing, pick, range } from "./calculation.ts";

function gather(node: NodeView): RowResult {
  const [x, indices] = [node.value(0), node.value(1)];
  const axis = node.axis(node.int("axis", 0), x.shape.length);
  const shape = x.shape.toSpliced(axis, 1, ...indices.shape);
  if (shape.includes(0)) return nothing(node.type(0), shape);
  return node.builder.gather(node.input(0), node.input(1), { axis });
}

function gatherElements(node: NodeView): RowResult {
  const [x, indices] = [node.input(0), node.input(1)];
  const axis = node.axis(node.int("axis", 0), x.shape.length);
  return node.builder.gatherElements(cutTo(node, x, indices, axis), indices, { axis });
}

/** ONNX allows the other axes of the input to be longer than those of the indices; WebNN does not. */
function cutTo(node: NodeView, x: MLOperand, indices: MLOperand, axis: number): MLOperand {
  return indices.shape.reduce((x, size, i) => i === axis ? x : cut(node, x, i, 0, size), x);
}

/** The position in the batch becomes a coordinate. */
function gatherND(node: NodeView): RowResult {
  const [x, indices] = [node.input(0), node.input(1)];
  const batch = node.int("batch_dims", 0);
  if (batch === 0) return node.builder.gatherND(x, indices);
  const coordinates = range(0, batch).map((axis) => {
    const place = along(
      node,
      node.constant(indices.dataType, [x.shape[axis]!], range(0, x.shape[axis]!)),
      indices.shape.length,
      axis,
    );
    return node.expand(place, [...indices.shape.slice(0, -1), 1]);
  });
  return node.builder.gatherND(x, node.builder.concat([...coordinates, indices], indices.shape.length - 1));
}

type Reduce = "add" | "mul" | "max" | "min";

function reductionOf(node: NodeView): Reduce | undefined {
  const name = node.string("reduction", "none");
  if (name === "none") return undefined;
  if (["add", "mul", "max", "min"].includes(name)) return name as Reduce;
  return node.refuse(`the reduction ${name} is not supported`);
}

/** The maximum number of updates to combine one after the other. */
const MAXIMUM_STEPS = 512;

/**
 * Positions may repeat, so updates are combined one after the other along the axis; each step has distinct positions.
 */
function scatterElements(node: NodeView): RowResult {
  const [x, indices, updates] = [node.input(0), node.input(1), node.input(2)];
  const axis = node.axis(node.int("axis", 0), x.shape.length);
  const reduce = reductionOf(node);
  const place = (into: MLOperand, at: MLOperand, values: MLOperand) => scatterInto(node, into, at, values, axis);
  if (!reduce) return place(x, indices, updates);
  const steps = indices.shape[axis]!;
  if (steps > MAXIMUM_STEPS) node.refuse(`a reduction of ${steps} updates; the limit is ${MAXIMUM_STEPS}`);
  return range(0, steps).reduce((into, i) => {
    const at = cut(node, indices, axis, i, 1);
    const old = node.builder.gatherElements(cutTo(node, into, at, axis), at, { axis });
    return place(into, at, node.builder[reduce](old, cut(node, updates, axis, i, 1)));
  }, x);
}

/** WebNN requires the other axes of the indices to match the input. The rest of the input is concatenated unchanged. */
function scatterInto(node: NodeView, into: MLOperand, at: MLOperand, values: MLOperand, axis: number): MLOperand {
  const short = range(0, into.shape.length).find((i) => i !== axis && at.shape[i]! < into.shape[i]!);
  if (short === undefined) return node.builder.scatterElements(into, at, values, { axis });
  const [count, size] = [at.shape[short]!, into.shape[short]!];
  const reached = scatterInto(node, cut(node, into, short, 0, count), at, values, axis);
  return node.builder.concat([reached, cut(node, into, short, count, size - count)], short);
}

function scatterND(node: NodeView): RowResult {
  const [x, indices, updates] = [node.input(0), node.input(1), node.input(2)];
  const reduce = reductionOf(node);
  if (!reduce) return node.builder.scatterND(x, indices, updates);
  const depth = indices.shape.at(-1)!;
  const count = sizeOf(indices.shape.slice(0, -1));
  if (count > MAXIMUM_STEPS) node.refuse(`a reduction of ${count} updates; the limit is ${MAXIMUM_STEPS}`);
  const inner = x.shape.slice(depth);
  const [places, values] = [node.reshape(indices, [count, depth]), node.reshape(updates, [count, ...inner])];
  return range(0, count).reduce((into, i) => {
    const at = cut(node, places, 0, i, 1);
    const combined = node.builder[reduce](node.builder.gatherND(into, at), cut(node, values, 0, i, 1));
    return node.builder.scatterND(into, at, combined);
  }, x);
}

/**
 * Adds an axis with the `on` value where the position equals the index. Indices out of range have only `off` values.
 */
function oneHot(node: NodeView): RowResult {
  const { where, equal, add, lesser } = calculate(node);
  const depth = node.neededNumber(1, "depth");
  const indices = node.input(0);
  const axis = node.axis(node.int("axis", -1), indices.shape.length + 1);
  const whole = isFloat(indices) ? node.cast(indices, node.integer) : indices;
  const wide = whole.dataType.startsWith("u") || whole.dataType === "int8" ? node.cast(whole, node.integer) : whole;
  const column = node.reshape(where(lesser(wide, 0), add(wide, depth), wide), indices.shape.toSpliced(axis, 0, 1));
  const positions = node.constant(wide.dataType, [depth], range(0, depth));
  const values = node.input(2);
  const value = (i: number) => pick(node, values, 0, i);
  return where(equal(column, along(node, positions, column.shape.length, axis)), value(1), value(0));
}

/** For ai.onnx.ml: elements of the last axis. */
function arrayFeatureExtractor(node: NodeView): RowResult {
  const [x, indices] = [node.input(0), node.input(1)];
  const matrix = x.shape.length === 1 ? node.reshape(x, [1, ...x.shape]) : x;
  const flat = node.reshape(indices, [sizeOf(indices.shape)]);
  return node.builder.gather(matrix, flat, { axis: matrix.shape.length - 1 });
}

function binarizer(node: NodeView): RowResult {
  const x = node.input(0);
  return node.cast(calculate(node).greater(x, node.float("threshold", 0)), x.dataType);
}

export const indexing: Row[] = [
  ...rows("", {
    Gather: [[1], gather],
    GatherElements: [[11], gatherElements],
    GatherND: [[11], gatherND],
    OneHot: [[9], oneHot],
    Scatter: [[9], scatterElements],
    ScatterElements: [[11, 16], scatterElements],
    ScatterND: [[11, 16], scatterND],
  }),
  ...rows("ai.onnx.ml", { ArrayFeatureExtractor: [[1], arrayFeatureExtractor], Binarizer: [[1], binarizer] }),
];
