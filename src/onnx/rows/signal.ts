/**
 * Fourier transforms as matrix products, window functions, and inverse trigonometric and hyperbolic functions.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { known } from "../value.ts";
import { calculate, cut, isFloat, pick, range, stack } from "./calculation.ts";
import { typeNamed } from "./elementwise.ts";

/** tan(π/8), the largest argument of the polynomial for arctan. */
const TANGENT_OF_22_5 = 0.4142135623730950;

/** arctan by Cephes' polynomial, after range reduction. */
function arctan(node: NodeView, x: MLOperand): MLOperand {
  const { builder } = node;
  const { greater, where, div, mul, add, sub } = calculate(node);
  const size = builder.abs(x);
  const isLarge = greater(size, 1 / TANGENT_OF_22_5);
  const isMiddle = greater(size, TANGENT_OF_22_5);
  const middle = div(sub(size, 1), add(size, 1));
  const small = where(isLarge, div(-1, size), where(isMiddle, middle, size));
  const offset = where(isLarge, node.scalar(x, Math.PI / 2), where(isMiddle, node.scalar(x, Math.PI / 4), 0));
  const square = mul(small, small);
  const series = [0.0805374449538, -0.138776856032, 0.199777106478, -0.333329491539]
    .reduce<MLOperand | undefined>(
      (sum, term) => sum ? add(mul(sum, square), term) : add(mul(square, 0), term),
      undefined,
    )!;
  return mul(builder.sign(x), add(offset, add(small, mul(mul(series, square), small))));
}

/** arcsin x = 2 arctan(x / (1 + √(1 − x²))), with 1 − x² computed as (1 − x)(1 + x). */
function arcsin(node: NodeView, x: MLOperand): MLOperand {
  const { mul, add, sub, div } = calculate(node);
  const cosine = node.builder.sqrt(mul(sub(1, x), add(x, 1)));
  return mul(arctan(node, div(x, add(cosine, 1))), 2);
}

/** arccos x = 2 arctan(√((1 − x) / (1 + x))) */
function arccos(node: NodeView, x: MLOperand): MLOperand {
  const { mul, add, sub, div } = calculate(node);
  return mul(arctan(node, node.builder.sqrt(div(sub(1, x), add(x, 1)))), 2);
}

/** ln(1 + x) with Kahan's quotient, which is accurate for small x. */
function logOf1Plus(node: NodeView, x: MLOperand): MLOperand {
  const { mul, add, sub, div, equal, where } = calculate(node);
  const u = add(x, 1);
  const rest = sub(u, 1);
  const log = node.builder.log(u);
  const isWhole = node.builder.logicalOr(equal(rest, 0), node.builder.isInfinite(u));
  return where(isWhole, where(equal(rest, 0), x, log), div(mul(log, x), where(equal(rest, 0), 1, rest)));
}

/** sinh: for |x| up to 1 by tanh, which is accurate for small x; otherwise by exponentials. */
function sinh(node: NodeView, x: MLOperand): MLOperand {
  const { mul, sub, div, lesser, where } = calculate(node);
  const half = node.builder.tanh(mul(x, 0.5));
  const small = div(mul(half, 2), sub(1, mul(half, half)));
  return where(lesser(node.builder.abs(x), 1), small, sub(halfExp(node, x, 0.5), halfExp(node, x, -0.5)));
}

function cosh(node: NodeView, x: MLOperand): MLOperand {
  return node.builder.add(halfExp(node, x, 0.5), halfExp(node, x, -0.5));
}

/** ½ exp(2 · part · x) as a product of two exponentials, which overflows only if the result does. */
function halfExp(node: NodeView, x: MLOperand, part: number): MLOperand {
  const { mul } = calculate(node);
  const root = node.builder.exp(mul(x, part));
  return mul(root, mul(root, 0.5));
}

/** sign(x) ln(1 + |x| + x² / (1 + √(x² + 1))); for large x, whose square overflows, ln 2|x|. */
function arsinh(node: NodeView, x: MLOperand): MLOperand {
  const { builder } = node;
  const { mul, add, div, greater, where } = calculate(node);
  const size = builder.abs(x);
  const square = mul(x, x);
  const large = add(builder.log(size), Math.LN2);
  const small = logOf1Plus(node, add(size, div(square, add(builder.sqrt(add(square, 1)), 1))));
  return mul(builder.sign(x), where(greater(size, 1e9), large, small));
}

