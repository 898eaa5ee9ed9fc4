/**
 * Operators that sample an image between pixels: GridSample, RoiAlign, DeformConv; and AffineGrid, which makes grids.
 *
 * @module
 */

import { elementCount } from "../../shape.ts";
import type { NodeView } from "../node.ts";
import { constant, type Operand, range } from "../operand.ts";
import { type Row, rows } from "../row.ts";
import { unsupported } from "../errors.ts";
import { type Window, windowsOf } from "./windows.ts";

/** The pixels to read along one axis: their integer positions, weights, and whether they are inside the image. */
interface Tap {
  readonly place: Operand;
  readonly weight?: Operand | undefined;
  readonly inside?: Operand | undefined;
}

/** How to treat positions outside of the image. */
type Outside = "zeros" | "border" | "reflection";

/**
 * Samples an image [N, C, ...sizes] at P positions. Each axis has several taps of shape [N, P]; each combination of
 * taps, one per axis, is a corner. Returns [N, C, P]: the sum or the maximum of the weighted corners.
 */
function sampleAt(image: Operand, taps: readonly (readonly Tap[])[], combine: "add" | "max" = "add"): Operand {
  const [n, c, ...sizes] = image.shape as [number, number, ...number[]];
  const pixels = elementCount(sizes);
  const rowsOfPixels = image.reshape([n, c, pixels]).transpose([0, 2, 1]).reshape([n * pixels, c]);
  const first = constant(image.recorder, "int32", [n, 1], range(0, n).map((i) => i * pixels));
  const corners = combinations(taps).map((corner) => {
    const at = corner.reduce((sum, { place }, i) => {
      return sum.add(place.cast("int32").mul(elementCount(sizes.slice(i + 1))));
    }, first);
    const values = rowsOfPixels.gather(at, 0);
    const factors = corner.flatMap(({ weight, inside }) => [weight, inside?.cast(image.type)])
      .filter((factor) => factor !== undefined);
    if (factors.length === 0) return values;
    const factor = factors.reduce((a, b) => a.mul(b));
    return values.mul(factor.reshape([...factor.shape, 1]));
  });
  return corners.reduce((a, b) => a[combine](b)).transpose([0, 2, 1]);
}

function combinations<Item>(lists: readonly (readonly Item[])[]): Item[][] {
  return lists.reduce<Item[][]>((found, list) => found.flatMap((start) => list.map((item) => [...start, item])), [[]]);
}

/** Moves positions into the image, by clamping or reflection. For zeros, also tells whether they were inside. */
function bounded(place: Operand, size: number, outside: Outside, alignCorners: boolean): Tap {
  if (outside === "reflection") return { place: clampTo(reflected(place, size, alignCorners), size) };
  const inner = clampTo(place, size);
  return outside === "border" ? { place: inner } : { place: inner, inside: inner.equal(place) };
}

function clampTo(place: Operand, size: number): Operand {
  return place.clamp({ minValue: 0, maxValue: size - 1 });
}

/** Reflects positions at the centres of the outermost pixels, or at their outer edges. */
function reflected(position: Operand, size: number, alignCorners: boolean): Operand {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return position.mul(0);
  const distance = position.sub(low).abs();
  const phase = distance.sub(distance.div(2 * span).floor().mul(2 * span));
  return phase.min(phase.scalar(2 * span).sub(phase)).add(low);
}

/** The taps of one axis for the modes of GridSample. */
function tapsOf(position: Operand, size: number, mode: string, outside: Outside, align: boolean): Tap[] {
  const tap = (place: Operand, weight?: Operand): Tap => ({ ...bounded(place, size, outside, align), weight });
  const isFree = outside === "zeros" || mode === "cubic";
  const start = isFree ? position : bounded(position, size, outside, align).place;
  if (mode === "nearest") return [tap(start.roundEven())];
  const floor = start.floor();
  const fraction = start.sub(floor);
  if (mode === "linear") return [tap(floor, fraction.scalar(1).sub(fraction)), tap(floor.add(1), fraction)];
  return cubicWeights(fraction).map((weight, i) => tap(floor.add(i - 1), weight));
}

