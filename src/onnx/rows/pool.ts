/**
 * Pools of one, two and three axes, and global pools.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { sizeOf } from "../value.ts";
import { calculate, cut, isFloat, range } from "./calculation.ts";
import { asTwoAxes, axesOfWindows, padding2d, type Windows, windowsOf } from "./windows.ts";

type Pool = "averagePool2d" | "l2Pool2d" | "maxPool2d";

/** A pool over all spatial axes. For all three kinds, pooling two axes at once equals pooling one by one. */
function pool(node: NodeView, name: Pool, x: MLOperand, windows: Windows): MLOperand {
  const axes = x.shape.length - 2;
  if (axes === 2) return pool2d(node, name, x, windows);
  if (axes === 1) {
    const flat = pool2d(node, name, node.reshape(x, x.shape.toSpliced(2, 0, 1)), asTwoAxes(windows));
    return node.reshape(flat, [...flat.shape.slice(0, 2), flat.shape[3]!]);
  }
  if (axes !== 3) return node.refuse(`a pool over ${axes} spatial axes`);
  const [n, c, d, h, w] = x.shape as [number, number, number, number, number];
  const plane = pool2d(node, name, node.reshape(x, [n, c * d, h, w]), axesOfWindows(windows, 1));
  const [height, width] = plane.shape.slice(2) as [number, number];
  const columns = node.reshape(plane, [n, c, d, height * width]);
  const alone = asTwoAxes(axesOfWindows(windows, 0, 1));
  const depth = { ...alone, counts: [height * width, windows.counts[0]!] };
  const turned = pool2d(node, name, node.transpose(columns, [0, 1, 3, 2]), depth);
  return node.reshape(node.transpose(turned, [0, 1, 3, 2]), [n, c, windows.counts[0]!, height, width]);
}