/** With t = x − 1: ln(1 + t + √(2t + t²)); for large x, ln 2x. */
function arcosh(node: NodeView, x: MLOperand): MLOperand {
  const { mul, add, sub, greater, where } = calculate(node);
  const t = sub(x, 1);
  const small = logOf1Plus(node, add(t, node.builder.sqrt(mul(t, add(t, 2)))));
  return where(greater(x, 1e9), add(node.builder.log(x), Math.LN2), small);
}

/** ½ ln(1 + 2x / (1 − x)) */
function artanh(node: NodeView, x: MLOperand): MLOperand {
  const { mul, sub, div } = calculate(node);
  return mul(logOf1Plus(node, div(mul(x, 2), sub(1, x))), 0.5);
}

/** float16 is computed in float32. */
const inFloat32 = (compute: (node: NodeView, x: MLOperand) => MLOperand) => (node: NodeView): RowResult => {
  const x = node.input(0);
  if (!isFloat(x)) node.refuse(`the type ${x.dataType} is not supported`);
  return node.cast(compute(node, node.cast(x, "float32")), x.dataType);
};

/** The longest transform that is computed as a matrix product. */
const MAXIMUM_LENGTH = 4096;

/** Transforms the last axis of a real and an imaginary part; returns `count` of `length` frequencies. */
function fourier(node: NodeView, real: MLOperand, imaginary: MLOperand | undefined, count: number, inverse: boolean) {
  const { builder } = node;
  const length = real.shape.at(-1)!;
  if (length > MAXIMUM_LENGTH) node.refuse(`a transform of ${length} elements; the limit is ${MAXIMUM_LENGTH}`);
  const table = (f: (angle: number) => number) => {
    const angles = range(0, length * count).map((i) => Math.floor(i / count) * (i % count) % length);
    const divisor = inverse ? length : 1;
    return node.constant(real.dataType, [length, count], angles.map((n) => f(2 * Math.PI * n / length) / divisor));
  };
  const [cos, sin] = [table(Math.cos), table((angle) => inverse ? Math.sin(angle) : -Math.sin(angle))];
  const [a, b] = [builder.matmul(real, cos), builder.matmul(real, sin)];
  const parts = imaginary
    ? [builder.sub(a, builder.matmul(imaginary, sin)), builder.add(b, builder.matmul(imaginary, cos))]
    : [a, b];
  return stack(node, parts, real.shape.length);
}

/** Crops an axis, or pads it with zeros, to a length. */
function inLength(node: NodeView, x: MLOperand, axis: number, length: number): MLOperand {
  const missing = length - x.shape[axis]!;
  if (missing <= 0) return cut(node, x, axis, 0, length);
  return node.builder.pad(x, x.shape.map(() => 0), x.shape.map((_, i) => i === axis ? missing : 0));
}

/** Real [..., 1] or complex [..., 2] numbers. The axis is an attribute before version 20, an input since then. */
function dft(node: NodeView): RowResult {
  const x = node.input(0);
  const rank = x.shape.length;
  const axis = node.axis(node.since >= 20 ? node.number(2, "axis") ?? -2 : node.int("axis", 1), rank);
  const [inverse, onesided] = [node.flag("inverse"), node.flag("onesided")];
  if (inverse && onesided) node.refuse("an inverse one-sided transform");
  const fitted = inLength(node, x, axis, node.number(1, "dft_length") ?? x.shape[axis]!);
  const length = fitted.shape[axis]!;
  const order = [...range(0, rank - 1).filter((i) => i !== axis), axis, rank - 1];
  const moved = node.transpose(fitted, order);
  const [real, imaginary] = range(0, x.shape.at(-1)!).map((i) => {
    const part = pick(node, moved, rank - 1, i);
    return part.shape.length > 1 ? part : node.reshape(part, [1, length]);
  });
  const count = onesided ? Math.floor(length / 2) + 1 : length;
  const result = node.reshape(fourier(node, real!, imaginary, count, inverse), [...moved.shape.slice(0, -2), count, 2]);
  return node.transpose(result, range(0, rank).map((i) => order.indexOf(i)));
}