/** The weights of the four pixels around a position with the fraction `t`: Keys' cubic kernel with a = −0.75. */
function cubicWeights(t: Operand): Operand[] {
  const a = -0.75;
  const near = (d: Operand) => d.mul(d).mul(d.mul(a + 2).sub(a + 3)).add(1);
  const far = (d: Operand) => d.mul(a).sub(5 * a).mul(d).add(8 * a).mul(d).sub(4 * a);
  const s = t.scalar(1).sub(t);
  return [far(t.add(1)), near(t), near(s), far(s.add(1))];
}

const GRID_MODES: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };

function gridSample(node: NodeView, image: Operand, grid: Operand): Operand {
  const [n, c, ...sizes] = image.shape as [number, number, ...number[]];
  const stated = node.string("mode", "linear");
  const mode = GRID_MODES[stated] ?? stated;
  const outside = node.string("padding_mode", "zeros") as Outside;
  const align = node.flag("align_corners");
  if (!["nearest", "linear", "cubic"].includes(mode)) unsupported(`the mode ${mode} is not supported`);
  if (!["zeros", "border", "reflection"].includes(outside)) unsupported(`the padding mode ${outside} is not supported`);
  const points = grid.shape.slice(1, -1);
  const taps = sizes.map((size, i) => {
    // The last axis of the image is the first in the grid.
    const from = grid.pick(grid.rank - 1, sizes.length - 1 - i).reshape([n, elementCount(points)]);
    const position = align ? from.add(1).mul((size - 1) / 2) : from.add(1).mul(size / 2).sub(0.5);
    return tapsOf(position.cast(image.type), size, mode, outside, align);
  });
  return sampleAt(image, taps).reshape([n, c, ...points]);
}

/** The coordinates of `size` pixels, scaled to the range from −1 to 1. */
function normalized(size: number, align: boolean): number[] {
  return range(0, size).map((i) => align ? (size > 1 ? -1 + 2 * i / (size - 1) : 0) : (2 * i + 1) / size - 1);
}

/** θ · (x, y, 1) for each pixel of an image, or θ · (x, y, z, 1) for each voxel of a volume. */
function affineGrid(node: NodeView, theta: Operand, size: Operand): Operand {
  const [n, , ...sizes] = size.numbers("size") as [number, number, ...number[]];
  const axes = sizes.length;
  const lists = sizes.map((size) => normalized(size, node.flag("align_corners")));
  const count = elementCount(sizes);
  const coordinates = range(0, count).flatMap((p) => {
    const own = sizes.map((size, i) => lists[i]![Math.floor(p / elementCount(sizes.slice(i + 1))) % size]!);
    return [...own.reverse(), 1];
  });
  const points = theta.constant([count, axes + 1], coordinates).expand([n, count, axes + 1]);
  return points.matmul(theta.transpose([0, 2, 1])).reshape([n, ...sizes, axes]);
}

/** Bilinear taps of RoiAlign: up to one pixel outside the image, the border pixel; farther outside, zero. */
function regionTaps(position: Operand, size: number): Tap[] {
  const inside = position.greaterOrEqual(-1).logicalAnd(position.lesserOrEqual(size));
  const place = clampTo(position, size);
  const floor = place.floor();
  const fraction = place.sub(floor);
  return [
    { place: floor, weight: fraction.scalar(1).sub(fraction), inside },
    { place: floor.add(1).min(size - 1), weight: fraction, inside },
  ];
}

