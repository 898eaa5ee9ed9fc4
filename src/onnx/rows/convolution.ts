/**
 * Convolutions and transposed convolutions of one, two and three axes.
 *
 * @module
 */

import { elementCount } from "../../shape.ts";
import type { NodeView } from "../node.ts";
import { type Operand, range } from "../operand.ts";
import { type Row, rows } from "../row.ts";
import { unsupported } from "../errors.ts";
import { extentOf, options2d, paddingOf, stepsOf, WHOLE, type Window, windowsOf } from "./windows.ts";

/** A convolution with the attributes of the node. */
export function convolution(node: NodeView, x: Operand, filter: Operand, bias?: Operand): Operand {
  const windows = windowsOf(node, x.shape.slice(2), filter.shape.slice(2));
  return convolve(x, filter, windows, node.int("group", 1), bias);
}

function convolve(
  x: Operand,
  filter: Operand,
  windows: readonly Window[],
  groups: number,
  bias?: Operand,
): Operand {
  if (windows.length === 1) return flat(convolve(lift(x), lift(filter), [WHOLE, ...windows], groups, bias));
  if (windows.length === 3) return convolve3d(x, filter, windows, groups, bias);
  if (windows.length !== 2) return unsupported(`convolutions over ${windows.length} spatial axes are not supported`);
  return x.conv2d(filter, { ...options2d(windows), groups, bias });
}

/** Reshapes [N, C, L] to [N, C, 1, L]. */
function lift(x: Operand): Operand {
  return x.reshape(x.shape.toSpliced(2, 0, 1));
}

/** Reshapes [N, C, 1, L] to [N, C, L]. */
function flat(x: Operand): Operand {
  return x.reshape(x.shape.toSpliced(2, 1));
}

/** A sum of 2-D convolutions, one per layer of the filter. The depth of the input becomes part of the batch. */
function convolve3d(
  x: Operand,
  filter: Operand,
  [depth, ...plane]: readonly Window[],
  groups: number,
  bias?: Operand,
): Operand {
  const { kernel, stride, dilation, begin, end, count } = depth!;
  const [n, c, , h, w] = x.shape as [number, number, number, number, number];
  const padded = x.transpose([0, 2, 1, 3, 4]).padAxis(1, begin, end);
  const terms = range(0, kernel).map((k) => {
    const batch = padded.cut(1, k * dilation, count, stride).reshape([n * count, c, h, w]);
    return convolve(batch, filter.pick(2, k), plane, groups, k === 0 ? bias : undefined);
  });
  const sum = terms.reduce((a, b) => a.add(b));
  return sum.reshape([n, count, ...sum.shape.slice(1)]).transpose([0, 2, 1, 3, 4]);
}

/** ONNX Runtime's fusion of a convolution, an optional addend, and an activation. */
function fusedConv(node: NodeView, x: Operand, filter: Operand, bias?: Operand, addend?: Operand): Operand {
  const result = convolution(node, x, filter, bias);
  const name = node.string("activation", "");
  const activated = activation(addend ? result.add(addend) : result, name, node.floats("activation_params") ?? []);
  return activated ?? unsupported(`the activation ${name} is not supported`);
}

function activation(x: Operand, name: string, [alpha, beta]: readonly number[]): Operand | undefined {
  switch (name) {
    case "":
      return x;
    case "Relu":
      return x.relu();
    case "Sigmoid":
      return x.sigmoid();
    case "Tanh":
      return x.tanh();
    case "LeakyRelu":
      return x.leakyRelu({ alpha: alpha ?? 0.01 });
    case "HardSigmoid":
      return x.hardSigmoid({ alpha: alpha ?? 0.2, beta: beta ?? 0.5 });
    case "Clip":
      return x.clamp({ minValue: alpha, maxValue: beta });
    default:
      return undefined;
  }
}

/**
 * The windows of a transposed convolution: of the full result, `begin` elements are cropped, and the next `count` are
 * kept. A negative `begin` adds zeros at the start. Elements after the end of the full result are zero.
 */
function transposedWindows(node: NodeView, sizes: readonly number[], kernel: readonly number[]): Window[] {
  const axes = sizes.length;
  const { strides, dilations } = stepsOf(node, axes);
  const extra = node.ints("output_padding") ?? sizes.map(() => 0);
  const given = node.ints("output_shape")?.slice(-axes);
  const mode = node.string("auto_pad", "NOTSET");
  return sizes.map((size, i) => {
    const window = { kernel: kernel[i]!, stride: strides[i]!, dilation: dilations[i]!, end: 0 };
    const full = (size - 1) * window.stride + extentOf(window) + extra[i]!;
    if (given && mode === "NOTSET") {
      return { ...window, begin: Math.ceil(Math.max(0, full - given[i]!) / 2), count: given[i]! };
    }
    const wanted = given?.[i] ?? size * window.stride;
    const [begin, end] = paddingOf(node, i, axes, Math.max(0, full - wanted));
    return { ...window, begin, count: mode.startsWith("SAME") ? wanted : full - begin - end };
  });
}

