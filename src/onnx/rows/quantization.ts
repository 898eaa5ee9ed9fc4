/**
 * Quantised numbers of 4, 8 and 32 bits, and operators on them.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { MLOperandDataType } from "../../data_type.ts";
import type { ElementType } from "../model.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { operandType, sizeOf, type Value } from "../value.ts";
import { along, calculate, cut, join, range } from "./calculation.ts";
import { convolution } from "./convolution.ts";
import { typeNamed } from "./elementwise.ts";

/** The quantised types of ONNX that WebNN has. A computed int32 may represent a 16-bit type of the model. */
const QUANTIZED: readonly ElementType[] = ["int8", "uint8", "int4", "uint4"];

/** The shape of a scale or zero point for WebNN's blockwise quantisation of a shape. */
type BlockShape = (values: { readonly shape: readonly number[] }) => readonly number[];

/** One value for all, one per element of the axis, or one per block of an axis. */
function blocksOf(node: NodeView, shape: readonly number[], axis: number): BlockShape {
  return (values) => {
    const [count = 1, ...others] = values.shape;
    if (others.length > 0) return values.shape;
    const at = count === 1 ? undefined : node.axis(axis, shape.length);
    return shape.map((_, i) => i === at ? count : 1);
  };
}

/** WebNN does not support a partial last block. */
function checkBlocks(node: NodeView, scale: Value, shape: readonly number[]): void {
  const size = node.since >= 21 ? node.int("block_size", 0) : 0;
  if (size === 0) return;
  const axis = node.axis(node.int("axis", 1), shape.length);
  if (scale.shape[axis]! * size !== shape[axis]) node.refuse("a partial last block");
}

/** The zero point in input `i`; 0 by default, in the shape of the scale. */
function zeroPoint(
  node: NodeView,
  i: number,
  type: MLOperandDataType,
  scale: MLOperand,
  blocks: BlockShape = ({ shape }) => shape,
): MLOperand {
  if (node.has(i)) return node.operand(node.value(i), blocks(node.value(i)));
  if (type !== "int4" && type !== "uint4") return node.constant(type, scale.shape, 0);
  const bytes = new Uint8Array((sizeOf(scale.shape) + 1) >> 1);
  return node.operand({ type, shape: scale.shape, bytes });
}

function quantizeLinear(node: NodeView): RowResult {
  const [x, scale] = [node.input(0), node.value(1)];
  const stated = node.since >= 21 ? node.int("output_dtype", 0) : 0;
  const type = node.has(2) ? node.type(2) : stated ? quantizedType(node, stated) : "uint8";
  if (!QUANTIZED.includes(type)) node.refuse(`WebNN cannot quantise to ${type}`);
  checkBlocks(node, scale, x.shape);
  const blocks = blocksOf(node, x.shape, node.int("axis", 1));
  const wideScale = node.cast(node.operand(scale, blocks(scale)), "float32");
  const zero = zeroPoint(node, 2, operandType(type, node.limits), wideScale, blocks);
  return node.builder.quantizeLinear(node.cast(x, "float32"), wideScale, zero);
}

/** Types that `typeNamed` does not know: 4 bits, by their numbers in TensorProto. */
function quantizedType(node: NodeView, code: number): ElementType {
  return code === 21 ? "uint4" : code === 22 ? "int4" : typeNamed(node, code);
}

function dequantizeLinear(node: NodeView): RowResult {
  const [x, values] = [node.value(0), node.value(1)];
  const type = node.type(0);
  if (![...QUANTIZED, "int32"].includes(type)) return dequantizedByFormula(node);
  checkBlocks(node, values, x.shape);
  const blocks = blocksOf(node, x.shape, node.int("axis", 1));
  const scale = node.operand(values, blocks(values));
  const zero = zeroPoint(node, 2, operandType(type, node.limits), scale, blocks);
  const result = node.builder.dequantizeLinear(node.input(0), scale, zero);
  const stated = node.since >= 23 ? node.int("output_dtype", 0) : 0;
  return stated ? node.cast(result, operandType(typeNamed(node, stated), node.limits)) : result;
}

