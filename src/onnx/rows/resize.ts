/**
 * Resize in all its modes, and its predecessor Upsample. Each axis is resized separately.
 *
 * @module
 */

import type { NodeView } from "../node.ts";
import { type Operand, range } from "../operand.ts";
import { type Row, rows } from "../row.ts";
import { unsupported } from "../errors.ts";

/** An axis to resize. */
interface Axis {
  readonly axis: number;
  readonly size: number;
  readonly target: number;
  readonly scale: number;
  /** The range of the axis for tf_crop_and_resize, from 0 to 1. */
  readonly roi: readonly [number, number];
}

/** The mode and its attributes. */
interface Mode {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly coordinates: string;
  readonly nearest: string;
  readonly a: number;
  readonly antialias: boolean;
  readonly excludeOutside: boolean;
  readonly extrapolation: number;
}

function resize(node: NodeView, x: Operand): Operand {
  const mode = modeOf(node);
  const axes = axesOf(node, x, mode.coordinates).filter(({ size, target, scale }) => size !== target || scale !== 1);
  if (axes.some(({ target }) => target < 1)) unsupported("WebNN does not support a size of 0");
  const native = asResample2d(x, axes, mode);
  if (native) return native;
  if (mode.mode !== "nearest" && !x.isFloat) unsupported(`the mode ${mode.mode} is not supported for ${x.type}`);
  const sampled = axes.reduce((x, axis) => sample(x, axis, mode), x);
  return mode.coordinates === "tf_crop_and_resize" ? extrapolated(node, sampled, axes, mode) : sampled;
}

function modeOf(node: NodeView): Mode {
  const mode = node.string("mode", "nearest");
  const name = mode === "bilinear" ? "linear" : mode;
  if (name !== "nearest" && name !== "linear" && name !== "cubic") {
    return unsupported(`the mode ${mode} is not supported`);
  }
  const isOld = node.since < 11;
  return {
    mode: name,
    coordinates: isOld ? "asymmetric" : node.string("coordinate_transformation_mode", "half_pixel"),
    nearest: isOld ? "floor" : node.string("nearest_mode", "round_prefer_floor"),
    a: node.float("cubic_coeff_a", -0.75),
    antialias: node.flag("antialias"),
    excludeOutside: node.flag("exclude_outside"),
    extrapolation: node.float("extrapolation_value", 0),
  };
}

/** Reads the axes to resize, from scales or sizes of all axes or of those in the attribute `axes`. */
function axesOf(node: NodeView, x: Operand, coordinates: string): Axis[] {
  const isOld = node.since < 11;
  const axes = x.axes(node.ints("axes") ?? range(0, x.rank));
  const scales = isOld ? node.inputs[1] : node.inputs[2];
  // From version 11 on, the input with the scales is empty if sizes are given.
  const given = scales && scales.size > 0 ? scales.numbers("scales") : isOld ? node.floats("scales") : undefined;
  const sizes = !isOld && !given ? node.inputs[3]?.numbers("sizes") : undefined;
  const list = given ?? sizes ?? unsupported("scales and sizes are both missing");
  if (list.length !== axes.length) {
    unsupported(`${given ? "scales" : "sizes"} must have ${axes.length} elements, not ${list.length}`);
  }
  const roi = coordinates === "tf_crop_and_resize" ? node.input(1).numbers("roi") : [];
  if (given && roi.some((edge, i) => edge !== (i < axes.length ? 0 : 1))) {
    unsupported("ONNX and its engines compute different output sizes from scales with tf_crop_and_resize");
  }
  const policy = given ? "stretch" : node.string("keep_aspect_ratio_policy", "stretch");
  const ratios = axes.map((axis, i) => given ? given[i]! : list[i]! / x.shape[axis]!);
  const common = policy === "not_larger"
    ? Math.min(...ratios)
    : policy === "not_smaller"
    ? Math.max(...ratios)
    : undefined;
  return axes.map((axis, i) => {
    const size = x.shape[axis]!;
    const part: [number, number] = [roi[i] ?? 0, roi[i + axes.length] ?? 1];
    // Scales such as 0.6 are inexact in float32; the target is floor(size · scale) with the float32 value.
    const scale = common ?? ratios[i]!;
    if (given && coordinates === "align_corners" && Math.abs(size * scale - Math.round(size * scale)) > 1e-4) {
      unsupported(
        `ONNX and its engines compute align_corners differently if size · scale (${size} · ${scale}) is not an integer`,
      );
    }
    const target = common !== undefined ? Math.round(size * common) : given ? Math.floor(size * scale) : list[i]!;
    // A matrix of weights has target · size elements.
    if (!(target >= 1 && target * size <= 2 ** 26)) {
      unsupported(`resizing an axis from ${size} to ${target} elements is not supported`);
    }
    return { axis, size, target, scale, roi: part };
  });
}

