/**
 * The windows of a pool.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import type { Descriptor } from "../shape.ts";
import { imageShape, type InputLayout } from "./layout.ts";

/** The parts of a pool that determine its windows. Pairs are `[height, width]`, in elements. */
export interface PoolCall {
  readonly operands: { readonly input: Descriptor };
  readonly attributes: {
    readonly layout: InputLayout;
    readonly windowDimensions: readonly number[];
    readonly strides: readonly number[];
    readonly dilations: readonly number[];
    /** `[beginHeight, endHeight, beginWidth, endWidth]` */
    readonly padding: readonly number[];
    /** `[height, width]` of the output. */
    readonly outputSizes: readonly number[];
  };
}

/** The windows of a pool. Pairs are `[height, width]`. */
export interface Windows {
  readonly dataType: MLOperandDataType;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /**
   * `[beginHeight, endHeight, beginWidth, endWidth]`. The ends are just large enough for the last window, whether the
   * output size was rounded up or down.
   */
  readonly padding: readonly number[];
  readonly outputSizes: readonly number[];
  /** For each output row, and for each output column, how many input elements the window covers in that direction. */
  readonly covered: readonly (readonly number[])[];
  /** Whether one window covers the whole image, without padding. */
  readonly isGlobal: boolean;
}

/**
 * Computes the windows of a pool.
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pool2d
 */
export function windowsOf({ operands: { input }, attributes }: PoolCall): Windows {
  const { layout, windowDimensions: kernel, strides, dilations, outputSizes } = attributes;
  const { height, width } = imageShape(input.shape, layout);
  const sides = [height, width].map((size, side) => {
    const begin = attributes.padding[2 * side]!;
    const [stride, dilation] = [strides[side]!, dilations[side]!];
    const reach = (outputSizes[side]! - 1) * stride + (kernel[side]! - 1) * dilation + 1;
    const covered = Array.from(
      { length: outputSizes[side]! },
      (_, i) => coveredElements(i * stride - begin, kernel[side]!, dilation, size),
    );
    return { size, begin, end: Math.max(reach - size - begin, 0), covered };
  });
  const padding = sides.flatMap(({ begin, end }) => [begin, end]);
  const isGlobal = padding.every((size) => size === 0) && outputSizes.every((size) => size === 1) &&
    sides.every(({ size }, side) => size === kernel[side]);
  const covered = sides.map(({ covered }) => covered);
  return { dataType: input.dataType, kernel, strides, dilations, padding, outputSizes, covered, isGlobal };
}

/** How many of the positions `start + k·dilation`, for `0 ≤ k < kernel`, are in `[0, size)`. */
function coveredElements(start: number, kernel: number, dilation: number, size: number): number {
  const first = Math.max(Math.ceil(-start / dilation), 0);
  const last = Math.min(Math.floor((size - 1 - start) / dilation), kernel - 1);
  return Math.max(last - first + 1, 0);
}