/** Dequantises the 16-bit types, which are represented as int32. */
function dequantizedByFormula(node: NodeView): MLOperand {
  const type = node.type(0);
  if (type !== "int16" && type !== "uint16") return node.refuse(`WebNN cannot dequantise ${type}`);
  const { mul, sub } = calculate(node);
  const x = node.input(0);
  const blocks = blocksOf(node, x.shape, node.int("axis", 1));
  const parameter = (i: number) => node.operand(node.value(i), blocks(node.value(i)));
  if (node.shape(1).length > 1) node.refuse("blockwise dequantisation of 16-bit integers");
  const scale = parameter(1);
  return mul(node.cast(node.has(2) ? sub(x, parameter(2)) : x, scale.dataType), scale);
}

/** A quantised operand with scale and zero point, each with one value or one per element of an axis. */
interface Quantized {
  readonly x: MLOperand;
  readonly scale: MLOperand;
  readonly zero: MLOperand;
}

/** The quantised operand in inputs `i`, `i + 1` and `i + 2`. */
function quantized(node: NodeView, i: number): Quantized {
  return {
    x: node.input(i),
    scale: node.input(i + 1),
    zero: zeroPoint(node, i + 2, node.input(i).dataType, node.input(i + 1)),
  };
}

/** Dequantises to float32. */
function dequantize(node: NodeView, { x, scale, zero }: Quantized, axis: number): MLOperand {
  const blocks = blocksOf(node, x.shape, axis);
  const fit = (values: MLOperand) => node.reshape(values, blocks(values));
  return node.builder.dequantizeLinear(x, fit(node.cast(scale, "float32")), fit(zero));
}

/** Quantises with the scale in input `i` and the zero point in input `i + 1`. */
function quantize(node: NodeView, x: MLOperand, i: number, axis = 1, missing: MLOperandDataType = "uint8"): MLOperand {
  const scale = node.cast(node.input(i), "float32");
  const zero = zeroPoint(node, i + 1, missing, scale);
  const blocks = blocksOf(node, x.shape, axis);
  const fit = (values: MLOperand) => node.reshape(values, blocks(values));
  return node.builder.quantizeLinear(x, fit(scale), fit(zero));
}

/** The integers minus their zero point, exactly, as float32 (dequantised with scale 1). */
function centred(node: NodeView, x: MLOperand, zero: MLOperand | undefined, axis: number): MLOperand {
  const scale = node.constant("float32", zero?.shape ?? [], 1);
  return dequantize(node, { x, scale, zero: zero ?? node.constant(x.dataType, [], 0) }, axis);
}

/** The largest magnitude of centred integers: 128 for int8 without zero point or with a known one of 0. */
function magnitude(node: NodeView, i: number, zero: number): number {
  const isCentred = !node.has(zero) || node.ifKnown(zero)?.bytes.every((byte) => byte === 0);
  return node.type(i) === "int8" && isCentred ? 128 : 255;
}

/** The exact product of centred integers: blocks of `terms` of the inner axis in float32, summed in int32. */
function exactProduct(node: NodeView, a: MLOperand, b: MLOperand, terms: number): MLOperand {
  const inner = a.shape.at(-1)!;
  const axis = a.shape.length - 1;
  const blocks = range(0, Math.ceil(inner / terms)).map((i) => {
    const count = Math.min(terms, inner - i * terms);
    const left = cut(node, a, axis, i * terms, count);
    const right = cut(node, b, b.shape.length - 2, i * terms, count);
    return node.builder.cast(node.builder.matmul(left, right), "int32");
  });
  return blocks.reduce((sum, block) => node.builder.add(sum, block));
}

/** The zero points of A are per row, those of B per column. */
function integerFactors(node: NodeView, a: number, b: number, aZero: number, bZero: number): [MLOperand, MLOperand] {
  const side = (i: number, zero: number, axis: number) => {
    const x = node.input(i);
    const isVector = x.shape.length === 1;
    const matrix = !isVector ? x : node.reshape(x, axis === -2 ? [1, ...x.shape] : [...x.shape, 1]);
    const points = node.optional(zero);
    const isOne = points && sizeOf(points.shape) === 1;
    return centred(node, matrix, isOne ? node.reshape(points, []) : points, isOne ? 0 : matrix.shape.length + axis);
  };
  return [side(a, aZero, -2), side(b, bZero, -1)];
}

