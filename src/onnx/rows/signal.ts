/**
 * Fourier transforms as matrix products, window functions, and inverse trigonometric and hyperbolic functions.
 *
 * @module
 */

import type { NodeView } from "../node.ts";
import { type Operand, range, stack } from "../operand.ts";
import { type Build, type Row, rows } from "../row.ts";
import { unsupported } from "../errors.ts";

/** tan(π/8), the largest argument of the polynomial for arctan. */
const TANGENT_OF_22_5 = 0.4142135623730950;

/** arctan by Cephes' polynomial, after range reduction. */
function arctan(x: Operand): Operand {
  const size = x.abs();
  const isLarge = size.greater(1 / TANGENT_OF_22_5);
  const isMiddle = size.greater(TANGENT_OF_22_5);
  const middle = size.sub(1).div(size.add(1));
  const small = isLarge.where(x.scalar(-1).div(size), isMiddle.where(middle, size));
  const offset = isLarge.where(x.scalar(Math.PI / 2), isMiddle.where(x.scalar(Math.PI / 4), 0));
  const square = small.mul(small);
  const series = [-0.138776856032, 0.199777106478, -0.333329491539]
    .reduce((sum, term) => sum.mul(square).add(term), x.scalar(0.0805374449538));
  return x.sign().mul(offset.add(small.add(series.mul(square).mul(small))));
}

/** arcsin x = 2 arctan(x / (1 + √(1 − x²))), with 1 − x² computed as (1 − x)(1 + x). */
function arcsin(x: Operand): Operand {
  const cosine = x.scalar(1).sub(x).mul(x.add(1)).sqrt();
  return arctan(x.div(cosine.add(1))).mul(2);
}

/** arccos x = 2 arctan(√((1 − x) / (1 + x))) */
function arccos(x: Operand): Operand {
  return arctan(x.scalar(1).sub(x).div(x.add(1)).sqrt()).mul(2);
}

/** ln(1 + x) with Kahan's quotient, which is accurate for small x. */
function logOf1Plus(x: Operand): Operand {
  const u = x.add(1);
  const rest = u.sub(1);
  const isTiny = rest.equal(0);
  const quotient = u.log().mul(x).div(isTiny.where(1, rest));
  return isTiny.where(x, u.isInfinite().where(u.log(), quotient));
}

/** sinh: for |x| up to 1 by tanh, which is accurate for small x; otherwise by exponentials. */
function sinh(x: Operand): Operand {
  const half = x.mul(0.5).tanh();
  const small = half.mul(2).div(x.scalar(1).sub(half.mul(half)));
  return x.abs().lesser(1).where(small, halfExp(x, 0.5).sub(halfExp(x, -0.5)));
}

function cosh(x: Operand): Operand {
  return halfExp(x, 0.5).add(halfExp(x, -0.5));
}

/** ½ exp(2 · part · x) as a product of two exponentials, which overflows only if the result does. */
function halfExp(x: Operand, part: number): Operand {
  const root = x.mul(part).exp();
  return root.mul(root.mul(0.5));
}

/** sign(x) ln(1 + |x| + x² / (1 + √(x² + 1))); for large x, whose square overflows, ln 2|x|. */
function arsinh(x: Operand): Operand {
  const size = x.abs();
  const square = x.mul(x);
  const large = size.log().add(Math.LN2);
  const small = logOf1Plus(size.add(square.div(square.add(1).sqrt().add(1))));
  return x.sign().mul(size.greater(1e9).where(large, small));
}

/** With t = x − 1: ln(1 + t + √(2t + t²)); for large x, ln 2x. */
function arcosh(x: Operand): Operand {
  const t = x.sub(1);
  const small = logOf1Plus(t.add(t.mul(t.add(2)).sqrt()));
  return x.greater(1e9).where(x.log().add(Math.LN2), small);
}

/** ½ ln(1 + 2x / (1 − x)) */
function artanh(x: Operand): Operand {
  return logOf1Plus(x.mul(2).div(x.scalar(1).sub(x))).mul(0.5);
}

/** Computes in float32, also for operands of another floating-point type. */
const inFloat32 = (compute: (x: Operand) => Operand): Build => (_, x) =>
  x.isFloat ? compute(x.cast("float32")).cast(x.type) : unsupported(`the type ${x.type} is not supported`);

/** The longest transform that is computed as a matrix product. */
const MAXIMUM_LENGTH = 4096;

/** Transforms the last axis of a real part and an optional imaginary part; returns the first `count` frequencies. */
function fourier([real, imaginary]: readonly Operand[], count: number, inverse: boolean): Operand {
  const length = real!.shape.at(-1)!;
  if (length > MAXIMUM_LENGTH) unsupported(`the transform has ${length} elements; the limit is ${MAXIMUM_LENGTH}`);
  const divisor = inverse ? length : 1;
  const table = (f: (angle: number) => number) => {
    const turns = range(0, length * count).map((i) => Math.floor(i / count) * (i % count) % length / length);
    return real!.constant([length, count], turns.map((turn) => f(2 * Math.PI * turn) / divisor));
  };
  const [cos, sin] = [table(Math.cos), table((angle) => inverse ? Math.sin(angle) : -Math.sin(angle))];
  const [a, b] = [real!.matmul(cos), real!.matmul(sin)];
  const parts = imaginary ? [a.sub(imaginary.matmul(sin)), b.add(imaginary.matmul(cos))] : [a, b];
  return stack(parts, real!.rank);
}

