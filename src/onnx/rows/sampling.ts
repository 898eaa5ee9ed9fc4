/**
 * Operators that sample an image between pixels: grids, regions, offsets.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { sizeOf } from "../value.ts";
import { along, calculate, cut, pick, range } from "./calculation.ts";
import { type Windows, windowsOf } from "./windows.ts";

/** One axis of a sample: an integer position, its weight, and whether it is inside. */
interface Tap {
  readonly place: MLOperand;
  readonly weight?: MLOperand;
  readonly inside?: MLOperand;
}

/** How to treat positions outside of the image. */
type Outside = "zeros" | "border" | "reflection";

/**
 * Samples an image [N, C, ...sizes] at positions [N, P] per axis, with the taps of the axes. Returns [N, C, P], the sum
 * or the maximum of the weighted corners.
 */
function sampleAt(
  node: NodeView,
  image: MLOperand,
  taps: readonly (readonly Tap[])[],
  combine: "add" | "max" = "add",
): MLOperand {
  const { builder } = node;
  const { mul, add } = calculate(node);
  const [n, c] = image.shape as [number, number];
  const sizes = image.shape.slice(2);
  const pixels = sizeOf(sizes);
  const rowsOfPixels = node.reshape(node.transpose(node.reshape(image, [n, c, pixels]), [0, 2, 1]), [n * pixels, c]);
  const first = node.constant("int32", [n, 1], range(0, n).map((i) => i * pixels));
  const terms = combinations(taps).map((corner) => {
    const at = corner.reduce<MLOperand>((sum, { place }, i) => {
      return add(sum, mul(node.cast(place, "int32"), sizeOf(sizes.slice(i + 1))));
    }, first);
    const values = builder.gather(rowsOfPixels, at, { axis: 0 });
    const factors = corner.flatMap(({ weight, inside }) => [
      ...weight ? [weight] : [],
      ...inside ? [node.cast(inside, image.dataType)] : [],
    ]);
    if (factors.length === 0) return values;
    const factor = factors.reduce((a, b) => mul(a, b));
    return mul(values, node.reshape(factor, [...factor.shape, 1]));
  });
  return node.transpose(terms.reduce((a, b) => builder[combine](a, b)), [0, 2, 1]);
}

function combinations<Item>(lists: readonly (readonly Item[])[]): Item[][] {
  return lists.reduce<Item[][]>((found, list) => found.flatMap((start) => list.map((item) => [...start, item])), [[]]);
}

/** Moves a position into the image, and tells whether it was inside; borders are clamped, reflections folded back. */
function bounded(node: NodeView, place: MLOperand, size: number, outside: Outside, alignCorners: boolean): Tap {
  const { builder } = node;
  if (outside === "reflection") return { place: clampTo(node, reflected(node, place, size, alignCorners), size) };
  const inner = clampTo(node, place, size);
  return outside === "border" ? { place: inner } : { place: inner, inside: builder.equal(inner, place) };
}

function clampTo(node: NodeView, place: MLOperand, size: number): MLOperand {
  return node.builder.clamp(place, { minValue: 0, maxValue: size - 1 });
}

/** Reflects positions at the centres of the outermost pixels, or at their outer edges. */
function reflected(node: NodeView, position: MLOperand, size: number, alignCorners: boolean): MLOperand {
  const { builder } = node;
  const { sub, add, mul, div, min } = calculate(node);
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return mul(position, 0);
  const distance = builder.abs(sub(position, low));
  const phase = sub(distance, mul(builder.floor(div(distance, 2 * span)), 2 * span));
  return add(min(phase, sub(2 * span, phase)), low);
}

/** The taps of one axis for the modes of GridSample. */
function tapsOf(
  node: NodeView,
  position: MLOperand,
  size: number,
  mode: string,
  outside: Outside,
  align: boolean,
): Tap[] {
  const { builder } = node;
  const { sub, add } = calculate(node);
  const tap = (place: MLOperand, weight?: MLOperand): Tap => ({
    ...bounded(node, place, size, outside, align),
    ...weight && { weight },
  });
  const settled = outside === "zeros" || mode === "cubic"
    ? position
    : bounded(node, position, size, outside, align).place;
  if (mode === "nearest") return [tap(builder.roundEven(settled))];
  const floor = builder.floor(settled);
  const fraction = sub(settled, floor);
  if (mode === "linear") return [tap(floor, sub(1, fraction)), tap(add(floor, 1), fraction)];
  return cubicWeights(node, fraction).map((weight, i) => tap(add(floor, i - 1), weight));
}