/** Removes the axes of size 1 that were added for vectors. */
function withoutVectors(node: NodeView, result: MLOperand, a: number, b: number): MLOperand {
  const shape = [...result.shape];
  if (node.shape(b).length === 1) shape.splice(-1, 1);
  if (node.shape(a).length === 1) shape.splice(node.shape(b).length === 1 ? -1 : -2, 1);
  return node.reshape(result, shape);
}

function matMulInteger(node: NodeView): RowResult {
  const terms = Math.floor(2 ** 24 / (magnitude(node, 0, 2) * magnitude(node, 1, 3)));
  return withoutVectors(node, exactProduct(node, ...integerFactors(node, 0, 1, 2, 3), terms), 0, 1);
}

function qLinearMatMul(node: NodeView): RowResult {
  const [a, b] = integerFactors(node, 0, 3, 2, 5);
  const { mul } = calculate(node);
  const scale = (i: number, axis: -2 | -1, matrix: MLOperand) => {
    const values = node.cast(node.input(i), "float32");
    return sizeOf(values.shape) === 1 ? node.reshape(values, []) : along2(node, values, matrix, axis);
  };
  const factor = mul(scale(1, -2, a), scale(4, -1, b));
  // The rounding error of the sum is much smaller than a quantisation step of the result.
  const result = withoutVectors(node, mul(node.builder.matmul(a, b), factor), 0, 3);
  return quantize(node, result, 6, Math.max(0, result.shape.length - 1));
}

/** Reshapes one value per row or column to broadcast; values with batches already have a shape. */
function along2(node: NodeView, values: MLOperand, matrix: MLOperand, axis: -2 | -1): MLOperand {
  return values.shape.length > 1 ? values : along(node, values, matrix.shape.length, matrix.shape.length + axis);
}

/** Like MatMulInteger, with scales and a bias; the result is floating-point. */
function matMulIntegerToFloat(node: NodeView): RowResult {
  const [a, b] = integerFactors(node, 0, 1, 4, 5);
  const { mul, add } = calculate(node);
  const scale = (i: number, axis: -2 | -1, matrix: MLOperand) => {
    const values = node.input(i);
    return sizeOf(values.shape) === 1 ? node.reshape(values, []) : along2(node, values, matrix, axis);
  };
  const factor = mul(scale(2, -2, a), scale(3, -1, b));
  const result = withoutVectors(node, mul(node.builder.matmul(a, b), factor), 0, 1);
  return node.has(6) ? add(result, node.input(6)) : result;
}

/** The uint8 scale and zero point for the range of the elements, including 0. */
function dynamicScale(node: NodeView, x: MLOperand): { scale: MLOperand; zero: MLOperand } {
  const { max, min, sub, div, where, equal } = calculate(node);
  const { builder } = node;
  const [high, low] = [max(builder.reduceMax(x), 0), min(builder.reduceMin(x), 0)];
  const span = div(sub(high, low), 255);
  const scale = where(equal(span, 0), 1, span);
  const zero = builder.roundEven(builder.clamp(builder.neg(div(low, scale)), { minValue: 0, maxValue: 255 }));
  return { scale, zero: node.cast(zero, "uint8") };
}

function quantizeWhole(node: NodeView, x: MLOperand, scale: MLOperand, zero: MLOperand): MLOperand {
  const fit = (values: MLOperand) => node.reshape(values, x.shape.map(() => 1));
  return node.builder.quantizeLinear(x, fit(scale), fit(zero));
}

/** The operand after quantisation as a whole and dequantisation. */
export function dynamicallyRounded(node: NodeView, x: MLOperand): MLOperand {
  const { scale, zero } = dynamicScale(node, x);
  return dequantize(node, { x: quantizeWhole(node, x, scale, zero), scale, zero }, 0);
}

