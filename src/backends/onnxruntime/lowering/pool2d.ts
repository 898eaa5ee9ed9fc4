/**
 * Lowering of pools. ONNX Runtime rejects padding as large as the window, does not support empty windows, and finds the
 * maximum of few data types. In those cases, the input is padded explicitly, and windows are computed from slices.
 *
 * @module
 */

import { integerRange, isFloat, type MLOperandDataType } from "../../../data_type.ts";
import { type Windows, windowsOf } from "../../../graph/windows.ts";
import type { NodeOf } from "../../../ops/operators.ts";
import type { pools as rows } from "../../../ops/pool2d.ts";
import type { Value } from "../../../graph/graph.ts";
import type { OnnxAttributes } from "../onnx.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import { isAboveMinusInfinity } from "./bounds.ts";
import { fromNchw, onnxPads, toNchw } from "./layout.ts";
import type { Lowering } from "./lowering.ts";

/** The smallest finite numbers. */
const LEAST_FLOAT32 = -(2 - 2 ** -23) * 2 ** 127;
const LEAST_FLOAT16 = -65504;

type PoolNode = NodeOf<"averagePool2d"> | NodeOf<"l2Pool2d"> | NodeOf<"maxPool2d">;

/** Whether ONNX Runtime's own padding works. */
function isPlain({ kernel, padding, covered }: Windows): boolean {
  return padding.every((size, i) => size < kernel[i >> 1]!) && !hasEmpty({ covered });
}

/** Whether a window covers only padding. */
function hasEmpty({ covered }: Pick<Windows, "covered">): boolean {
  return covered.some((counts) => counts.includes(0));
}

function windowAttributes({ kernel, padding, strides, dilations }: Windows): OnnxAttributes {
  return { kernel_shape: kernel, pads: onnxPads(padding), strides, dilations };
}

/** The attributes of windows over an input that is already padded. */
function unpaddedAttributes({ kernel, strides, dilations }: Windows): OnnxAttributes {
  return { kernel_shape: kernel, strides, dilations };
}

/** The input in NCHW, padded. */
function padded(input: Operand, value: number | bigint, { dataType, padding }: Windows, onnx: OnnxWriter): Operand {
  if (padding.every((size) => size === 0)) return input;
  const [top, left, bottom, right] = onnxPads(padding) as [number, number, number, number];
  return onnx.node("Pad", [input, onnx.ints([0, 0, top, left, 0, 0, bottom, right]), onnx.scalar(dataType, value)]);
}

/**
 * A constant with one value per output row (side 0) or column (side 1), computed from the number of covered elements.
 */
function perSide(
  dataType: MLOperandDataType | "bool",
  side: number,
  { covered }: Windows,
  value: (count: number) => number,
  onnx: OnnxWriter,
): Operand {
  const counts = covered[side]!;
  return onnx.constant(dataType, [1, 1, 1, 1].with(side + 2, counts.length), counts.map(value));
}

/** Lowers a pool with a function on NCHW. */
function pool(lower: (image: Operand, windows: Windows, onnx: OnnxWriter, input: Value) => Operand) {
  return (node: PoolNode, onnx: OnnxWriter): Operand => {
    const { attributes: { layout }, operands: { input } } = node;
    return fromNchw(lower(toNchw(input, layout, onnx), windowsOf(node), onnx, input), layout, onnx);
  };
}

const averagePool2d = pool((input, windows, onnx) => {
  if (windows.isGlobal) return onnx.node("GlobalAveragePool", [input]);
  // ONNX Runtime turns an AveragePool between quantised values into a QLinearAveragePool, which fails if it has the
  // attribute dilations.
  if (isPlain(windows) && windows.dilations.every((dilation) => dilation === 1)) {
    const { dilations: _, ...attributes } = windowAttributes(windows);
    return onnx.node("AveragePool", [input], { ...attributes, count_include_pad: 0 });
  }
  // In float32, because sums may overflow float16. An empty window has the mean 0.
  const image = onnx.cast(padded(input, 0, windows, onnx), "float32");
  const total = foldWindows("Sum", image, windows, onnx);
  const share = (side: number) => perSide("float32", side, windows, (count) => count === 0 ? 0 : 1 / count, onnx);
  const mean = onnx.node("Mul", [onnx.node("Mul", [total, share(0)]), share(1)]);
  return onnx.cast(mean, windows.dataType);
});