/** Keys' cubic kernel with a = −0.75 at the four positions around a fraction. */
function cubicWeights(node: NodeView, t: MLOperand): MLOperand[] {
  const { mul, add, sub } = calculate(node);
  const a = -0.75;
  const near = (d: MLOperand) => add(mul(mul(d, d), sub(mul(d, a + 2), a + 3)), 1);
  const far = (d: MLOperand) => sub(mul(add(mul(sub(mul(d, a), 5 * a), d), 8 * a), d), 4 * a);
  const s = sub(1, t);
  return [far(add(t, 1)), near(t), near(s), far(add(s, 1))];
}

const GRID_MODES: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };

function gridSample(node: NodeView): RowResult {
  const [image, grid] = [node.input(0), node.input(1)];
  const { add, sub, mul } = calculate(node);
  const sizes = image.shape.slice(2);
  const [n, c] = image.shape as [number, number];
  const stated = node.string("mode", "linear");
  const mode = GRID_MODES[stated] ?? stated;
  const outside = node.string("padding_mode", "zeros") as Outside;
  const align = node.flag("align_corners");
  if (!["nearest", "linear", "cubic"].includes(mode)) node.refuse(`the mode ${mode} is not supported`);
  if (!["zeros", "border", "reflection"].includes(outside)) node.refuse(`the padding mode ${outside} is not supported`);
  const points = grid.shape.slice(1, -1);
  const last = grid.shape.length - 1;
  const taps = sizes.map((size, i) => {
    // The last axis of the image is the first in the grid.
    const from = node.reshape(pick(node, grid, last, sizes.length - 1 - i), [n, sizeOf(points)]);
    const position = align ? mul(add(from, 1), (size - 1) / 2) : sub(mul(add(from, 1), size / 2), 0.5);
    return tapsOf(node, node.cast(position, image.dataType), size, mode, outside, align);
  });
  return node.reshape(sampleAt(node, image, taps), [n, c, ...points]);
}

/** The coordinates from −1 to 1 for a size. */
function normalized(size: number, align: boolean): number[] {
  return range(0, size).map((i) => align ? (size > 1 ? -1 + 2 * i / (size - 1) : 0) : (2 * i + 1) / size - 1);
}

/** θ · (x, y, 1) at the positions of an image, or θ · (x, y, z, 1). */
function affineGrid(node: NodeView): RowResult {
  const theta = node.input(0);
  const [n, , ...sizes] = node.neededNumbers(1, "size") as [number, number, ...number[]];
  const align = node.flag("align_corners");
  const axes = sizes.length;
  const lists = sizes.map((size) => normalized(size, align));
  const count = sizeOf(sizes);
  const steps = sizes.map((_, i) => sizeOf(sizes.slice(i + 1)));
  const coordinates = range(0, count).flatMap((p) => {
    const own = sizes.map((size, i) => lists[i]![Math.floor(p / steps[i]!) % size]!);
    return [...own.reverse(), 1];
  });
  const points = node.constant(theta.dataType, [count, axes + 1], coordinates);
  const grid = node.builder.matmul(node.expand(points, [n, count, axes + 1]), node.transpose(theta, [0, 2, 1]));
  return node.reshape(grid, [n, ...sizes, axes]);
}

/** Bilinear taps of RoiAlign: zero more than one pixel outside, the border pixel up to there. */
function regionTaps(node: NodeView, position: MLOperand, size: number): Tap[] {
  const { sub, add, min, greaterOrEqual, lesserOrEqual } = calculate(node);
  const { builder } = node;
  const inside = builder.logicalAnd(greaterOrEqual(position, -1), lesserOrEqual(position, size));
  const settled = clampTo(node, position, size);
  const floor = builder.floor(settled);
  const fraction = sub(settled, floor);
  return [
    { place: floor, weight: sub(1, fraction), inside },
    { place: min(add(floor, 1), size - 1), weight: fraction, inside },
  ];
}