function dynamicQuantizeLinear(node: NodeView): RowResult {
  const x = node.input(0);
  const { scale, zero } = dynamicScale(node, x);
  return [quantizeWhole(node, x, scale, zero), scale, zero];
}

/** A is float32 and quantised as a whole; B has scales, zero points and a bias. */
function dynamicQuantizeMatMul(node: NodeView): RowResult {
  const { mul, add } = calculate(node);
  const x = node.input(0);
  const { scale, zero } = dynamicScale(node, x);
  const a = centred(node, quantizeWhole(node, x, scale, zero), zero, 0);
  const b = node.input(1);
  const points = node.optional(3);
  const isOne = points && sizeOf(points.shape) === 1;
  const right = centred(node, b, isOne ? node.reshape(points, []) : points, isOne ? 0 : b.shape.length - 1);
  const bScale = node.input(2);
  const columns = sizeOf(bScale.shape) === 1 ? node.reshape(bScale, []) : along2(node, bScale, b, -1);
  const result = mul(node.builder.matmul(a, right), mul(columns, scale));
  return node.has(4) ? add(result, node.input(4)) : result;
}

/** The zero point of a filter may be per output channel. */
function centredConvolution(
  node: NodeView,
  [x, w]: readonly [number, number],
  [xZero, wZero]: readonly [number, number],
) {
  const points = (i: number) => {
    const found = node.optional(i);
    return found && sizeOf(found.shape) === 1 ? node.reshape(found, []) : found;
  };
  return { x: centred(node, node.input(x), points(xZero), 1), w: centred(node, node.input(w), points(wZero), 0) };
}

/** Exact while sums are less than 2²⁴; more channels are summed in parts. */
function exactConvolution(node: NodeView, x: MLOperand, w: MLOperand, terms: number): MLOperand {
  const taps = sizeOf(w.shape.slice(2));
  const channels = w.shape[1]!;
  const each = Math.max(1, Math.floor(terms / taps));
  if (each >= channels) return node.builder.cast(convolution(node, x, w), "int32");
  if (node.int("group", 1) !== 1 || taps > terms) {
    node.refuse("groups, or a filter too large for exact sums in float32");
  }
  const parts = range(0, Math.ceil(channels / each)).map((i) => {
    const count = Math.min(each, channels - i * each);
    const part = convolution(node, cut(node, x, 1, i * each, count), cut(node, w, 1, i * each, count));
    return node.builder.cast(part, "int32");
  });
  return parts.reduce((sum, part) => node.builder.add(sum, part));
}

function convInteger(node: NodeView): RowResult {
  const { x, w } = centredConvolution(node, [0, 1], [2, 3]);
  return exactConvolution(node, x, w, Math.floor(2 ** 24 / (magnitude(node, 0, 2) * magnitude(node, 1, 3))));
}

/** The bias has the product of the input's and the filter's scale. */
function qLinearConv(node: NodeView): RowResult {
  const { x, w } = centredConvolution(node, [0, 3], [2, 5]);
  const { mul } = calculate(node);
  const bias = node.has(8) ? node.cast(node.input(8), "float32") : undefined;
  const sum = convolution(node, x, w, bias);
  const wScale = node.input(4);
  const filterScale = sizeOf(wScale.shape) === 1 ? node.reshape(wScale, []) : along(node, wScale, sum.shape.length, 1);
  return quantize(node, mul(sum, mul(node.reshape(node.input(1), []), filterScale)), 6);
}

/** Quantised operators of com.microsoft: dequantise, compute in floating point, quantise. */
const byFloats =
  (compute: (node: NodeView, operands: MLOperand[]) => MLOperand, inputs: number) => (node: NodeView) => {
    const operands = range(0, inputs).map((i) => dequantize(node, quantized(node, 3 * i), 0));
    return quantize(node, compute(node, operands), 3 * inputs, 0, node.operandType(0));
  };

