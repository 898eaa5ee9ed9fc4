/**
 * Convolutions and transposed convolutions of one, two and three axes.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { sizeOf } from "../value.ts";
import { along, cut, pick, range } from "./calculation.ts";
import { asTwoAxes, autoPadding, axesOfWindows, padding2d, type Windows, windowsOf } from "./windows.ts";

/** A convolution with the attributes of the node. */
export function convolution(node: NodeView, x: MLOperand, filter: MLOperand, bias?: MLOperand): MLOperand {
  const windows = windowsOf(node, x.shape.slice(2), filter.shape.slice(2));
  return convolve(node, x, filter, windows, node.int("group", 1), bias);
}

function convolve(
  node: NodeView,
  x: MLOperand,
  filter: MLOperand,
  windows: Windows,
  groups: number,
  bias?: MLOperand,
): MLOperand {
  const axes = x.shape.length - 2;
  if (axes === 1) {
    const flat = convolve(node, lift(node, x), lift(node, filter), asTwoAxes(windows), groups, bias);
    return node.reshape(flat, [...flat.shape.slice(0, 2), flat.shape[3]!]);
  }
  if (axes === 3) return convolve3d(node, x, filter, windows, groups, bias);
  if (axes !== 2) return node.refuse(`a convolution over ${axes} spatial axes`);
  const { strides, dilations } = windows;
  const options = { padding: padding2d(windows), strides: [...strides], dilations: [...dilations], groups };
  return node.builder.conv2d(x, filter, { ...options, ...bias && { bias } });
}

/** Reshapes [N, C, L] to [N, C, 1, L]. */
function lift(node: NodeView, x: MLOperand): MLOperand {
  return node.reshape(x, x.shape.toSpliced(2, 0, 1));
}

/** Sums 2-D convolutions over the depth of the filter, with the depth of the input as part of the batch. */
function convolve3d(
  node: NodeView,
  x: MLOperand,
  filter: MLOperand,
  windows: Windows,
  groups: number,
  bias?: MLOperand,
): MLOperand {
  const [n, c, , h, w] = x.shape as [number, number, number, number, number];
  const { kernel, strides, dilations, begin, end, counts } = windows;
  const depthFirst = node.transpose(x, [0, 2, 1, 3, 4]);
  const padded = node.builder.pad(depthFirst, [0, begin[0]!, 0, 0, 0], [0, end[0]!, 0, 0, 0]);
  const count = counts[0]!;
  const plane = axesOfWindows(windows, 1);
  const terms = range(0, kernel[0]!).map((k) => {
    const layers = cut(node, padded, 1, k * dilations[0]!, count, strides[0]!);
    const batch = node.reshape(layers, [n * count, c, h, w]);
    return convolve(node, batch, pick(node, filter, 2, k), plane, groups, k === 0 ? bias : undefined);
  });
  const sum = terms.reduce((a, b) => node.builder.add(a, b));
  const apart = node.reshape(sum, [n, count, ...sum.shape.slice(1)]);
  return node.transpose(apart, [0, 2, 1, 3, 4]);
}

function conv(node: NodeView): RowResult {
  return convolution(node, node.input(0), node.input(1), node.optional(2));
}

/** The activation that ONNX Runtime fuses with a convolution, by name and parameters. */
function fusedConv(node: NodeView): RowResult {
  const result = convolution(node, node.input(0), node.input(1), node.optional(2));
  const sum = node.has(3) ? node.builder.add(result, node.input(3)) : result;
  const [alpha, beta] = node.floats("activation_params") ?? [];
  const { builder } = node;
  switch (node.string("activation", "")) {
    case "":
      return sum;
    case "Relu":
      return builder.relu(sum);
    case "Sigmoid":
      return builder.sigmoid(sum);
    case "Tanh":
      return builder.tanh(sum);
    case "LeakyRelu":
      return builder.leakyRelu(sum, { alpha: alpha ?? 0.01 });
    case "HardSigmoid":
      return builder.hardSigmoid(sum, { alpha: alpha ?? 0.2, beta: beta ?? 0.5 });
    case "Clip":
      return builder.clamp(sum, { minValue: alpha ?? -Infinity, maxValue: beta ?? Infinity });
    default:
      return node.refuse(`the activation ${node.string("activation")} is not supported`);
  }
}

/** A transposed convolution. Padding crops the result; positions beyond the reach of the input are zero. */
interface Transposed {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** The first element to keep on each axis; negative if zeros come first. */
  readonly begin: readonly number[];
  readonly counts: readonly number[];
}

