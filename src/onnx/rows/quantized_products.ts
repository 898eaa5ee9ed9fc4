/**
 * Matrix products and convolutions of quantised operands, and weights in quantised blocks.
 *
 * @module
 */

import { elementCount } from "../../shape.ts";
import type { NodeView } from "../node.ts";
import { Operand, range } from "../operand.ts";
import { type Build, type Row, rows } from "../row.ts";
import { unsupported } from "../errors.ts";
import { convolution } from "./convolution.ts";
import { withoutVectors } from "./matrix.ts";
import { dequantize, dynamicallyQuantized, filled, quantize, type Quantized } from "./quantization.ts";

/** The exact differences `x - zero` as float32: dequantised with scale 1. */
function centred(x: Operand, zero: Operand | undefined, axis: number): Operand {
  return dequantize({ x, zero, scale: filled(x, "float32", zero?.shape ?? [], 1) }, axis);
}

/**
 * The factors of a matrix product, minus their zero points; vectors become matrices. A has one zero point or one per
 * row, B one or one per column.
 */
function factors(a: Operand, b: Operand, aZero?: Operand, bZero?: Operand): [Operand, Operand] {
  const left = a.rank === 1 ? a.reshape([1, ...a.shape]) : a;
  const right = b.rank === 1 ? b.reshape([...b.shape, 1]) : b;
  return [centred(left, aZero, left.rank - 2), centred(right, bZero, right.rank - 1)];
}

/** How many products can be summed without rounding: float32 is exact for integers up to 2²⁴. */
function exactTerms(a: Operand, b: Operand, aZero?: Operand, bZero?: Operand): number {
  return Math.floor(2 ** 24 / (magnitude(a, aZero) * magnitude(b, bZero)));
}

/** A bound of `|x - zero|`: 128 for int8 if the zero point is known to be 0, otherwise 255. */
function magnitude(x: Operand, zero: Operand | undefined): number {
  const isCentred = !zero || zero.ifKnown()?.bytes.every((byte) => byte === 0);
  return x.type === "int8" && isCentred ? 128 : 255;
}

/** The exact product: splits the inner axis into parts that are exact in float32, and adds them in int32. */
function matMulInteger(_: NodeView, a: Operand, b: Operand, aZero?: Operand, bZero?: Operand): Operand {
  const [left, right] = factors(a, b, aZero, bZero);
  const sum = inParts(
    left.shape.at(-1)!,
    exactTerms(a, b, aZero, bZero),
    (start, count) => left.cut(left.rank - 1, start, count).matmul(right.cut(right.rank - 2, start, count)),
  );
  return withoutVectors(sum, a.rank === 1, b.rank === 1);
}

/** Splits `total` elements into ranges of at most `most`, and adds the results of `compute` in int32. */
function inParts(total: number, most: number, compute: (start: number, count: number) => Operand): Operand {
  return range(0, Math.ceil(total / most))
    .map((i) => compute(i * most, Math.min(most, total - i * most)).cast("int32"))
    .reduce((sum, part) => sum.add(part));
}

/** The dequantised product in float32. A has one scale or one per row, B one or one per column. */
function scaledProduct(a: Quantized, b: Quantized): Operand {
  const [left, right] = factors(a.x, b.x, a.zero, b.zero);
  const fit = (scale: Operand, axis: number) => {
    if (scale.size === 1) return scale.reshape([]);
    return scale.rank > 1 ? scale : scale.along(axis, 2);
  };
  const result = left.matmul(right).mul(fit(a.scale, 0).mul(fit(b.scale, 1)));
  return withoutVectors(result, a.x.rank === 1, b.x.rank === 1);
}

/** Sums in float32: the rounding error is much smaller than a quantisation step of the result. */
const qLinearMatMul: Build = (_, a, aScale, aZero, b, bScale, bZero, scale, zero?) => {
  const left = { x: a, scale: aScale.cast("float32"), zero: aZero };
  const result = scaledProduct(left, { x: b, scale: bScale.cast("float32"), zero: bZero });
  return quantize(result, { scale, zero }, Math.max(0, result.rank - 1));
};

/** Like MatMulInteger, with scales and a bias; the result is floating-point. */
const matMulIntegerToFloat: Build = (_, a, b, aScale, bScale, aZero?, bZero?, bias?) => {
  const result = scaledProduct({ x: a, scale: aScale, zero: aZero }, { x: b, scale: bScale, zero: bZero });
  return bias ? result.add(bias) : result;
};

/** Quantises A, which is float32, with one scale and zero point; B is already quantised. */
const dynamicQuantizeMatMul: Build = (_, a, b, scale, zero?, bias?) => {
  const result = scaledProduct(dynamicallyQuantized(a), { x: b, scale, zero });
  return bias ? result.add(bias) : result;
};

/** The exact convolution: if sums could exceed 2²⁴, splits the channels into parts and adds them in int32. */
function convInteger(node: NodeView, input: Operand, filter: Operand, xZero?: Operand, wZero?: Operand): Operand {
  const [x, w] = [centred(input, xZero, 1), centred(filter, wZero, 0)];
  const terms = exactTerms(input, filter, xZero, wZero);
  const [taps, channels] = [elementCount(w.shape.slice(2)), w.shape[1]!];
  const most = Math.max(1, Math.floor(terms / taps));
  if (most < channels && (node.int("group", 1) !== 1 || taps > terms)) {
    unsupported(
      "sums of more than ${terms} products are inexact in float32, and neither groups nor single channels are split",
    );
  }
  return inParts(
    channels,
    most,
    (start, count) => convolution(node, count < channels ? x.cut(1, start, count) : x, w.cut(1, start, count)),
  );
}

