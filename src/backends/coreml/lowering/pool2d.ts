/**
 * Lowering of pools. MIL's pools have no dilations and no explicit output sizes, and support only floats. Other pools
 * are computed from slices, one per element of the window.
 *
 * @module
 */

import { integerRange, isFloat } from "../../../data_type.ts";
import { type Windows, windowsOf } from "../../../graph/windows.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { pools as rows } from "../../../ops/pool2d.ts";
import type { MilValue } from "../mil.ts";
import type { MilInputs, MilWriter } from "../mil_writer.ts";
import { fromNchw, toNchw } from "./layout.ts";
import type { Lowering } from "./lowering.ts";
import { surrounded } from "./padding.ts";
import { inFloat32 } from "./precision.ts";

type PoolNode = NodeOf<"averagePool2d"> | NodeOf<"l2Pool2d"> | NodeOf<"maxPool2d">;

/** Whether MIL's pools can compute it: no dilations, and every window covers at least one input element. */
function isPlain({ kernel, padding, dilations, covered }: Windows): boolean {
  return dilations.every((dilation) => dilation === 1) && padding.every((size, i) => size < kernel[i >> 1]!) &&
    !covered.some((counts) => counts.includes(0));
}

/** The three ways to compute a kind of pool. */
interface Pool {
  /** A reduction over height and width, if the window is the whole image. */
  readonly global: (x: MilValue, axes: readonly number[], mil: MilWriter) => MilValue;
  readonly plain: (x: MilValue, windows: Windows, mil: MilWriter) => MilValue;
  /** From slices; also for integers. */
  readonly sliced: (x: MilValue, windows: Windows, mil: MilWriter) => MilValue;
}

function pool({ global, plain, sliced }: Pool) {
  return (node: PoolNode, mil: MilWriter): MilValue => {
    const { operands: { input }, attributes: { layout } } = node;
    const windows = windowsOf(node);
    if (windows.isGlobal) return global(mil.value(input), layout === "nchw" ? [2, 3] : [1, 2], mil);
    const apply = isFloat(input.dataType) && isPlain(windows) ? plain : sliced;
    return fromNchw(apply(toNchw(mil.value(input), layout, mil), windows, mil), layout, mil);
  };
}

function reduction(type: string) {
  return (x: MilValue, axes: readonly number[], mil: MilWriter): MilValue => mil.reduce(type, x, axes);
}

/** MIL's pool. Padding at the end is explicit, so that no size has to be rounded up. */
function milPool(type: string, parameters: (mil: MilWriter) => MilInputs = () => ({})) {
  return (x: MilValue, { kernel, strides, padding, outputSizes }: Windows, mil: MilWriter): MilValue =>
    mil.op(type, {
      x,
      kernel_sizes: mil.ints(kernel),
      strides: mil.ints(strides),
      pad_type: mil.text("custom"),
      pad: mil.ints(padding),
      ceil_mode: mil.bool(false),
      ...parameters(mil),
    }, { dataType: x.dataType, shape: [...x.shape.slice(0, 2), ...outputSizes] });
}

/**
 * Combines the elements of each window, first vertically, then horizontally: one slice per window element in that
 * direction.
 */
function foldWindows(type: string, image: MilValue, windows: Windows, mil: MilWriter): MilValue {
  return [0, 1].reduce((input, side) => {
    const axis = side + 2;
    const [stride, dilation] = [windows.strides[side]!, windows.dilations[side]!];
    const span = (windows.outputSizes[side]! - 1) * stride + 1;
    const slices = Array.from({ length: windows.kernel[side]! }, (_, k) => {
      const begin = [0, 0, 0, 0].with(axis, k * dilation);
      const end = input.shape.with(axis, k * dilation + span);
      return mil.slice(input, begin, end, [1, 1, 1, 1].with(axis, stride));
    });
    return slices.reduce((total, slice) => mil.binary(type, total, slice));
  }, image);
}

/** Pads an image. */
function padded(x: MilValue, value: number, { padding }: Windows, mil: MilWriter): MilValue {
  const [top, bottom, left, right] = padding as [number, number, number, number];
  return surrounded(surrounded(x, 2, [top, bottom], value, mil), 3, [left, right], value, mil);
}

/**
 * A constant with one value per output row (side 0) or column (side 1), computed from the number of covered elements.
 */
function perSide(
  dataType: "fp32" | "bool",
  side: number,
  { covered }: Windows,
  value: (count: number) => number,
  mil: MilWriter,
): MilValue {
  const counts = covered[side]!;
  return mil.constant(dataType, [1, 1, 1, 1].with(side + 2, counts.length), counts.map(value));
}

const averagePool2d = pool({
  global: reduction("reduce_mean"),
  plain: milPool("avg_pool", (mil) => ({ exclude_padding_from_average: mil.bool(true) })),
  sliced: (x, windows, mil) =>
    inFloat32([x], (x) => {
      const total = foldWindows("add", padded(x, 0, windows, mil), windows, mil);
      // An empty window has the mean 0.
      const share = (side: number) => perSide("fp32", side, windows, (count) => count === 0 ? 0 : 1 / count, mil);
      return mil.binary("mul", mil.binary("mul", total, share(0)), share(1));
    }, mil),
});

/** Sums of squares overflow float16 soon. */
const l2Pool2d = pool({
  global: (x, axes, mil) => inFloat32([x], (x) => mil.reduce("reduce_l2_norm", x, axes), mil),
  plain: (x, windows, mil) => inFloat32([x], (x) => milPool("l2_pool")(x, windows, mil), mil),
  sliced: (x, windows, mil) =>
    inFloat32([x], (x) => {
      const squares = mil.binary("mul", x, x);
      return mil.unary("sqrt", foldWindows("add", padded(squares, 0, windows, mil), windows, mil));
    }, mil),
});

const maxPool2d = pool({
  global: reduction("reduce_max"),
  plain: milPool("max_pool"),
  sliced: (x, windows, mil) => {
    const { dataType } = windows;
    const min = isFloat(dataType) ? -Infinity : Number(integerRange(dataType).min);
    const maximum = foldWindows("maximum", padded(x, min, windows, mil), windows, mil);
    return zeroWhereEmpty(maximum, windows, mil);
  },
});

/** WPT: the maximum of an empty window is 0. */
function zeroWhereEmpty(maximum: MilValue, windows: Windows, mil: MilWriter): MilValue {
  return [0, 1].filter((side) => windows.covered[side]!.includes(0)).reduce((value, side) => {
    const isEmpty = perSide("bool", side, windows, (count) => Number(count === 0), mil);
    return mil.select(isEmpty, mil.scalar(value.dataType, 0), value);
  }, maximum);
}

export const pools = { averagePool2d, l2Pool2d, maxPool2d } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
