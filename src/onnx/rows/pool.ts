/**
 * Pooling over one, two and three axes, and global pooling.
 *
 * @module
 */

import { elementCount } from "../../shape.ts";
import type { NodeView } from "../node.ts";
import { type Operand, range } from "../operand.ts";
import { type Build, type Row, type RowResult, rows } from "../row.ts";
import { unsupported } from "../errors.ts";
import { extentOf, options2d, WHOLE, type Window, windowsOf } from "./windows.ts";

type Pool = "averagePool2d" | "l2Pool2d" | "maxPool2d";

/** Pools over all spatial axes. For all three kinds, pooling some axes, then the others, equals pooling all at once. */
function pool(name: Pool, x: Operand, windows: readonly Window[]): Operand {
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  const counts = windows.map(({ count }) => count);
  if (sizes.length === 2) return pool2d(name, x, windows);
  if (sizes.length === 1) {
    return pool2d(name, x.reshape([n, c, 1, ...sizes]), [WHOLE, ...windows]).reshape([n, c, ...counts]);
  }
  if (sizes.length !== 3) return unsupported(`pools over ${sizes.length} spatial axes are not supported`);
  const [d, h, w] = sizes as [number, number, number];
  const [depth, ...plane] = windows as [Window, Window, Window];
  const places = counts[1]! * counts[2]!;
  const pooled = pool2d(name, x.reshape([n, c * d, h, w]), plane).reshape([n, c, d, places]);
  const columns = pool2d(name, pooled.transpose([0, 1, 3, 2]), [{ ...WHOLE, count: places }, depth]);
  return columns.transpose([0, 1, 3, 2]).reshape([n, c, ...counts]);
}

/** WebNN rounds both sizes up or both down. Padding at the end, which no pool counts, gives each axis its own size. */
function pool2d(name: Pool, x: Operand, windows: readonly Window[]): Operand {
  const fitted = windows.map((window, i) => {
    const reach = (window.count - 1) * window.stride + extentOf(window) - window.begin;
    const size = x.shape[i + 2]!;
    return { ...window, end: Math.max(0, reach - size), used: Math.min(size, Math.max(1, reach)) };
  });
  const seen = fitted.reduce((x, { used }, i) => x.cut(i + 2, 0, used), x);
  return seen[name]({ windowDimensions: windows.map(({ kernel }) => kernel), ...options2d(fitted) });
}

function poolWindows(node: NodeView, x: Operand): Window[] {
  return windowsOf(node, x.shape.slice(2), node.neededInts("kernel_shape"));
}

function averagePool(node: NodeView, x: Operand): Operand {
  const windows = poolWindows(node, x);
  if (!node.flag("count_include_pad")) return pool("averagePool2d", x, windows);
  const padded = x.pad([0, 0, ...windows.map(({ begin }) => begin)], [0, 0, ...windows.map(({ end }) => end)]);
  return pool("averagePool2d", padded, windows.map((window) => ({ ...window, begin: 0, end: 0 })));
}

function maxPool(node: NodeView, x: Operand): RowResult {
  const windows = poolWindows(node, x);
  const result = pool("maxPool2d", x, windows);
  return node.wants(1) ? [result, positionsOfMaximum(node, x, windows)] : result;
}

/** The maximum number of window elements to gather. */
const MAXIMUM_WINDOWS = 2 ** 26;