/** Crops an axis, or pads it with zeros, to a length. */
function inLength(x: Operand, axis: number, length: number): Operand {
  const missing = length - x.shape[axis]!;
  return missing > 0 ? x.padAxis(axis, 0, missing) : x.cut(axis, 0, length);
}

/**
 * Transforms real numbers [..., 1] or complex numbers [..., 2]. The axis is an attribute before version 20, and an
 * input since then.
 */
function dft(node: NodeView, x: Operand, dftLength?: Operand, axisInput?: Operand): Operand {
  const { rank } = x;
  const axis = x.axis(node.since >= 20 ? axisInput?.number("axis") ?? -2 : node.int("axis", 1));
  const [inverse, onesided] = [node.flag("inverse"), node.flag("onesided")];
  if (inverse && onesided) unsupported("inverse and onesided together are not supported");
  const length = dftLength?.number("dft_length") ?? x.shape[axis]!;
  const order = [...range(0, rank - 1).filter((i) => i !== axis), axis, rank - 1];
  const moved = inLength(x, axis, length).transpose(order);
  const parts = range(0, x.shape.at(-1)!).map((i) => {
    const part = moved.pick(rank - 1, i);
    return part.rank > 1 ? part : part.reshape([1, length]);
  });
  const count = onesided ? Math.floor(length / 2) + 1 : length;
  const result = fourier(parts, count, inverse).reshape([...moved.shape.slice(0, -2), count, 2]);
  return result.transpose(range(0, rank).map((i) => order.indexOf(i)));
}

/** Cuts signals [batch, length, 1 or 2] into frames, one every `frame_step` elements, and transforms each. */
function stft(node: NodeView, x: Operand, frameStep: Operand, window?: Operand, frameLength?: Operand): Operand {
  const [batch, total, components = 1] = x.shape as [number, number, number?];
  const step = frameStep.number("frame_step");
  const length = frameLength?.number("frame_length") ?? window?.size ??
    unsupported("window and frame_length are both missing");
  const frames = Math.floor((total - length) / step) + 1;
  const indices = range(0, frames * length).map((i) => Math.floor(i / length) * step + i % length);
  const framed = x.gather(node.constant("int32", [frames, length], indices), 1);
  const parts = range(0, components).map((i) => {
    const part = (x.rank > 2 ? framed.pick(3, i) : framed).reshape([batch, frames, length]);
    return window ? part.mul(inLength(window, 0, length)) : part;
  });
  const count = node.flag("onesided", true) ? Math.floor(length / 2) + 1 : length;
  return fourier(parts, count, false);
}

/** The floating-point type in the attribute `output_datatype`. */
function outputType(node: NodeView): "float32" | "float16" | "float64" {
  const type = node.elementType("output_datatype") ?? "float32";
  if (type === "float32" || type === "float16" || type === "float64") return type;
  return unsupported(`a result of type ${type} is not supported`);
}

/** The window a0 − a1 cos(2πn / N) + a2 cos(4πn / N) of a known size. */
const window = (a0: number, a1: number, a2: number): Build => (node, sizeInput) => {
  const size = sizeInput.number("size");
  const period = node.flag("periodic", true) ? size : size - 1;
  const elements = range(0, size).map((n) => {
    const angle = 2 * Math.PI * n / period;
    return a0 - a1 * Math.cos(angle) + a2 * Math.cos(2 * angle);
  });
  return node.constant(outputType(node), [size], elements);
};

/** Triangular filters on the mel scale, for the frequencies of a transform. */
const melWeightMatrix: Build = (node, bandsInput, lengthInput, rateInput, lowInput, highInput) => {
  const [bands, length] = [bandsInput.number("num_mel_bins"), lengthInput.number("dft_length")];
  const [low, high] = [toMel(lowInput.number("lower_edge_hertz")), toMel(highInput.number("upper_edge_hertz"))];
  const rate = rateInput.number("sample_rate");
  const rows = Math.floor(length / 2) + 1;
  const bins = range(0, bands + 2).map((i) => {
    const frequency = 700 * (10 ** ((i * (high - low) / (bands + 2) + low) / 2595) - 1);
    return Math.floor((length + 1) * frequency / rate);
  });
  const weight = (row: number, band: number) => {
    const [from, top, to] = bins.slice(band, band + 3) as [number, number, number];
    if (row === top) return 1;
    if (row >= from && row < top) return (row - from) / (top - from);
    return row > top && row < to ? (to - row) / (to - top) : 0;
  };
  const weights = range(0, rows).flatMap((row) => range(0, bands).map((band) => weight(row, band)));
  return node.constant(outputType(node), [rows, bands], weights);
};

function toMel(frequency: number): number {
  return 2595 * Math.log10(1 + frequency / 700);
}

export const signals: Row[] = rows("", {
  Acos: [7, 1, inFloat32(arccos)],
  Acosh: [9, 1, inFloat32(arcosh)],
  Asin: [7, 1, inFloat32(arcsin)],
  Asinh: [9, 1, inFloat32(arsinh)],
  Atan: [7, 1, inFloat32(arctan)],
  Atanh: [9, 1, inFloat32(artanh)],
  BlackmanWindow: [17, 1, window(0.42, 0.5, 0.08)],
  Cosh: [9, 1, inFloat32(cosh)],
  DFT: [[17, 20], 1, dft],
  HammingWindow: [17, 1, window(25 / 46, 21 / 46, 0)],
  HannWindow: [17, 1, window(0.5, 0.5, 0)],
  MelWeightMatrix: [17, 5, melWeightMatrix],
  Sinh: [9, 1, inFloat32(sinh)],
  STFT: [17, 2, stft],
});
