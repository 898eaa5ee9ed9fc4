/**
 * Pools in two dimensions.
 *
 * @module
 */

import type { Parameters, Row, Rows } from "./operation.ts";
import { type Tensor, zeros } from "./tensor.ts";
import { type Axis, dimensions4, numbersOf, padding, windowCount } from "./window.ts";

/** Combines the elements of a window inside the input; also gets the window's size including padding. */
type Fold = (elements: readonly number[], padded: number) => number;

const CONSTANTS = ["kernel_sizes", "strides", "pad_type", "pad", "ceil_mode"];

function pool(fold: Fold): Row {
  return { values: ["x"], constants: CONSTANTS, compute: (p) => slide(p, fold) };
}

function slide(p: Parameters, fold: Fold): Tensor {
  const x = p.tensor("x");
  const [batch, channels, height, width] = dimensions4("x", x);
  const kernel = numbersOf(p, "kernel_sizes", 2);
  const strides = numbersOf(p, "strides", 2);
  const pad = padding(p);
  const ceil = p.flag("ceil_mode");
  if (ceil && (pad[0] !== pad[1] || pad[2] !== pad[3])) throw new TypeError("ceil_mode needs symmetric padding");
  const [vertical, horizontal] = [height, width].map((size, i): Axis => ({
    size,
    kernel: kernel[i]!,
    dilation: 1,
    stride: strides[i]!,
    padBefore: pad[2 * i]!,
    padAfter: pad[2 * i + 1]!,
  })) as [Axis, Axis];
  const [rows, columns] = [windowCount(vertical, ceil), windowCount(horizontal, ceil)];
  const result = zeros(x.dataType, [batch, channels, rows, columns]);
  let at = 0;
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let row = 0; row < rows; row++) {
      const ys = spanOf(vertical, row);
      for (let column = 0; column < columns; column++) {
        const xs = spanOf(horizontal, column);
        const elements: number[] = [];
        for (let y = ys.first; y < ys.end; y++) {
          for (let i = xs.first; i < xs.end; i++) elements.push(x.data[(plane * height + y) * width + i]!);
        }
        if (elements.length === 0) {
          throw new RangeError(`window ${row}, ${column} has no element, and no defined result`);
        }
        result.data[at++] = fold(elements, ys.padded * xs.padded);
      }
    }
  }
  return result;
}

/** The positions of one window inside the input, and its number of positions including padding. */
function spanOf(axis: Axis, window: number): { first: number; end: number; padded: number } {
  const start = window * axis.stride - axis.padBefore;
  const end = start + axis.kernel;
  return {
    first: Math.max(0, start),
    end: Math.min(axis.size, end),
    padded: Math.min(end, axis.size + axis.padAfter) - start,
  };
}

function sum(elements: readonly number[]): number {
  return elements.reduce((total, x) => total + x, 0);
}

const averagePool: Row = {
  values: ["x"],
  constants: [...CONSTANTS, "exclude_padding_from_average"],
  compute: (p) => {
    const exclude = p.flag("exclude_padding_from_average");
    return slide(p, (elements, padded) => sum(elements) / (exclude ? elements.length : padded));
  },
};

export const pooling: Rows = {
  avg_pool: averagePool,
  l2_pool: pool((elements) => Math.sqrt(sum(elements.map((x) => x * x)))),
  max_pool: pool((elements) => elements.reduce((max, x) => Math.max(max, x), -Infinity)),
};
