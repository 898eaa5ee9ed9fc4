/**
 * The positions of windows, for convolutions and pools of any number of axes.
 *
 * @module
 */

import type { NodeView } from "../node.ts";
import { range } from "./calculation.ts";

/** The windows along the spatial axes; each list has one item per axis. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
  /** The number of windows. */
  readonly counts: readonly number[];
}

/** Reads strides, dilations and padding, and computes the number of windows for spatial sizes. */
export function windowsOf(node: NodeView, sizes: readonly number[], kernel: readonly number[]): Windows {
  const each = (value: number) => sizes.map(() => value);
  const strides = node.ints("strides") ?? each(1);
  const dilations = node.ints("dilations") ?? each(1);
  const pads = node.ints("pads") ?? [...each(0), ...each(0)];
  const extents = kernel.map((size, i) => (size - 1) * dilations[i]! + 1);
  const { begin, end } = autoPadding(node, pads, (i) => {
    return Math.max(0, (Math.ceil(sizes[i]! / strides[i]!) - 1) * strides[i]! + extents[i]! - sizes[i]!);
  });
  const counts = sizes.map((size, i) => {
    const room = size + begin[i]! + end[i]! - extents[i]!;
    if (!node.flag("ceil_mode")) return Math.floor(room / strides[i]!) + 1;
    const count = Math.ceil(room / strides[i]!) + 1;
    // A last window that would start in the padding at the end is omitted.
    return (count - 1) * strides[i]! >= size + begin[i]! ? count - 1 : count;
  });
  if (counts.some((count) => count < 1)) {
    node.refuse(`windows of [${kernel}] are larger than the padded input [${sizes}]`);
  }
  return { kernel, strides, dilations, begin, end, counts };
}

/** The padding for `auto_pad`; `total` returns the total padding of an axis for SAME. */
export function autoPadding(
  node: NodeView,
  pads: readonly number[],
  total: (axis: number) => number,
): { begin: number[]; end: number[] } {
  const rank = pads.length / 2;
  const mode = node.string("auto_pad", "NOTSET");
  if (mode === "NOTSET" || mode === "") return { begin: pads.slice(0, rank), end: pads.slice(rank) };
  if (mode === "VALID") return { begin: new Array(rank).fill(0), end: new Array(rank).fill(0) };
  if (mode !== "SAME_UPPER" && mode !== "SAME_LOWER") return node.refuse(`auto_pad ${mode} is not supported`);
  const all = range(0, rank).map(total);
  const less = all.map((size) => Math.floor(size / 2));
  const more = all.map((size) => Math.ceil(size / 2));
  return mode === "SAME_UPPER" ? { begin: less, end: more } : { begin: more, end: less };
}

/** Padding in WebNN's order: top, bottom, left, right. */
export function padding2d({ begin, end }: Pick<Windows, "begin" | "end">): number[] {
  return [begin[0]!, end[0]!, begin[1]!, end[1]!];
}

/** Adds an axis of size 1 before a single spatial axis, so that there are two. */
export function asTwoAxes(windows: Windows): Windows {
  const before = (list: readonly number[], value: number) => [value, ...list];
  const { kernel, strides, dilations, begin, end, counts } = windows;
  return {
    kernel: before(kernel, 1),
    strides: before(strides, 1),
    dilations: before(dilations, 1),
    begin: before(begin, 0),
    end: before(end, 0),
    counts: before(counts, 1),
  };
}

/** The windows along some of the axes. */
export function axesOfWindows(windows: Windows, from: number, to?: number): Windows {
  const part = (list: readonly number[]) => list.slice(from, to);
  const { kernel, strides, dilations, begin, end, counts } = windows;
  return {
    kernel: part(kernel),
    strides: part(strides),
    dilations: part(dilations),
    begin: part(begin),
    end: part(end),
    counts: part(counts),
  };
}