function convTranspose(node: NodeView, x: Operand, filter: Operand, bias?: Operand): Operand {
  const windows = transposedWindows(node, x.shape.slice(2), filter.shape.slice(2));
  const groups = node.int("group", 1);
  const options = x.rank === 4 ? optionsOfTransposed(x, windows) : undefined;
  if (options) return x.convTranspose2d(filter, { ...options, groups, bias });
  const result = fitAll(spread(x, filter, windows, groups), windows);
  return bias ? result.add(bias.along(1, x.rank)) : result;
}

/** The options for WebNN's operator, or `undefined` if it cannot produce the output. */
function optionsOfTransposed(x: Operand, windows: readonly Window[]) {
  const behind = windows.map((window, i) =>
    (x.shape[i + 2]! - 1) * window.stride + extentOf(window) - window.begin - window.count
  );
  if (windows.some(({ begin, stride }, i) => begin < 0 || -behind[i]! >= stride)) return undefined;
  return {
    ...options2d(windows.map((window, i) => ({ ...window, end: Math.max(0, behind[i]!) }))),
    outputPadding: behind.map((size) => Math.max(0, -size)),
  };
}

/** Crops and pads the full result of a transposed convolution, on all spatial axes. */
function fitAll(y: Operand, windows: readonly Window[]): Operand {
  return windows.reduce((y, { begin, count }, i) => fit(y, i + 2, begin, count), y);
}

/** `count` elements of an axis from `begin` on; elements outside of the input are zero. */
function fit(y: Operand, axis: number, begin: number, count: number): Operand {
  const padded = y.padAxis(axis, Math.max(0, -begin), Math.max(0, begin + count - y.shape[axis]!));
  return padded.cut(axis, Math.max(0, begin), count);
}

/** A transposed convolution without padding. */
function spread(x: Operand, filter: Operand, windows: readonly Window[], groups: number): Operand {
  if (windows.length === 1) return flat(spread(lift(x), lift(filter), [WHOLE, ...windows], groups));
  if (windows.length === 3) return spread3d(x, filter, windows, groups);
  if (windows.length !== 2) {
    return unsupported(`transposed convolutions over ${windows.length} spatial axes are not supported`);
  }
  const { strides, dilations } = options2d(windows);
  return x.convTranspose2d(filter, { strides, dilations, groups });
}

/**
 * A sum of 2-D transposed convolutions, one per layer of the filter. Each takes all layers of the input; its results
 * are placed `stride` apart.
 */
function spread3d(x: Operand, filter: Operand, [depth, ...plane]: readonly Window[], groups: number): Operand {
  const { kernel, stride, dilation } = depth!;
  const [n, c, d, h, w] = x.shape as [number, number, number, number, number];
  const layers = x.transpose([0, 2, 1, 3, 4]).reshape([n * d, c, h, w]);
  const length = (d - 1) * stride + extentOf(depth!);
  const terms = range(0, kernel).map((k) => {
    const term = spread(layers, filter.pick(2, k), plane, groups);
    const shape = term.shape.slice(1);
    const apart = term.reshape([n, d, 1, elementCount(shape)]).padAxis(2, 0, stride - 1);
    const spaced = apart.reshape([n, d * stride, elementCount(shape)]).cut(1, 0, (d - 1) * stride + 1);
    return fit(spaced, 1, -k * dilation, length).reshape([n, length, ...shape]);
  });
  return terms.reduce((a, b) => a.add(b)).transpose([0, 2, 1, 3, 4]);
}

/** Sums overlapping blocks of an image: a transposed convolution with one filter per element of a block. */
function col2Im(node: NodeView, x: Operand, imageShape: Operand, blockShape: Operand): Operand {
  const [image, block] = [imageShape.numbers("image_shape"), blockShape.numbers("block_shape")];
  const windows = windowsOf(node, image, block);
  const elements = elementCount(block);
  const [n, channels] = [x.shape[0]!, x.shape[1]! / elements];
  const one = range(0, elements * elements).map((i) => i % elements === Math.floor(i / elements) ? 1 : 0);
  const filter = x.constant([elements, 1, ...block], one);
  const columns = x.reshape([n * channels, elements, ...windows.map(({ count }) => count)]);
  const full = spread(columns, filter, windows, 1);
  return fitAll(full, windows.map((window, i) => ({ ...window, count: image[i]! }))).reshape([n, channels, ...image]);
}

export const convolutions: Row[] = [
  ...rows("", { Col2Im: [18, 3, col2Im], Conv: [1, 2, convolution], ConvTranspose: [1, 2, convTranspose] }),
  ...rows("com.microsoft", { FusedConv: [1, 2, fusedConv] }),
];