function qLinearConcat(node: NodeView): RowResult {
  const count = (node.inputs.length - 2) / 3;
  const axis = node.axis(node.int("axis"), node.shape(2).length);
  const parts = range(0, count).map((i) => dequantize(node, quantized(node, 2 + 3 * i), 0));
  const joined = join(node, parts, axis);
  const [scale, zero] = [node.input(0), node.input(1)];
  return quantizeWhole(node, joined, scale, zero);
}

function qLinearGlobalAveragePool(node: NodeView): RowResult {
  const x = dequantize(node, quantized(node, 0), 0);
  const isLast = node.flag("channels_last");
  const axes = isLast ? range(1, x.shape.length - 1) : range(2, x.shape.length);
  return quantize(node, node.builder.reduceMean(x, { axes, keepDimensions: true }), 3, 0, node.operandType(0));
}

function qLinearSoftmax(node: NodeView): RowResult {
  const x = dequantize(node, quantized(node, 0), 0);
  const axis = node.axis(node.int("axis", -1), x.shape.length);
  if (node.int("opset", 13) >= 13) return quantize(node, node.builder.softmax(x, axis), 3, 0, node.operandType(0));
  const flat = node.reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
  return quantize(node, node.reshape(node.builder.softmax(flat, 1), x.shape), 3, 0, node.operandType(0));
}

/** Weights of `bits` bits, in blocks along the inner axis: [N, blocks, bytes per block], low bits first. */
function matMulNBits(node: NodeView): RowResult {
  const [inner, columns] = [node.int("K"), node.int("N")];
  const [bits, size] = [node.int("bits", 4), node.int("block_size")];
  if (bits !== 4 && bits !== 8) node.refuse(`${bits}-bit weights`);
  if (node.has(4)) node.refuse("g_idx");
  const blocks = Math.ceil(inner / size);
  const x = node.input(0);
  const weights = unpackedBlocks(node, bits, [columns, blocks, size]);
  const scale = node.reshape(node.input(2), [columns, blocks, 1]);
  const wide = node.builder.dequantizeLinear(weights, scale, blockZeroPoints(node, bits, columns, blocks));
  const matrix = cut(node, node.reshape(wide, [columns, blocks * size]), 1, 0, inner);
  const result = node.builder.matmul(x, node.cast(node.transpose(matrix, [1, 0]), x.dataType));
  return node.has(5) ? node.builder.add(result, node.input(5)) : result;
}

/** Known weights stay 4-bit, because WebNN packs two per byte in the same order. */
function unpackedBlocks(node: NodeView, bits: number, shape: readonly number[]): MLOperand {
  if (bits === 8) return node.reshape(node.input(1), shape);
  const bytes = node.known(1, "the 4-bit weights").bytes;
  return node.operand({ type: "uint4", shape, bytes });
}

/** The zero points; by default the middle of the range. Those of 4 bits are padded to whole bytes in each row. */
function blockZeroPoints(node: NodeView, bits: number, rows: number, blocks: number): MLOperand {
  const shape = [rows, blocks, 1];
  if (!node.has(3)) {
    if (bits === 8) return node.constant("uint8", shape, 128);
    return node.operand({ type: "uint4", shape, bytes: new Uint8Array((rows * blocks + 1) >> 1).fill(0x88) });
  }
  if (node.type(3) !== "uint8") return node.refuse("zero points that are not uint8");
  if (bits === 8) return node.reshape(node.input(3), shape);
  const packed = node.known(3, "the 4-bit zero points").bytes;
  return node.operand({ type: "uint4", shape, bytes: withoutRowPadding(packed, rows, blocks) });
}

function withoutRowPadding(packed: Uint8Array, rows: number, blocks: number): Uint8Array {
  if (blocks % 2 === 0) return packed;
  const bytes = new Uint8Array((rows * blocks + 1) >> 1);
  for (let i = 0; i < rows * blocks; i++) {
    const [row, block] = [Math.floor(i / blocks), i % blocks];
    const nibble = (packed[row * ((blocks + 1) >> 1) + (block >> 1)]! >> (4 * (block & 1))) & 15;
    bytes[i >> 1]! |= nibble << (4 * (i & 1));
  }
  return bytes;
}

