/**
 * The layouts of images and filters.
 *
 * @module
 */

import type { Shape } from "../shape.ts";

/** The layouts of a 4-D input: n batches, c channels, h height, w width. */
export type InputLayout = "nchw" | "nhwc";

/** The sizes of a 4-D input by name. */
export interface ImageShape {
  readonly batches: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Names the dimensions of a 4-D shape. */
export function imageShape(shape: Shape, layout: InputLayout): ImageShape {
  const [batches, x, y, z] = shape as [number, number, number, number];
  return layout === "nchw"
    ? { batches, channels: x, height: y, width: z }
    : { batches, height: x, width: y, channels: z };
}

/** The reverse of {@linkcode imageShape}. */
export function fromImageShape({ batches, channels, height, width }: ImageShape, layout: InputLayout): Shape {
  return layout === "nchw" ? [batches, channels, height, width] : [batches, height, width, channels];
}

/** The sizes of a 4-D filter by name: o output channels, i input channels per group, h height, w width. */
export function filterShape(shape: Shape, layout: string): Readonly<Record<"o" | "i" | "h" | "w", number>> {
  const size = (letter: string) => shape[layout.indexOf(letter)]!;
  return { o: size("o"), i: size("i"), h: size("h"), w: size("w") };
}