/** Samples regions [x1, y1, x2, y2] of the images in `batch_indices`, each on its own grid. */
function roiAlign(node: NodeView): RowResult {
  const [image, regions, batch] = [node.input(0), node.input(1), node.input(2)];
  const { sub, add, mul, max } = calculate(node);
  const [, c, height, width] = image.shape as [number, number, number, number];
  const count = regions.shape[0]!;
  const [rowsOut, columnsOut] = [node.int("output_height", 1), node.int("output_width", 1)];
  const ratio = node.int("sampling_ratio", 0);
  if (ratio === 0) node.refuse("sampling_ratio = 0, which makes the number of samples depend on the regions");
  const isHalf = node.since >= 16 && node.string("coordinate_transformation_mode", "half_pixel") === "half_pixel";
  const scale = node.float("spatial_scale", 1);
  const axis = (from: number, size: number, cells: number) => {
    const edge = (i: number) => sub(mul(cut(node, regions, 1, i, 1), scale), isHalf ? 0.5 : 0);
    const [start, end] = [edge(from), edge(from + 2)];
    const length = isHalf ? sub(end, start) : max(sub(end, start), 1);
    const steps = range(0, cells * ratio).map((i) => (i + 0.5) / (cells * ratio));
    const position = add(start, mul(length, node.constant(regions.dataType, [1, cells * ratio], steps)));
    return regionTaps(node, position, size);
  };
  const [down, right] = [axis(1, height, rowsOut), axis(0, width, columnsOut)];
  const [h, w] = [rowsOut * ratio, columnsOut * ratio];
  const spread = (tap: Tap, isRow: boolean): Tap => {
    const fit = (x: MLOperand) => {
      const apart = node.reshape(x, isRow ? [count, h, 1] : [count, 1, w]);
      return node.reshape(node.expand(apart, [count, h, w]), [count, h * w]);
    };
    return { place: fit(tap.place), weight: fit(tap.weight!), inside: fit(tap.inside!) };
  };
  const chosen = node.builder.gather(image, node.cast(batch, "int32"), { axis: 0 });
  const isMean = node.string("mode", "avg") === "avg";
  const taps = [down.map((tap) => spread(tap, true)), right.map((tap) => spread(tap, false))];
  const samples = sampleAt(node, chosen, taps, isMean ? "add" : "max");
  const cells = node.reshape(samples, [count, c, rowsOut, ratio, columnsOut, ratio]);
  return node.builder[isMean ? "reduceMean" : "reduceMax"](cells, { axes: [3, 5] });
}

/** The positions of all window taps along an axis before offsets, [1, 1, taps · windows]. */
function tapPositions(
  node: NodeView,
  { kernel, strides, dilations, begin, counts }: Windows,
  axis: number,
  like: MLOperand,
) {
  const windows = sizeOf(counts);
  const along = (index: number, sizes: readonly number[]) =>
    axis === 0 ? Math.floor(index / sizes[1]!) : index % sizes[1]!;
  const positions = range(0, sizeOf(kernel) * windows).map((i) => {
    const [tap, window] = [along(Math.floor(i / windows), kernel), along(i % windows, counts)];
    return window * strides[axis]! + tap * dilations[axis]! - begin[axis]!;
  });
  return node.constant(like.dataType, [1, 1, positions.length], positions);
}

/** A convolution with taps shifted by offsets and weighted by a mask. */
function deformConv(node: NodeView): RowResult {
  const [x, filter, offsets] = [node.input(0), node.input(1), node.input(2)];
  const { add, mul } = calculate(node);
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  if (sizes.length !== 2) node.refuse(`a deformable convolution over ${sizes.length} spatial axes`);
  const [outputs, perGroup, ...kernel] = filter.shape as [number, number, number, number];
  const [groups, moved] = [node.int("group", 1), node.int("offset_group", 1)];
  const windows = windowsOf(node, sizes, kernel);
  const [taps, places] = [sizeOf(kernel), sizeOf(windows.counts)];
  const moves = node.reshape(offsets, [n, moved, taps, 2, places]);
  const axisTaps = (axis: number) => {
    const move = node.reshape(pick(node, moves, 3, axis), [n, moved, taps * places]);
    const position = node.reshape(add(move, tapPositions(node, windows, axis, x)), [n * moved, taps * places]);
    return tapsOf(node, position, sizes[axis]!, "linear", "zeros", false);
  };
  const images = node.reshape(x, [n * moved, c / moved, ...sizes]);
  const samples = node.reshape(sampleAt(node, images, [axisTaps(0), axisTaps(1)]), [n, moved, c / moved, taps, places]);
  const weighed = node.has(4) ? mul(samples, node.reshape(node.input(4), [n, moved, 1, taps, places])) : samples;
  const columns = node.reshape(weighed, [n, groups, perGroup * taps, places]);
  const weights = node.reshape(filter, [1, groups, outputs / groups, perGroup * taps]);
  const result = node.reshape(node.builder.matmul(weights, columns), [n, outputs, ...windows.counts]);
  return node.has(3) ? add(result, along(node, node.input(3), 4, 1)) : result;
}

export const sampling: Row[] = rows("", {
  AffineGrid: [[20], affineGrid],
  DeformConv: [[19], deformConv],
  GridSample: [[16], gridSample],
  RoiAlign: [[10, 16], roiAlign],
});
