/**
 * Convolutions and pools, with operators that engines fuse into them.
 *
 * @module
 */

import type { Id, Pen } from "./pen.ts";
import { activation, type Formula } from "./norms.ts";

type Layout = "nchw" | "nhwc";

/** The value, if it has the shape of an image; else a new image. */
function image(pen: Pen, x: Id): Id {
  const shape = pen.shape(x);
  if (shape.length === 4 && shape[2]! * shape[3]! >= 4) return x;
  return pen.leaf([1, pen.next.integer(1, 4), pen.next.integer(3, 5), pen.next.integer(3, 5)]);
}

/** The axes of height and width. */
function spatial(layout: Layout): readonly [number, number] {
  return layout === "nchw" ? [2, 3] : [1, 2];
}

function padded(pen: Pen, x: Id, layout: Layout): Id {
  const mode = pen.nearly<string>("constant", "edge", "reflection");
  const [h, w] = spatial(layout);
  const shape = pen.shape(x);
  const amount = () =>
    shape.map((size, axis) => axis === h || axis === w ? pen.next.integer(0, Math.min(1, size - 1)) : 0);
  const [beginningPadding, endingPadding] = [amount(), amount()];
  if (mode === "constant" && pen.chance(0.1)) beginningPadding[layout === "nchw" ? 1 : 3] = 1;
  return pen.unary("pad", x, {
    beginningPadding,
    endingPadding,
    mode,
    value: pen.next.pick([0, 0, 0, -0, -Infinity, 2, -3]),
  });
}

/** A number for each channel, or a tensor with a similar shape. */
function channelwise(pen: Pen, x: Id, layout: Layout): Id {
  const shape = pen.shape(x);
  const channels = shape[layout === "nchw" ? 1 : 3]!;
  const pick = pen.next();
  if (pick < 0.6) return pen.weight(layout === "nchw" ? [1, channels, 1, 1] : [1, 1, 1, channels]);
  if (pick < 0.75) return pen.weight(layout === "nchw" ? [channels, 1, 1] : [channels]);
  if (pick < 0.85) return pen.weight([shape[3]!]);
  if (pick < 0.9) return pen.weight(shape);
  return pen.number(0.5, x);
}

/** A convolution, with bias, batch normalisation, factor, activation and sum. */
const convolution: Formula = (pen, given) => {
  const x = image(pen, given);
  const layout: Layout = pen.chance(0.7) ? "nchw" : "nhwc";
  const source = pen.chance(0.4) ? padded(pen, x, layout) : x;
  const shape = pen.shape(source);
  const [h, w] = spatial(layout);
  const channels = shape[layout === "nchw" ? 1 : 3]!;
  const groups = pen.chance(0.25) ? channels : 1;
  const outputs = groups === 1 ? pen.next.integer(1, 4) : channels;
  const [height, width] = [h, w].map((axis) => pen.next.integer(1, Math.min(3, shape[axis]!)));
  const filter = pen.weight([outputs, channels / groups, height!, width!]);
  const bias = pen.chance(0.4) ? { bias: pen.weight([outputs]) } : {};
  const padding = pen.chance(0.4) ? [1, 1, 1, 1].map(() => pen.next.integer(0, 1)) : [0, 0, 0, 0];
  const conv = pen.call("conv2d", { input: source, filter, ...bias }, { inputLayout: layout, groups, padding });
  return withEpilogue(pen, conv, layout);
};

/** Operators that often follow a convolution. */
function withEpilogue(pen: Pen, conv: Id, layout: Layout): Id {
  let y = pen.disguised(conv);
  if (pen.chance(0.3)) y = pen.binary("mul", y, channelwise(pen, y, layout));
  if (pen.chance(0.4)) y = pen.binary("add", y, channelwise(pen, y, layout));
  if (pen.chance(0.25)) y = batchNorm(pen, y, layout);
  if (pen.chance(0.2)) y = pen.binary("add", y, pen.chance(0.5) ? pen.leaf(pen.shape(y)) : conv);
  return pen.chance(0.6) ? activation(pen, y) : y;
}

function batchNorm(pen: Pen, x: Id, layout: Layout): Id {
  const axis = layout === "nchw" ? 1 : 3;
  const size = [pen.shape(x)[axis]!];
  const parameters = {
    mean: pen.weight(size),
    variance: pen.weight(size, { float: [0.25, 2] }),
    ...(pen.chance(0.6) ? { scale: pen.weight(size) } : {}),
    ...(pen.chance(0.6) ? { bias: pen.weight(size) } : {}),
  };
  return pen.call("batchNormalization", { input: x, ...parameters }, { axis, epsilon: pen.nearly(1e-5, 0.25) });
}

/** A pool, often of a padded image. */
const pool: Formula = (pen, given) => {
  const x = image(pen, given);
  const layout: Layout = pen.chance(0.7) ? "nchw" : "nhwc";
  const source = pen.chance(0.7) ? padded(pen, x, layout) : x;
  const name = pen.next.pick(["maxPool2d", "averagePool2d", "l2Pool2d"] as const);
  const shape = pen.shape(source);
  const windowDimensions = spatial(layout).map((axis) => pen.next.integer(1, Math.min(3, shape[axis]!)));
  const isLarge = windowDimensions.every((size) => size > 1);
  const padding = isLarge && pen.chance(0.4) ? [1, 1, 1, 1].map(() => pen.next.integer(0, 1)) : [0, 0, 0, 0];
  const options = pen.chance(0.8) ? { windowDimensions, padding, strides: [pen.next.integer(1, 2), 1] } : {};
  const pooled = pen.unary(name, pen.disguised(source), { layout, ...options });
  return pen.chance(0.3) ? activation(pen, pooled) : pooled;
};

/** Joins slices with strides, so that the pixels of a block become channels. */
const spaceToDepth: Formula = (pen, given) => {
  const x = pen.leaf([1, pen.next.integer(1, 2), 4, 4]);
  const source = pen.shape(given).length === 4 && pen.shape(given).slice(2).every((size) => size % 2 === 0 && size > 2)
    ? given
    : x;
  const shape = pen.shape(source);
  const starts = [[0, 0], [1, 0], [0, 1], [1, 1]];
  const parts = (pen.chance(0.7) ? starts : starts.toReversed()).map(([top, left]) =>
    pen.unary("slice", source, {
      starts: [0, 0, top, left],
      sizes: [shape[0], shape[1], shape[2]! - top!, shape[3]! - left!],
      strides: [1, 1, 2, 2],
    })
  );
  return pen.call("concat", { inputs: parts }, { axis: pen.nearly(1, 0) });
};

/** The formulas of this file. */
export const IMAGES: readonly Formula[] = [convolution, convolution, convolution, pool, pool, spaceToDepth];