const l2Pool2d = pool((input, windows, onnx) => {
  if (windows.isGlobal) return onnx.node("GlobalLpPool", [input], { p: 2 });
  if (isPlain(windows)) return onnx.node("LpPool", [input], { ...windowAttributes(windows), p: 2 });
  return onnx.node("LpPool", [padded(input, 0, windows, onnx)], { ...unpaddedAttributes(windows), p: 2 });
});

const maxPool2d = pool((image, windows, onnx, input) => {
  const { dataType } = windows;
  if (isFloat(dataType)) return maxOfFloats(image, windows, isAboveMinusInfinity(input, onnx), onnx);
  const hasKernel = dataType === "int8" || dataType === "uint8";
  if (hasKernel && isPlain(windows)) return onnx.node("MaxPool", [image], windowAttributes(windows));
  const whole = padded(image, integerRange(dataType).min, windows, onnx);
  const maximum = hasKernel
    ? onnx.node("MaxPool", [whole], unpaddedAttributes(windows))
    : foldWindows("Max", whole, windows, onnx);
  return hasEmpty(windows) ? zeroWhereEmpty(maximum, windows, onnx) : maximum;
});

function maxOfFloats(
  image: Operand,
  windows: Windows,
  isBounded: boolean,
  onnx: OnnxWriter,
): Operand {
  const isExplicit = !windows.isGlobal && !isPlain(windows);
  const whole = isExplicit ? padded(image, -Infinity, windows, onnx) : image;
  const attributes = isExplicit ? unpaddedAttributes(windows) : windowAttributes(windows);
  const find = (values: Operand) =>
    windows.isGlobal ? onnx.node("GlobalMaxPool", [values]) : onnx.node("MaxPool", [values], attributes);
  const maximum = isBounded ? find(whole) : orMinusInfinity(find, whole, windows.dataType, onnx);
  return hasEmpty(windows) ? zeroWhereEmpty(maximum, windows, onnx) : maximum;
}

/**
 * Kernels start from the smallest finite number, which remains if a window has only −Infinity. The maximum of the
 * halved elements is that number only in this case.
 */
function orMinusInfinity(
  find: (values: Operand) => Operand,
  whole: Operand,
  dataType: MLOperandDataType,
  onnx: OnnxWriter,
): Operand {
  const scalar = (value: number) => onnx.scalar(dataType, value);
  const halves = find(onnx.node("Mul", [whole, scalar(0.5)]));
  const isInfinite = onnx.node("Equal", [halves, scalar(dataType === "float16" ? LEAST_FLOAT16 : LEAST_FLOAT32)]);
  return onnx.node("Where", [isInfinite, scalar(-Infinity), find(whole)]);
}

/** WPT: the maximum of an empty window is 0. */
function zeroWhereEmpty(maximum: Operand, windows: Windows, onnx: OnnxWriter): Operand {
  const { dataType } = windows;
  return [0, 1].reduce<Operand>((value, side) => {
    // ONNX Runtime's Where does not support some integer types; a bit mask does the same.
    if (!isFloat(dataType)) {
      return onnx.node("BitwiseAnd", [value, perSide(dataType, side, windows, (count) => count === 0 ? 0 : -1, onnx)]);
    }
    const isCovered = perSide("bool", side, windows, (count) => count === 0 ? 0 : 1, onnx);
    return onnx.node("Where", [isCovered, value, onnx.scalar(dataType, 0)]);
  }, maximum);
}

/**
 * Combines the elements of each window, first vertically, then horizontally: one slice per window element in that
 * direction.
 */
function foldWindows(op: "Max" | "Sum", image: Operand, windows: Windows, onnx: OnnxWriter): Operand {
  return [0, 1].reduce<Operand>((input, side) => {
    const [stride, dilation] = [windows.strides[side]!, windows.dilations[side]!];
    const span = (windows.outputSizes[side]! - 1) * stride + 1;
    const slices = Array.from({ length: windows.kernel[side]! }, (_, k) => {
      const bounds = [k * dilation, k * dilation + span, side + 2, stride].map((value) => onnx.ints([value]));
      return onnx.node("Slice", [input, ...bounds]);
    });
    return slices.length === 1 ? slices[0] : onnx.node(op, slices);
  }, image);
}

export const pools = { averagePool2d, l2Pool2d, maxPool2d } satisfies { [Name in keyof typeof rows]: Lowering<Name> };