/** WebNN rounds both axes up or both down. Extra padding, which no pool counts, gives each axis its own size. */
function pool2d(node: NodeView, name: Pool, x: MLOperand, windows: Windows): MLOperand {
  const { kernel, strides, dilations, begin, counts } = windows;
  const end = counts.map((count, i) => {
    const extent = (kernel[i]! - 1) * dilations[i]! + 1;
    return Math.max(0, (count - 1) * strides[i]! + extent - x.shape[i + 2]! - begin[i]!);
  });
  const used = x.shape.slice(2).map((size, i) => {
    return Math.min(
      size,
      Math.max(1, (counts[i]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 - begin[i]!),
    );
  });
  const seen = used.reduce((x, count, i) => cut(node, x, i + 2, 0, count), x);
  return node.builder[name](seen, {
    windowDimensions: [...kernel],
    padding: padding2d({ begin, end }),
    strides: [...strides],
    dilations: [...dilations],
  });
}

function averagePool(node: NodeView): RowResult {
  const x = node.input(0);
  const windows = windowsOf(node, x.shape.slice(2), node.neededInts("kernel_shape"));
  if (!node.flag("count_include_pad")) return pool(node, "averagePool2d", x, windows);
  const pads = (list: readonly number[]) => [0, 0, ...list];
  const padded = node.builder.pad(x, pads(windows.begin), pads(windows.end));
  const none = windows.kernel.map(() => 0);
  return pool(node, "averagePool2d", padded, { ...windows, begin: none, end: none });
}

function maxPool(node: NodeView): RowResult {
  const x = node.input(0);
  const windows = windowsOf(node, x.shape.slice(2), node.neededInts("kernel_shape"));
  const result = pool(node, "maxPool2d", x, windows);
  return node.wants(1) ? [result, positionsOfMaximum(node, x, windows)] : result;
}

/** The maximum number of window elements to gather. */
const MAXIMUM_WINDOWS = 2 ** 26;

/** The position of each window's maximum in the flat input: the first if there are several. */
function positionsOfMaximum(node: NodeView, x: MLOperand, windows: Windows): MLOperand {
  const { kernel, counts, begin, dilations, strides } = windows;
  const sizes = x.shape.slice(2);
  const places = sizeOf(kernel);
  if (places * sizeOf(counts) * sizeOf(x.shape.slice(0, 2)) > MAXIMUM_WINDOWS) {
    node.refuse("the output Indices for large windows");
  }
  const offsets = range(0, places).map((i) => unravel(i, kernel));
  const columnMajor = node.int("storage_order", 0) === 1;
  const steps = strideOf(sizes, columnMajor);
  const at = (window: number, offset: readonly number[]) => {
    const position = unravel(window, counts).map((w, i) => w * strides[i]! - begin[i]! + offset[i]! * dilations[i]!);
    return position.every((p, i) => p >= 0 && p < sizes[i]!) ? position : undefined;
  };
  const windowCount = sizeOf(counts);
  const table = (value: (position: number[]) => number, missing: number) =>
    offsets.flatMap((offset) => range(0, windowCount).map((w) => ((p) => p ? value(p) : missing)(at(w, offset))));
  const source = table((position) => ravel(position, strideOf(sizes, false)), -1);
  const [n, c] = x.shape as [number, number];
  const flat = node.reshape(x, [n, c, sizeOf(sizes)]);
  const indices = node.constant("int32", [places, windowCount], source.map((index) => Math.max(0, index)));
  const elements = node.builder.gather(flat, indices, { axis: 2 });
  const isReal = node.constant("uint8", [places, windowCount], source.map((index) => index < 0 ? 0 : 1));
  const { where, add } = calculate(node);
  const comparable = isFloat(x) ? elements : node.cast(elements, "float32");
  const first = node.builder.argMax(where(isReal, comparable, -Infinity), 2, { keepDimensions: true });
  const known = node.constant(
    node.integer,
    [1, 1, places, windowCount],
    table((position) => ravel(position, steps), 0),
  );
  const index = node.builder.gatherElements(node.expand(known, [n, c, places, windowCount]), first, { axis: 2 });
  const image = node.constant(node.integer, [n, c, 1, 1], range(0, n * c).map((i) => i * sizeOf(sizes)));
  return node.reshape(add(index, image), [n, c, ...counts]);
}

function strideOf(sizes: readonly number[], columnMajor: boolean): number[] {
  return sizes.map((_, i) => sizeOf(columnMajor ? sizes.slice(0, i) : sizes.slice(i + 1)));
}

function ravel(position: readonly number[], steps: readonly number[]): number {
  return position.reduce((sum, p, i) => sum + p * steps[i]!, 0);
}

function unravel(index: number, sizes: readonly number[]): number[] {
  return strideOf(sizes, false).map((step, i) => Math.floor(index / step) % sizes[i]!);
}

/**
 * Writes elements back to the positions from a pool, in an image of the inferred size, padded with zeros to the output.
 */
function maxUnpool(node: NodeView): RowResult {
  const [x, indices] = [node.input(0), node.input(1)];
  const [n, c] = x.shape as [number, number];
  const kernel = node.neededInts("kernel_shape");
  const strides = node.ints("strides") ?? kernel.map(() => 1);
  const pads = node.ints("pads") ?? kernel.flatMap(() => [0, 0]);
  const own = kernel.map((size, i) => {
    return (x.shape[i + 2]! - 1) * strides[i]! + size - pads[i]! - pads[i + kernel.length]!;
  });
  const flat = (x: MLOperand) => node.reshape(x, [sizeOf(x.shape)]);
  const zeros = node.expand(node.scalar(x, 0), [n * c * sizeOf(own)]);
  const image = node.reshape(node.builder.scatterElements(zeros, flat(indices), flat(x)), [n, c, ...own]);
  const shape = node.numbers(2, "output_shape") ?? image.shape;
  const kept = shape.reduce((y, size, i) => cut(node, y, i, 0, Math.min(size, y.shape[i]!)), image);
  return node.builder.pad(kept, shape.map(() => 0), shape.map((size, i) => size - kept.shape[i]!));
}

/** The p-th root of the sum of p-th powers, as the 2-norm of the elements to the power p / 2. */
function lpPool(node: NodeView): RowResult {
  const x = node.input(0);
  const windows = windowsOf(node, x.shape.slice(2), node.neededInts("kernel_shape"));
  return withPower(node, x, (x) => pool(node, "l2Pool2d", x, windows));
}

function withPower(node: NodeView, x: MLOperand, norm: (x: MLOperand) => MLOperand): MLOperand {
  const p = node.int("p", 2);
  if (p === 2) return norm(x);
  const { pow } = calculate(node);
  return pow(norm(pow(node.builder.abs(x), p / 2)), 2 / p);
}

const overImage =
  (compute: (node: NodeView, x: MLOperand, axes: number[]) => MLOperand) => (node: NodeView): RowResult => {
    const x = node.input(0);
    return compute(node, x, range(2, x.shape.length));
  };

// A global pool keeps the layout in which an engine stores images between convolutions; a reduction does not.
const globalAverage = overImage((node, x, axes) =>
  x.shape.length === 4 ? node.builder.averagePool2d(x) : node.builder.reduceMean(x, { axes, keepDimensions: true })
);
const globalMax = overImage((node, x, axes) =>
  x.shape.length === 4 ? node.builder.maxPool2d(x) : node.builder.reduceMax(x, { axes, keepDimensions: true })
);
const globalLp = overImage((node, x, axes) => {
  return withPower(node, x, (x) => node.builder.reduceL2(x, { axes, keepDimensions: true }));
});

export const pools: Row[] = rows("", {
  AveragePool: [[7], averagePool],
  GlobalAveragePool: [[1], globalAverage],
  GlobalLpPool: [[2], globalLp],
  GlobalMaxPool: [[1], globalMax],
  LpPool: [[2], lpPool],
  MaxPool: [[1], maxPool],
  MaxUnpool: [[9], maxUnpool],
});