/** Samples regions [x1, y1, x2, y2] of the images in `batch_indices`, each on its own grid. */
function roiAlign(node: NodeView, image: Operand, regions: Operand, batch: Operand): Operand {
  const [, c, height, width] = image.shape as [number, number, number, number];
  const count = regions.shape[0]!;
  const [rowsOut, columnsOut] = [node.int("output_height", 1), node.int("output_width", 1)];
  const ratio = node.int("sampling_ratio", 0);
  if (ratio === 0) {
    unsupported("with sampling_ratio = 0, the number of samples depends on the regions, which are known only in a run");
  }
  const isHalf = node.since >= 16 && node.string("coordinate_transformation_mode", "half_pixel") === "half_pixel";
  const edge = (i: number) => regions.cut(1, i, 1).mul(node.float("spatial_scale", 1)).sub(isHalf ? 0.5 : 0);
  const [h, w] = [rowsOut * ratio, columnsOut * ratio];
  /** The taps of one axis for the [h, w] samples of each region; `shape` is [h, 1] or [1, w], by the axis. */
  const axis = (first: number, size: number, samples: number, shape: readonly number[]): Tap[] => {
    const [start, end] = [edge(first), edge(first + 2)];
    const length = isHalf ? end.sub(start) : end.sub(start).max(1);
    const steps = regions.constant([1, samples], range(0, samples).map((i) => (i + 0.5) / samples));
    const fit = (x: Operand) => x.reshape([count, ...shape]).expand([count, h, w]).reshape([count, h * w]);
    return regionTaps(start.add(length.mul(steps)), size).map(({ place, weight, inside }) => ({
      place: fit(place),
      weight: fit(weight!),
      inside: fit(inside!),
    }));
  };
  const isMean = node.string("mode", "avg") === "avg";
  const taps = [axis(1, height, h, [h, 1]), axis(0, width, w, [1, w])];
  const samples = sampleAt(image.gather(batch.cast("int32"), 0), taps, isMean ? "add" : "max");
  const cells = samples.reshape([count, c, rowsOut, ratio, columnsOut, ratio]);
  return cells[isMean ? "reduceMean" : "reduceMax"]({ axes: [3, 5] });
}

/** A convolution whose kernel elements read the input at shifted positions, multiplied by a mask. */
function deformConv(
  node: NodeView,
  x: Operand,
  filter: Operand,
  offsets: Operand,
  bias?: Operand,
  mask?: Operand,
): Operand {
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  if (sizes.length !== 2) unsupported(`deformable convolutions over ${sizes.length} spatial axes are not supported`);
  const [outputs, perGroup, ...kernel] = filter.shape as [number, number, number, number];
  const [groups, moved] = [node.int("group", 1), node.int("offset_group", 1)];
  const windows = windowsOf(node, sizes, kernel);
  const counts = windows.map(({ count }) => count);
  const [taps, places] = [elementCount(kernel), elementCount(counts)];
  const moves = offsets.reshape([n, moved, taps, 2, places]);
  const axisTaps = (axis: number) => {
    const move = moves.pick(3, axis).reshape([n, moved, taps * places]);
    const position = move.add(move.constant([1, 1, taps * places], tapPositions(windows, axis)));
    return tapsOf(position.reshape([n * moved, taps * places]), sizes[axis]!, "linear", "zeros", false);
  };
  const images = x.reshape([n * moved, c / moved, ...sizes]);
  const samples = sampleAt(images, [axisTaps(0), axisTaps(1)]).reshape([n, moved, c / moved, taps, places]);
  const weighed = mask ? samples.mul(mask.reshape([n, moved, 1, taps, places])) : samples;
  const columns = weighed.reshape([n, groups, perGroup * taps, places]);
  const weights = filter.reshape([1, groups, outputs / groups, perGroup * taps]);
  const result = weights.matmul(columns).reshape([n, outputs, ...counts]);
  return bias ? result.add(bias.along(1, 4)) : result;
}

/** The positions along an axis before offsets: for each kernel element, its positions in all windows. */
function tapPositions(windows: readonly Window[], axis: number): number[] {
  const [down, right] = windows as [Window, Window];
  const { stride, dilation, begin } = windows[axis]!;
  const along = (index: number, columns: number) => axis === 0 ? Math.floor(index / columns) : index % columns;
  return range(0, down.kernel * right.kernel).flatMap((tap) =>
    range(0, down.count * right.count).map((window) =>
      along(window, right.count) * stride + along(tap, right.kernel) * dilation - begin
    )
  );
}

export const sampling: Row[] = rows("", {
  AffineGrid: [20, 2, affineGrid],
  DeformConv: [19, 3, deformConv],
  GridSample: [16, 2, gridSample],
  RoiAlign: [[10, 16], 3, roiAlign],
});