/** Adds the bias before scaling: its scale is the product of the scales of input and filter. */
const qLinearConv: Build = (node, x, xScale, xZero, w, wScale, wZero, scale, zero?, bias?) => {
  const sum = convolution(node, centred(x, xZero, 1), centred(w, wZero, 0), bias?.cast("float32"));
  const filterScale = wScale.size === 1 ? wScale.reshape([]) : wScale.along(1, sum.rank);
  return quantize(sum.mul(xScale.reshape([]).mul(filterScale)), { scale, zero }, 1);
};

/**
 * A product with weights of `bits` bits, quantised in blocks along the inner axis. They are stored as
 * [N, blocks, bytes per block], low bits first.
 */
function matMulNBits(node: NodeView, x: Operand, weights: Operand, scales: Operand, zeros?: Operand): Operand {
  const [, , , , groups, bias] = node.inputs;
  const [inner, columns] = [node.int("K"), node.int("N")];
  const [bits, size] = [node.int("bits", 4), node.int("block_size")];
  if (bits !== 4 && bits !== 8) unsupported(`${bits}-bit weights are not supported`);
  if (groups) unsupported("g_idx is not supported");
  if (zeros && zeros.type !== "uint8") unsupported("zero points that are not uint8 are not supported");
  const blocks = Math.ceil(inner / size);
  const scale = scales.reshape([columns, blocks, 1]);
  // Known weights stay 4-bit, because WebNN packs two per byte in the same order.
  const integers = bits === 8
    ? weights.reshape([columns, blocks, size])
    : uint4(weights, [columns, blocks, size], weights.known("the 4-bit weights").bytes);
  const zero = blockZeros(scale, zeros, columns, bits === 4);
  const matrix = dequantize({ x: integers, scale, zero }, 1).reshape([columns, blocks * size]).cut(1, 0, inner);
  const result = x.matmul(matrix.transpose([1, 0]).cast(x.type));
  return bias ? result.add(bias) : result;
}

/**
 * The zero points of unsigned weights, in the shape of the scales; by default the middle of the range. In the input,
 * each row of 4-bit zero points is padded to whole bytes.
 */
function blockZeros(scale: Operand, zeros: Operand | undefined, rows: number, isPacked: boolean): Operand {
  if (!zeros) return isPacked ? filled(scale, "uint4", scale.shape, 8) : filled(scale, "uint8", scale.shape, 128);
  if (!isPacked) return zeros.reshape(scale.shape);
  const packed = zeros.known("the 4-bit zero points").bytes;
  const blocks = scale.size / rows;
  const bytes = blocks % 2 === 0 ? packed : withoutRowPadding(packed, rows, blocks);
  return uint4(scale, scale.shape, bytes);
}

/** A constant of 4-bit integers, packed two per byte. */
function uint4({ recorder }: Operand, shape: readonly number[], bytes: Uint8Array): Operand {
  return new Operand(recorder, { type: "uint4", shape, bytes });
}

function withoutRowPadding(packed: Uint8Array, rows: number, blocks: number): Uint8Array {
  const bytes = new Uint8Array((rows * blocks + 1) >> 1);
  for (let i = 0; i < rows * blocks; i++) {
    const [row, block] = [Math.floor(i / blocks), i % blocks];
    const nibble = (packed[row * ((blocks + 1) >> 1) + (block >> 1)]! >> (4 * (block & 1))) & 15;
    bytes[i >> 1]! |= nibble << (4 * (i & 1));
  }
  return bytes;
}

/** Gathers rows of quantised blocks, and dequantises them. */
function gatherBlockQuantized(
  node: NodeView,
  stored: Operand,
  indices: Operand,
  scale: Operand,
  zeros?: Operand,
): Operand {
  const isPacked = stored.type === "uint8" && node.int("bits", 4) === 4;
  const shape = isPacked ? stored.shape.with(-1, stored.shape.at(-1)! * 2) : stored.shape;
  const data = isPacked ? uint4(stored, shape, stored.known("the 4-bit weights").bytes) : stored;
  const axis = data.axis(node.int("gather_axis", 0));
  const quantizeAxis = data.axis(node.int("quantize_axis", isPacked ? data.rank - 1 : 1));
  if (axis === quantizeAxis) unsupported("gathering along the quantised axis is not supported");
  if (scale.shape[quantizeAxis]! * node.int("block_size", 128) !== shape[quantizeAxis]) {
    unsupported("a partial last block is not supported");
  }
  const isCentred = isPacked || data.type === "uint8";
  const zero = isCentred ? blockZeros(scale, zeros, scale.size / scale.shape.at(-1)!, isPacked) : zeros;
  const take = (x: Operand) => x.gather(indices, axis);
  // WebNN does not gather 4-bit elements, which share a byte, so all rows are dequantised first.
  if (data.type.endsWith("4")) return take(dequantize({ x: data, scale, zero }, 0));
  return dequantize({ x: take(data), scale: take(scale), zero: zero && take(zero) }, 0);
}

export const quantizedProducts: Row[] = [
  ...rows("", {
    ConvInteger: [10, 2, convInteger],
    MatMulInteger: [10, 2, matMulInteger],
    QLinearConv: [10, 7, qLinearConv],
    QLinearMatMul: [10, 7, qLinearMatMul],
  }),
  ...rows("com.microsoft", {
    DynamicQuantizeMatMul: [1, 3, dynamicQuantizeMatMul],
    GatherBlockQuantized: [1, 3, gatherBlockQuantized],
    MatMulIntegerToFloat: [1, 4, matMulIntegerToFloat],
    MatMulNBits: [1, 3, matMulNBits],
  }),
];