/** The position of each window's first maximum in the flat input. */
function positionsOfMaximum(node: NodeView, x: Operand, windows: readonly Window[]): Operand {
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  const [kernel, counts] = [windows.map(({ kernel }) => kernel), windows.map(({ count }) => count)];
  const [places, windowCount] = [elementCount(kernel), elementCount(counts)];
  if (places * windowCount * n * c > MAXIMUM_WINDOWS) {
    unsupported("the output Indices is too expensive for so many windows");
  }
  const steps = stepsOf(sizes, node.int("storage_order", 0) === 1);
  // For each place in the kernel and each window, the position in the image; `undefined` in the padding.
  const positions = range(0, places * windowCount).map((i) => {
    const [offset, window] = [unravel(Math.floor(i / windowCount), kernel), unravel(i % windowCount, counts)];
    const position = windows.map(({ stride, dilation, begin }, axis) =>
      window[axis]! * stride - begin + offset[axis]! * dilation
    );
    return position.every((p, axis) => p >= 0 && p < sizes[axis]!) ? position : undefined;
  });
  const table = (value: (position: number[]) => number) => positions.map((position) => position ? value(position) : 0);
  const constant = (type: "int32" | "int64" | "uint8", value: (position: number[]) => number) =>
    node.constant(type, [places, windowCount], table(value));
  const flat = x.reshape([n, c, elementCount(sizes)]);
  const elements = flat.gather(constant("int32", (position) => ravel(position, stepsOf(sizes, false))), 2);
  const comparable = x.isFloat ? elements : elements.cast("float32");
  const isReal = constant("uint8", () => 1);
  const first = isReal.where(comparable, -Infinity).argMax(2, { keepDimensions: true });
  const known = constant("int64", (position) => ravel(position, steps)).reshape([1, 1, places, windowCount]);
  const index = known.expand([n, c, places, windowCount]).gatherElements(first, { axis: 2 });
  const image = node.constant("int64", [n, c, 1, 1], range(0, n * c).map((i) => i * elementCount(sizes)));
  return index.add(image).reshape([n, c, ...counts]);
}

/** For each axis, the distance between neighbours in the flat image. */
function stepsOf(sizes: readonly number[], columnMajor: boolean): number[] {
  return sizes.map((_, i) => elementCount(columnMajor ? sizes.slice(0, i) : sizes.slice(i + 1)));
}

function ravel(position: readonly number[], steps: readonly number[]): number {
  return position.reduce((sum, p, i) => sum + p * steps[i]!, 0);
}

function unravel(index: number, sizes: readonly number[]): number[] {
  return stepsOf(sizes, false).map((step, i) => Math.floor(index / step) % sizes[i]!);
}

/**
 * Writes each element to its position in an image of the size that ONNX infers. If an output shape is given, the image
 * is cropped or padded with zeros to it.
 */
function maxUnpool(node: NodeView, x: Operand, indices: Operand, outputShape?: Operand): Operand {
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  const kernel = node.neededInts("kernel_shape");
  const strides = node.ints("strides") ?? kernel.map(() => 1);
  const pads = node.ints("pads") ?? kernel.flatMap(() => [0, 0]);
  const own = sizes.map((size, i) => (size - 1) * strides[i]! + kernel[i]! - pads[i]! - pads[i + kernel.length]!);
  const zeros = x.scalar(0).expand([n * c * elementCount(own)]);
  const image = zeros.scatterElements(indices.reshape([x.size]), x.reshape([x.size])).reshape([n, c, ...own]);
  const shape = outputShape?.numbers("output_shape") ?? image.shape;
  const kept = shape.reduce((y, size, i) => y.cut(i, 0, Math.min(size, y.shape[i]!)), image);
  return kept.pad(shape.map(() => 0), shape.map((size, i) => size - kept.shape[i]!));
}

/** The p-norm: the 2-norm of |x|^(p / 2), to the power 2 / p. */
function pNorm(node: NodeView, x: Operand, norm: (x: Operand) => Operand): Operand {
  const p = node.int("p", 2);
  return p === 2 ? norm(x) : norm(x.abs().pow(p / 2)).pow(2 / p);
}

/** Images use WebNN's pool: engines keep their own layout of images through it, but convert it for a reduction. */
const globalPool = (pool: Pool, reduction: "reduceMean" | "reduceMax"): Build => (_, x) =>
  x.rank === 4 ? x[pool]() : x[reduction]({ axes: range(2, x.rank), keepDimensions: true });

export const pools: Row[] = rows("", {
  AveragePool: [7, 1, averagePool],
  GlobalAveragePool: [1, 1, globalPool("averagePool2d", "reduceMean")],
  GlobalLpPool: [
    2,
    1,
    (node, x) => pNorm(node, x, (x) => x.reduceL2({ axes: range(2, x.rank), keepDimensions: true })),
  ],
  GlobalMaxPool: [1, 1, globalPool("maxPool2d", "reduceMax")],
  LpPool: [2, 1, (node, x) => pNorm(node, x, (x) => pool("l2Pool2d", x, poolWindows(node, x)))],
  MaxPool: [1, 1, maxPool],
  MaxUnpool: [9, 2, maxUnpool],
});