/** Gathers rows of quantised blocks, and dequantises them. */
function gatherBlockQuantized(node: NodeView): RowResult {
  const bits = node.int("bits", 4);
  const type = node.type(0);
  const isPacked = type === "uint8" && bits === 4;
  const [stored, scale] = [node.shape(0), node.input(2)];
  const rank = stored.length;
  const shape = isPacked ? stored.with(-1, stored.at(-1)! * 2) : stored;
  const [gatherAxis, quantizeAxis] = [node.int("gather_axis", 0), node.int("quantize_axis", isPacked ? rank - 1 : 1)];
  if (node.axis(gatherAxis, rank) === node.axis(quantizeAxis, rank)) node.refuse("gathering along the quantised axis");
  const size = node.int("block_size", 128);
  if (scale.shape[node.axis(quantizeAxis, rank)]! * size !== shape.at(quantizeAxis)) {
    node.refuse("a partial last block");
  }
  const data = isPacked ? node.operand({ type: "uint4", shape, bytes: node.known(0).bytes }) : node.input(0);
  const zero = gatherZeroPoints(node, isPacked, scale, data.dataType);
  const axis = node.axis(gatherAxis, rank);
  const at = node.input(1);
  const take = (x: MLOperand) => node.builder.gather(x, at, { axis });
  // WebNN does not gather 4-bit elements, which share a byte, so all rows are dequantised first.
  if (data.dataType.endsWith("4")) return take(node.builder.dequantizeLinear(data, scale, zero));
  return node.builder.dequantizeLinear(take(data), take(scale), take(zero));
}

function gatherZeroPoints(node: NodeView, isPacked: boolean, scale: MLOperand, type: MLOperandDataType): MLOperand {
  if (node.has(3)) {
    if (!isPacked) return node.input(3);
    const rows = sizeOf(scale.shape.slice(0, -1));
    return node.operand({
      type,
      shape: scale.shape,
      bytes: withoutRowPadding(node.known(3).bytes, rows, scale.shape.at(-1)!),
    });
  }
  const middle = isPacked ? 0x88 : type === "uint8" ? 128 : 0;
  if (type !== "int4" && type !== "uint4") return node.constant(type, scale.shape, middle);
  return node.operand({ type, shape: scale.shape, bytes: new Uint8Array((sizeOf(scale.shape) + 1) >> 1).fill(middle) });
}

export const quantization: Row[] = [
  ...rows("", {
    ConvInteger: [[10], convInteger],
    DequantizeLinear: [[10, 13, 21, 23], dequantizeLinear],
    DynamicQuantizeLinear: [[11], dynamicQuantizeLinear],
    MatMulInteger: [[10], matMulInteger],
    QLinearConv: [[10], qLinearConv],
    QLinearMatMul: [[10], qLinearMatMul],
    QuantizeLinear: [[10, 13, 21, 23], quantizeLinear],
  }),
  ...rows("com.microsoft", {
    DequantizeLinear: [[1], dequantizeLinear],
    DynamicQuantizeMatMul: [[1], dynamicQuantizeMatMul],
    GatherBlockQuantized: [[1], gatherBlockQuantized],
    MatMulIntegerToFloat: [[1], matMulIntegerToFloat],
    MatMulNBits: [[1], matMulNBits],
    QLinearAdd: [[1], byFloats(({ builder }, [a, b]) => builder.add(a!, b!), 2)],
    QLinearConcat: [[1], qLinearConcat],
    QLinearGlobalAveragePool: [[1], qLinearGlobalAveragePool],
    QLinearLeakyRelu: [
      [1],
      byFloats((node, [x]) => node.builder.leakyRelu(x!, { alpha: node.float("alpha", 0.01) }), 1),
    ],
    QLinearMul: [[1], byFloats(({ builder }, [a, b]) => builder.mul(a!, b!), 2)],
    QLinearSigmoid: [[1], byFloats(({ builder }, [x]) => builder.sigmoid(x!), 1)],
    QLinearSoftmax: [[1], qLinearSoftmax],
    QuantizeLinear: [[1], quantizeLinear],
  }),
];