function transposedOf(node: NodeView, sizes: readonly number[], kernel: readonly number[]): Transposed {
  const each = (value: number) => sizes.map(() => value);
  const strides = node.ints("strides") ?? each(1);
  const dilations = node.ints("dilations") ?? each(1);
  const extra = node.ints("output_padding") ?? each(0);
  const pads = node.ints("pads") ?? [...each(0), ...each(0)];
  const full = sizes.map((size, i) => (size - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 + extra[i]!);
  const given = node.ints("output_shape")?.slice(-sizes.length);
  if (given && node.string("auto_pad", "NOTSET") === "NOTSET") {
    const begin = given.map((size, i) => Math.ceil(Math.max(0, full[i]! - size) / 2));
    return { kernel, strides, dilations, begin, counts: given };
  }
  const wanted = given ?? sizes.map((size, i) => size * strides[i]!);
  const { begin, end } = autoPadding(node, pads, (i) => Math.max(0, full[i]! - wanted[i]!));
  const isSame = node.string("auto_pad", "NOTSET").startsWith("SAME");
  const counts = full.map((size, i) => isSame ? wanted[i]! : size - begin[i]! - end[i]!);
  return { kernel, strides, dilations, begin, counts };
}

function convTranspose(node: NodeView): RowResult {
  const [x, filter, bias] = [node.input(0), node.input(1), node.optional(2)];
  const transposed = transposedOf(node, x.shape.slice(2), filter.shape.slice(2));
  const groups = node.int("group", 1);
  if (x.shape.length === 4) {
    const direct = direct2d(x, transposed);
    if (direct) return node.builder.convTranspose2d(x, filter, { ...direct, groups, ...bias && { bias } });
  }
  const full = spread(node, x, filter, transposed, groups);
  const fitted = transposed.counts.reduce((y, count, i) => fit(node, y, i + 2, transposed.begin[i]!, count), full);
  return bias ? node.builder.add(fitted, along(node, bias, x.shape.length, 1)) : fitted;
}

/** The options for WebNN's operator, if it can produce the output. */
function direct2d(x: MLOperand, { kernel, strides, dilations, begin, counts }: Transposed) {
  const behind = counts.map((count, i) => {
    return (x.shape[i + 2]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 - begin[i]! - count;
  });
  if (begin.some((size) => size < 0) || behind.some((size, i) => -size >= strides[i]!)) return undefined;
  const end = behind.map((size) => Math.max(0, size));
  return {
    padding: padding2d({ begin, end }),
    strides: [...strides],
    dilations: [...dilations],
    outputPadding: behind.map((size) => Math.max(0, -size)),
  };
}

/** A range of an axis, with zeros outside of the input. */
function fit(node: NodeView, y: MLOperand, axis: number, begin: number, count: number): MLOperand {
  const size = y.shape[axis]!;
  const missing = Math.max(0, begin + count - size);
  const at = (value: number) => y.shape.map((_, i) => i === axis ? value : 0);
  const padded = missing + Math.max(0, -begin) > 0 ? node.builder.pad(y, at(Math.max(0, -begin)), at(missing)) : y;
  return cut(node, padded, axis, Math.max(0, begin), count);
}

/** A transposed convolution without padding. */
function spread(node: NodeView, x: MLOperand, filter: MLOperand, how: Transposed, groups: number): MLOperand {
  const axes = x.shape.length - 2;
  const { strides, dilations } = how;
  if (axes === 2) {
    return node.builder.convTranspose2d(x, filter, { strides: [...strides], dilations: [...dilations], groups });
  }
  if (axes === 1) {
    const twice = { ...how, strides: [1, ...strides], dilations: [1, ...dilations] };
    const flat = spread(node, lift(node, x), lift(node, filter), twice, groups);
    return node.reshape(flat, [...flat.shape.slice(0, 2), flat.shape[3]!]);
  }
  if (axes !== 3) return node.refuse(`a transposed convolution over ${axes} spatial axes`);
  return spread3d(node, x, filter, how, groups);
}

/**
 * Sums over the depth of the filter: each layer of the filter is applied to all layers of the input, `stride` apart.
 */
function spread3d(node: NodeView, x: MLOperand, filter: MLOperand, how: Transposed, groups: number): MLOperand {
  const [n, c, d, h, w] = x.shape as [number, number, number, number, number];
  const [stride, dilation, kernel] = [how.strides[0]!, how.dilations[0]!, how.kernel[0]!];
  const plane = { ...how, strides: how.strides.slice(1), dilations: how.dilations.slice(1) };
  const layers = node.reshape(node.transpose(x, [0, 2, 1, 3, 4]), [n * d, c, h, w]);
  const depth = (d - 1) * stride + (kernel - 1) * dilation + 1;
  const terms = range(0, kernel).map((k) => {
    const flat = spread(node, layers, pick(node, filter, 2, k), plane, groups);
    const shape = flat.shape.slice(1);
    const apart = node.builder.pad(node.reshape(flat, [n, d, 1, sizeOf(shape)]), [0, 0, 0, 0], [0, 0, stride - 1, 0]);
    const spaced = cut(node, node.reshape(apart, [n, d * stride, sizeOf(shape)]), 1, 0, (d - 1) * stride + 1);
    const placed = fit(node, spaced, 1, -k * dilation, depth);
    return node.reshape(placed, [n, depth, ...shape]);
  });
  return node.transpose(terms.reduce((a, b) => node.builder.add(a, b)), [0, 2, 1, 3, 4]);
}

/** Sums overlapping blocks of an image: a transposed convolution whose filters each place one element. */
function col2Im(node: NodeView): RowResult {
  const x = node.input(0);
  const [image, block] = [node.neededNumbers(1, "image_shape"), node.neededNumbers(2, "block_shape")];
  const windows = windowsOf(node, image, block);
  const [n, rows] = x.shape as [number, number];
  const elements = sizeOf(block);
  const channels = rows / elements;
  const one = range(0, elements * elements).map((i) => i % elements === Math.floor(i / elements) ? 1 : 0);
  const filter = node.constant(x.dataType, [elements, 1, ...block], one);
  const columns = node.reshape(x, [n * channels, elements, ...windows.counts]);
  const full = spread(node, columns, filter, { ...windows, counts: image }, 1);
  const fitted = image.reduce((y, size, i) => fit(node, y, i + 2, windows.begin[i]!, size), full);
  return node.reshape(fitted, [n, channels, ...image]);
}

export const convolutions: Row[] = [
  ...rows("", { Col2Im: [[18], col2Im], Conv: [[1], conv], ConvTranspose: [[1], convTranspose] }),
  ...rows("com.microsoft", { FusedConv: [[1], fusedConv] }),
];
