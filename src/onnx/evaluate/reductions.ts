/**
 * Evaluators that reduce axes.
 *
 * @module
 */

import type { NodeView } from "../node.ts";
import { elementsOf, known } from "../value.ts";
import { axisOf, positionsBy, stridesOf } from "./arrays.ts";
import type { Evaluate } from "./evaluator.ts";

/** Reduces a group of elements to one. */
type Reduce = <T extends number | bigint>(group: readonly T[]) => T | number;

/** The axes to reduce: an attribute in older versions of the operator, an input in newer ones. */
function axesOf(node: NodeView, inputSince: number): readonly number[] | undefined {
  return node.opset < inputSince ? node.ints("axes") : node.numbers(1, "the axes");
}

function reduction(inputSince: number, reduce: Reduce): Evaluate {
  return (node) => {
    const { shape, type } = node.known(0);
    if (type !== "int64" && type !== "int32" && type !== "float32" && type !== "float64") return undefined;
    const given = axesOf(node, inputSince);
    if ((given === undefined || given.length === 0) && node.flag("noop_with_empty_axes")) return node.known(0);
    const all = shape.map((_, axis) => axis);
    const axes = given === undefined || given.length === 0 ? all : given.map((axis) => axisOf(axis, shape.length));
    const kept = all.filter((axis) => !axes.includes(axis));
    const strides = stridesOf(shape);
    const offsets = (which: readonly number[]) =>
      positionsBy(which.map((axis) => shape[axis]!), which.map((axis) => (i) => i * strides[axis]!));
    const elements = elementsOf(node.known(0)) as ArrayLike<number>;
    const within = offsets(axes);
    if (within.length === 0) return undefined;
    const results = Array.from(
      offsets(kept),
      (start) => reduce(Array.from(within, (offset) => elements[start + offset]!)),
    );
    const keep = node.flag("keepdims", true);
    return known(type, shape.flatMap((size, axis) => axes.includes(axis) ? keep ? [1] : [] : [size]), results);
  };
}

const sum: Reduce = <T extends number | bigint>(group: readonly T[]) =>
  group.reduce((a, b) => (a as number) + (b as number) as T);
const product: Reduce = <T extends number | bigint>(group: readonly T[]) =>
  group.reduce((a, b) => (a as number) * (b as number) as T);
const greatest: Reduce = <T extends number | bigint>(group: readonly T[]) => group.reduce((a, b) => b > a ? b : a);
const least: Reduce = <T extends number | bigint>(group: readonly T[]) => group.reduce((a, b) => b < a ? b : a);

export const reductions: Record<string, Evaluate> = {
  ReduceMax: reduction(18, greatest),
  ReduceMin: reduction(18, least),
  ReduceProd: reduction(18, product),
  ReduceSum: reduction(13, sum),
};