/** Transforms frames of [batch, length, 1 or 2] that start every `frame_step` elements. */
function stft(node: NodeView): RowResult {
  const x = node.input(0);
  const [batch, total] = x.shape as [number, number];
  const step = node.neededNumber(1, "frame_step");
  const length = node.number(3, "frame_length") ??
    (node.has(2) ? node.shape(2)[0]! : node.refuse("neither a window nor frame_length"));
  const frames = Math.floor((total - length) / step) + 1;
  const indices = range(0, frames * length).map((i) => Math.floor(i / length) * step + i % length);
  const framed = node.builder.gather(x, node.constant("int32", [frames, length], indices), { axis: 1 });
  const window = node.optional(2);
  const parts = range(0, x.shape[2] ?? 1).map((i) => {
    const part = node.reshape(x.shape.length > 2 ? pick(node, framed, 3, i) : framed, [batch, frames, length]);
    return window ? node.builder.mul(part, inLength(node, window, 0, length)) : part;
  });
  const count = node.flag("onesided", true) ? Math.floor(length / 2) + 1 : length;
  return fourier(node, parts[0]!, parts[1], count, false);
}

/** The window a0 − a1 cos(2πn / N) + a2 cos(4πn / N) of a known size. */
const window = (...weights: readonly [number, number, number]) => (node: NodeView): RowResult => {
  const size = node.neededNumber(0, "size");
  const period = node.flag("periodic", true) ? size : size - 1;
  const type = typeNamed(node, node.int("output_datatype", 1));
  if (type !== "float32" && type !== "float16" && type !== "float64") return node.refuse(`a window of type ${type}`);
  const elements = range(0, size).map((n) => {
    const angle = 2 * Math.PI * n / period;
    return weights[0] - weights[1] * Math.cos(angle) + weights[2] * Math.cos(2 * angle);
  });
  return known(type, [size], elements);
};

/** Triangular filters on the mel scale, for the frequencies of a transform. */
function melWeightMatrix(node: NodeView): RowResult {
  const [bands, length, rate, low, high] = range(0, 5).map((i) => node.neededNumber(i)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const type = typeNamed(node, node.int("output_datatype", 1));
  if (type !== "float32" && type !== "float16" && type !== "float64") return node.refuse(`weights of type ${type}`);
  const rows = Math.floor(length / 2) + 1;
  const toMel = (frequency: number) => 2595 * Math.log10(1 + frequency / 700);
  const step = (toMel(high) - toMel(low)) / (bands + 2);
  const bins = range(0, bands + 2).map((i) => {
    const frequency = 700 * (10 ** ((i * step + toMel(low)) / 2595) - 1);
    return Math.floor((length + 1) * frequency / rate);
  });
  const weight = (row: number, band: number) => {
    const [from, top, to] = [bins[band]!, bins[band + 1]!, bins[band + 2]!];
    if (row === top) return 1;
    if (row >= from && row < top) return (row - from) / (top - from);
    return row > top && row < to ? (to - row) / (to - top) : 0;
  };
  return known(type, [rows, bands], range(0, rows * bands).map((i) => weight(Math.floor(i / bands), i % bands)));
}

export const signals: Row[] = rows("", {
  Acos: [[7], inFloat32(arccos)],
  Acosh: [[9], inFloat32(arcosh)],
  Asin: [[7], inFloat32(arcsin)],
  Asinh: [[9], inFloat32(arsinh)],
  Atan: [[7], inFloat32(arctan)],
  Atanh: [[9], inFloat32(artanh)],
  BlackmanWindow: [[17], window(0.42, 0.5, 0.08)],
  Cosh: [[9], inFloat32(cosh)],
  DFT: [[17, 20], dft],
  HammingWindow: [[17], window(25 / 46, 21 / 46, 0)],
  HannWindow: [[17], window(0.5, 0.5, 0)],
  MelWeightMatrix: [[17], melWeightMatrix],
  Sinh: [[9], inFloat32(sinh)],
  STFT: [[17], stft],
});
