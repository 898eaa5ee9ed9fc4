/**
 * Merges operators that move elements: several slices become one split.
 *
 * @module
 */

import type { Node, Value } from "../graph/graph.ts";
import { become, type GraphView } from "./editor.ts";
import type { AnyNode } from "./fused.ts";
import { row } from "./row.ts";

type Slice = AnyNode<"slice">;

/** Replaces adjacent slices that together cover a value along an axis by a split. */
const slicesToSplit = row(["slice"], [], (node, graph) => {
  const { input } = node.operands;
  const axis = cutAxis(node);
  if (axis === undefined || node.attributes.starts[axis] !== 0) return undefined;
  const slices = adjacentSlices(input, axis, graph);
  if (slices[0] !== node || endOf(slices.at(-1)!, axis) !== input.shape[axis]) return undefined;
  const outputs = slices.slice(1).map(({ outputs }) => outputs[0]!);
  return become("split", { input }, { axis, splits: slices.map(({ attributes }) => attributes.sizes[axis]!) }, outputs);
});

/** The axis that a slice cuts, if it is the only one and the stride is 1. */
function cutAxis({ operands: { input }, attributes: { sizes, strides } }: Slice): number | undefined {
  const cut = input.shape.flatMap((size, axis) => sizes[axis] === size ? [] : [axis]);
  return cut.length === 1 && strides[cut[0]!] === 1 ? cut[0] : undefined;
}

function endOf({ attributes: { sizes, starts } }: Slice, axis: number): number {
  return starts[axis]! + sizes[axis]!;
}

/** The slices of a value along an axis from index 0 on, where each starts at the end of the one before. */
function adjacentSlices(value: Value, axis: number, graph: GraphView): Slice[] {
  const slices = [...graph.users(value)].filter((user): user is Node & Slice => user.operator === "slice")
    .filter((slice) => cutAxis(slice) === axis);
  const found: Slice[] = [];
  for (let end = 0, next: Slice | undefined; end < value.shape[axis]!; end = endOf(next, axis)) {
    next = slices.find(({ attributes }) => attributes.starts[axis] === end);
    if (!next) break;
    found.push(next);
  }
  return found;
}

/** The rewrites of movements. */
export const movements = { slicesToSplit };