/** Uses resample2d() if it is equivalent: it supports two axes, half-pixel centres, and integer targets. */
function asResample2d(x: Operand, axes: readonly Axis[], mode: Mode): Operand | undefined {
  const { coordinates, nearest, antialias } = mode;
  if (x.rank !== 4 || axes.length !== 2 || antialias || !x.isFloat) return undefined;
  if (axes[0]!.axis !== 2 || axes[1]!.axis !== 3) return undefined;
  if (axes.some(({ size, target, scale }) => Math.abs(size * scale - target) > 1e-9)) return undefined;
  const isHalf = coordinates === "half_pixel" ||
    (coordinates === "pytorch_half_pixel" && axes.every(({ target }) => target > 1));
  const isWhole = axes.every(({ scale }) => Number.isInteger(scale));
  // With an integer scale, no position is halfway between elements: half_pixel with rounding equals asymmetric floor.
  const isNearest = mode.mode === "nearest" && isWhole &&
    ((isHalf && nearest.startsWith("round")) || (coordinates === "asymmetric" && nearest === "floor"));
  if (!isNearest && !(mode.mode === "linear" && isHalf)) return undefined;
  const name = isNearest ? "nearest-neighbor" : "linear";
  return x.resample2d({ mode: name, sizes: axes.map(({ target }) => target), axes: [2, 3] });
}

/** The position in the input for an element of the result; `undefined` for an unknown transformation. */
function positionOf(index: number, { size, target, scale, roi }: Axis, coordinates: string): number | undefined {
  switch (coordinates) {
    case "half_pixel":
      return (index + 0.5) / scale - 0.5;
    case "half_pixel_symmetric": {
      const adjustment = target / (scale * size);
      return size / 2 * (1 - adjustment) + (index + 0.5) / scale - 0.5;
    }
    case "pytorch_half_pixel":
      return target > 1 ? (index + 0.5) / scale - 0.5 : 0;
    case "tf_half_pixel_for_nn":
      return (index + 0.5) / scale;
    case "align_corners":
      return target > 1 ? index * (size - 1) / (target - 1) : 0;
    case "asymmetric":
      return index / scale;
    case "tf_crop_and_resize":
      return target > 1
        ? roi[0] * (size - 1) + index * (roi[1] - roi[0]) * (size - 1) / (target - 1)
        : (roi[0] + roi[1]) * (size - 1) / 2;
    default:
      return undefined;
  }
}

const NEAREST: Readonly<Record<string, (position: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_floor: (position) => Math.ceil(position - 0.5),
  round_prefer_ceil: (position) => Math.floor(position + 0.5),
};

/** Resizes one axis by gathering elements, or by a product with a matrix of weights. */
function sample(x: Operand, axis: Axis, mode: Mode): Operand {
  const positions = range(0, axis.target).map((i) => {
    const position = positionOf(i, axis, mode.coordinates);
    return position ?? unsupported(`the coordinate_transformation_mode ${mode.coordinates} is not supported`);
  });
  if (mode.mode === "nearest") {
    const nearest = NEAREST[mode.nearest] ?? unsupported(`the nearest_mode ${mode.nearest} is not supported`);
    // Rounding errors in divisions must not select a neighbour.
    const exact = positions.map((position) => Math.round(position * 2 ** 20) / 2 ** 20);
    const indices = exact.map((position) => Math.min(axis.size - 1, Math.max(0, nearest(position))));
    return x.gatherAt(indices, axis.axis);
  }
  const weights = positions.flatMap((position) => weightsAt(position, axis, mode));
  return timesMatrix(x, x.constant([axis.target, axis.size], weights), axis.axis);
}

/** The weights of all elements of an axis at a position. */
function weightsAt(position: number, { size, scale }: Axis, mode: Mode): number[] {
  const stretch = mode.antialias ? Math.max(1, 1 / scale) : 1;
  const radius = (mode.mode === "linear" ? 1 : 2) * stretch;
  const kernel = mode.mode === "linear" ? (d: number) => Math.max(0, 1 - d) : (d: number) => cubic(d, mode.a);
  const row = new Array<number>(size).fill(0);
  let sum = 0;
  for (let i = Math.floor(position - radius) + 1; i < position + radius; i++) {
    const isOutside = i < 0 || i >= size;
    if (isOutside && mode.excludeOutside) continue;
    const weight = kernel(Math.abs(i - position) / stretch);
    row[Math.min(size - 1, Math.max(0, i))]! += weight;
    sum += weight;
  }
  return row.map((weight) => weight / sum);
}

/** Keys' cubic kernel at a distance; it spans two elements on each side. */
function cubic(d: number, a: number): number {
  if (d >= 2) return 0;
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

/** Multiplies an axis by a matrix: each row has the weights of one element of the result. */
function timesMatrix(x: Operand, matrix: Operand, axis: number): Operand {
  if (x.rank === 1) return matrix.matmul(x.reshape([...x.shape, 1])).reshape([matrix.shape[0]!]);
  if (axis === x.rank - 2) return matrix.matmul(x);
  const order = [...range(0, axis), ...range(axis + 1, x.rank), axis];
  const product = x.transpose(order).matmul(matrix.transpose([1, 0]));
  return product.transpose(range(0, x.rank).map((i) => order.indexOf(i)));
}

/** Elements with positions outside of the input get `extrapolation_value`. */
function extrapolated(node: NodeView, x: Operand, axes: readonly Axis[], mode: Mode): Operand {
  return axes.reduce((x, axis) => {
    const inside = range(0, axis.target).map((i) => {
      const position = positionOf(i, axis, mode.coordinates)!;
      return position >= 0 && position <= axis.size - 1 ? 1 : 0;
    });
    if (!inside.includes(0)) return x;
    const shape = x.shape.map((_, i) => i === axis.axis ? axis.target : 1);
    return node.constant("uint8", shape, inside).where(x, mode.extrapolation);
  }, x);
}

export const resizes: Row[] = rows("", { Resize: [[10, 11, 18], 1, resize], Upsample: [[7, 9], 1, resize] });
