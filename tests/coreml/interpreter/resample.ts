/**
 * Resizes the last two axes.
 *
 * @module
 */

import type { Parameters, Rows } from "./operation.ts";
import { offsets, pick, progression, stridesOf, type Tensor, zeros } from "./tensor.ts";

/** The input position for output position `i`, before clamping; the input has `size` positions. */
type Grid = (i: number, size: number, target: number) => number;

const unalignCorners: Grid = (i, size, target) => (i + 0.5) * size / target - 0.5;
const alignCorners: Grid = (i, size, target) => target === 1 ? 0 : i * (size - 1) / (target - 1);

const GRIDS: Record<string, Grid> = {
  STRICT_ALIGN_CORNERS: alignCorners,
  ALIGN_CORNERS: (i, size, target) => target === 1 ? (size - 1) / 2 : alignCorners(i, size, target),
  DEFAULT: (i, size, target) => i * size / target,
  OFFSET_CORNERS: (i, size, target) => (i + 0.5) * Math.max(1, size - 1) / target,
  UNALIGN_CORNERS: unalignCorners,
};

/** The two neighbours of an output position, and its distance from the first one. */
interface Neighbours {
  readonly low: number;
  readonly high: number;
  readonly fraction: number;
}

function neighbours(size: number, target: number, grid: Grid): Neighbours[] {
  return progression(target, 1).map((i) => {
    const place = Math.min(Math.max(grid(i, size, target), 0), size - 1);
    const low = Math.floor(place);
    return { low, high: Math.min(low + 1, size - 1), fraction: place - low };
  });
}

function spatial(x: Tensor): [number, number] {
  if (x.shape.length < 3) throw new TypeError(`x must have rank 3 or more, not ${x.shape.length}`);
  return x.shape.slice(-2) as [number, number];
}

function bilinear(x: Tensor, targetHeight: number, targetWidth: number, grid: Grid): Tensor {
  const [height, width] = spatial(x);
  const rows = neighbours(height, targetHeight, grid);
  const columns = neighbours(width, targetWidth, grid);
  const result = zeros(x.dataType, [...x.shape.slice(0, -2), targetHeight, targetWidth]);
  let at = 0;
  for (let plane = 0; plane < x.data.length; plane += height * width) {
    const interpolated = (y: number, { low, high, fraction }: Neighbours) =>
      x.data[plane + y * width + low]! * (1 - fraction) + x.data[plane + y * width + high]! * fraction;
    for (const row of rows) {
      for (const column of columns) {
        result.data[at++] = interpolated(row.low, column) * (1 - row.fraction) +
          interpolated(row.high, column) * row.fraction;
      }
    }
  }
  return result;
}

function resizeBilinear(p: Parameters): Tensor {
  const grid = GRIDS[p.text("sampling_mode", Object.keys(GRIDS))]!;
  return bilinear(p.tensor("x"), p.number("target_size_height"), p.number("target_size_width"), grid);
}

/** The scale of the grid is recomputed from the sizes. */
function upsampleBilinear(p: Parameters): Tensor {
  const x = p.tensor("x");
  const [height, width] = scaledSizes(p, x);
  const align = p.flag("align_corners");
  if (align === p.flag("half_pixel_centers")) {
    throw new TypeError("exactly one of align_corners and half_pixel_centers must be true");
  }
  return bilinear(x, height, width, align ? alignCorners : unalignCorners);
}

function scaledSizes(p: Parameters, x: Tensor): [number, number] {
  const [height, width] = spatial(x);
  return [Math.floor(height * p.number("scale_factor_height")), Math.floor(width * p.number("scale_factor_width"))];
}

/** The rounding rule is not documented, so only sizes for which all rules agree are accepted. */
function nearest(x: Tensor, targetHeight: number, targetWidth: number): Tensor {
  const [height, width] = spatial(x);
  if (targetHeight % height !== 0 || targetWidth % width !== 0) {
    throw new TypeError(
      `nearest neighbours from ${height} x ${width} to ${targetHeight} x ${targetWidth}: no documented rule`,
    );
  }
  const strides = stridesOf(x.shape);
  const shape = [...x.shape.slice(0, -2), targetHeight, targetWidth];
  const tables = shape.map((dimension, axis) =>
    progression(dimension, 1).map((i) => Math.floor(i * x.shape[axis]! / dimension) * strides[axis]!)
  );
  return pick(x, shape, offsets(tables));
}

export const resample: Rows = {
  resize_bilinear: {
    values: ["x"],
    constants: ["target_size_height", "target_size_width", "sampling_mode"],
    compute: resizeBilinear,
  },
  resize_nearest_neighbor: {
    values: ["x"],
    constants: ["target_size_height", "target_size_width"],
    compute: (p) => nearest(p.tensor("x"), p.number("target_size_height"), p.number("target_size_width")),
  },
  upsample_bilinear: {
    values: ["x"],
    constants: ["scale_factor_height", "scale_factor_width", "align_corners", "half_pixel_centers"],
    compute: upsampleBilinear,
  },
  upsample_nearest_neighbor: {
    values: ["x"],
    constants: ["scale_factor_height", "scale_factor_width"],
    compute: (p) => nearest(p.tensor("x"), ...scaledSizes(p, p.tensor("x"))),
  },
};
