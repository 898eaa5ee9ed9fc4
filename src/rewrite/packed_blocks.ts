/**
 * Packs quantised matrices for blockMatmul: rows of elements in blocks.
 *
 * 8-bit weights stay unchanged, or are split exactly into two 4-bit matrices:
 * `w - z = 16 · (high(w) - high(z)) + (low(w) - low(z))`.
 *
 * @module
 */

import { bitsOf, isUnsigned } from "../data_type.ts";
import type { Value } from "../graph/graph.ts";
import { elementCount } from "../shape.ts";
import type { GraphView } from "./editor.ts";
import type { QuantizedMatrix } from "./quantized_matrix.ts";

/** The constants of a blockMatmul. */
export interface PackedMatrix {
  readonly weights: Value;
  readonly scales: Value;
  readonly zeroPoints: Value | undefined;
}

/** The supported block sizes, in elements. Larger blocks need fewer scales. */
const BLOCK_SIZES = [256, 128, 64, 32, 16];
/** The largest allowed ratio of a padded row's length to its original length. */
const MAX_PADDED = 1.05;

/** The largest block size with one scale per block and little padding; `undefined` if there is none. */
export function blockSizeOf({ inner, run }: QuantizedMatrix): number | undefined {
  if (run < inner) return BLOCK_SIZES.find((size) => run % size === 0);
  if (inner < BLOCK_SIZES.at(-1)!) return undefined;
  return BLOCK_SIZES.find((size) => Math.ceil(inner / size) * size <= MAX_PADDED * inner) ?? BLOCK_SIZES.at(-1);
}

/** A part of each element of a matrix: `bits` bits from bit `shift` on. */
interface Plane {
  readonly bits: 4 | 8;
  readonly shift: number;
  readonly blockSize: number;
  /** The number of blocks in a row. */
  readonly blocks: number;
}

/** Packs a matrix as one or two 4-bit matrices; the sum of their products is the product of the matrix. */
export function packedHalves(matrix: QuantizedMatrix, blockSize: number, graph: GraphView): PackedMatrix[] {
  const shifts = bitsOf(matrix.dataType) === 4 ? [0] : [0, 4];
  return shifts.map((shift) => packPlane(matrix, { bits: 4, shift, blockSize }, graph));
}

/** Packs an 8-bit matrix. */
export function packedBytes(matrix: QuantizedMatrix, blockSize: number, graph: GraphView): PackedMatrix {
  return packPlane(matrix, { bits: 8, shift: 0, blockSize }, graph);
}

function packPlane(matrix: QuantizedMatrix, part: Omit<Plane, "blocks">, graph: GraphView): PackedMatrix {
  const { scales, weights, zeroPoints } = matrix;
  const plane = { ...part, blocks: Math.ceil(matrix.inner / part.blockSize) };
  const key = keyOf(matrix, plane);
  return graph.remember(weights, `${key},${scales.id},${zeroPoints.id}`, () => ({
    weights: packedWeights(matrix, plane, key, graph),
    scales: packedScales(matrix, plane, key, graph),
    zeroPoints: packedZeroPoints(matrix, plane, key, graph),
  }));
}

/** A key of everything that determines how weights, scales and zero points are packed. */
function keyOf(matrix: QuantizedMatrix, { bits, blockSize, shift }: Plane): string {
  const { columns, columnStride, dataType, inner, innerStride, scales, weights } = matrix;
  return [
    ...[dataType, inner, columns, innerStride, columnStride, bits, blockSize, shift],
    ...[`[${weights.shape}]`, `[${scales.shape}]`],
  ].join();
}

/** The bits to flip in a byte of weights or zero points to make its elements unsigned. */
function signBits({ dataType }: QuantizedMatrix): number {
  if (isUnsigned(dataType)) return 0;
  return bitsOf(dataType) === 4 ? 0x88 : 0x80;
}

function packedWeights(matrix: QuantizedMatrix, plane: Plane, key: string, graph: GraphView): Value {
  const { columns, columnStride, dataType, innerStride, weights } = matrix;
  const { bits, blocks, blockSize } = plane;
  const descriptor = { dataType: "uint8", shape: [columns, blocks, blockSize * bits / 8] } as const;
  const isWhole = bits === bitsOf(dataType) && innerStride === 1 && columnStride === blocks * blockSize;
  if (isWhole && signBits(matrix) === 0) return graph.viewOf(weights, descriptor);
  return graph.derived(weights, key, descriptor, () => packRows(matrix, plane, graph.bytes(weights)!));
}

function packRows(matrix: QuantizedMatrix, { bits, blocks, blockSize, shift }: Plane, bytes: Uint8Array): Uint8Array {
  const { columns, columnStride, dataType, inner, innerStride } = matrix;
  const rowBytes = blocks * blockSize * bits / 8;
  const packed = new Uint8Array(columns * rowBytes);
  const sign = signBits(matrix);
  const isInBytes = innerStride === 1 && columnStride * bits % 8 === 0;
  const isInWords = innerStride === 1 && [bytes.byteOffset, columnStride, inner].every((count) => count % 4 === 0);
  const pack = bits === 8
    ? packBytes
    : bitsOf(dataType) === 4
    ? packNibbles
    : isInWords
    ? packAdjacentHalves
    : packHalves;
  for (let n = 0; n < columns; n++) {
    const row = packed.subarray(n * rowBytes, (n + 1) * rowBytes);
    const first = n * columnStride;
    if (isInBytes && bits === bitsOf(dataType)) {
      copyBytes(bytes.subarray(first * bits / 8, Math.ceil((first + inner) * bits / 8)), row, sign);
    } else pack(bytes, first, innerStride, inner, row, sign, shift);
  }
  return packed;
}

function copyBytes(source: Uint8Array, target: Uint8Array, sign: number): void {
  for (let i = 0; i < source.length; i++) target[i] = source[i]! ^ sign;
}

function packBytes(
  source: Uint8Array,
  first: number,
  stride: number,
  count: number,
  target: Uint8Array,
  sign: number,
): void {
  for (let k = 0, from = first; k < count; k++, from += stride) target[k] = source[from]! ^ sign;
}

function packNibbles(
  source: Uint8Array,
  first: number,
  stride: number,
  count: number,
  target: Uint8Array,
  sign: number,
): void {
  for (let k = 0, from = first; k < count; k++, from += stride) {
    const nibble = ((source[from >> 1]! ^ sign) >> ((from & 1) << 2)) & 15;
    target[k >> 1]! |= nibble << ((k & 1) << 2);
  }
}

function packHalves(
  source: Uint8Array,
  first: number,
  stride: number,
  count: number,
  target: Uint8Array,
  sign: number,
  shift: number,
): void {
  const half = (from: number) => ((source[from]! ^ sign) >> shift) & 15;
  const even = count & ~1;
  let from = first;
  for (let k = 0; k < even; k += 2, from += 2 * stride) target[k >> 1] = half(from) | half(from + stride) << 4;
  if (even < count) target[even >> 1] = half(from);
}

/** Packs the halves of adjacent bytes, four at a time, which takes a quarter of the time of {@linkcode packHalves}. */
function packAdjacentHalves(
  source: Uint8Array,
  first: number,
  _stride: number,
  count: number,
  target: Uint8Array,
  sign: number,
  shift: number,
): void {
  const words = new Uint32Array(source.buffer, source.byteOffset + first, count / 4);
  const signs = sign * 0x01010101;
  for (let i = 0; i < words.length; i++) {
    const halves = ((words[i]! ^ signs) >>> shift) & 0x0f0f0f0f;
    const pairs = halves | halves >>> 4;
    target[2 * i] = pairs;
    target[2 * i + 1] = pairs >>> 16;
  }
}

/** The scales in the order of rows and blocks. Those of the high halves are 16 times as large. */
function packedScales(matrix: QuantizedMatrix, plane: Plane, key: string, graph: GraphView): Value {
  const { columns, scales } = matrix;
  const { blocks, shift } = plane;
  const descriptor = { dataType: "float32", shape: [columns * blocks] } as const;
  const isOrdered = columns * blocks === elementCount(scales.shape) && haveScalesInOrder(matrix, plane);
  if (shift === 0 && isOrdered) return graph.viewOf(scales, descriptor);
  return graph.derived(scales, key, descriptor, () => {
    // Copied, because the bytes may not be aligned for a Float32Array.
    const source = new Float32Array(graph.bytes(scales)!.slice().buffer);
    const indices = blockIndices(matrix, plane);
    // A loop, because Float32Array.from collects all numbers in an array first, which takes 30 MB for a large matrix.
    const packed = new Float32Array(indices.length);
    for (let i = 0; i < packed.length; i++) packed[i] = source[indices[i]!]! * 2 ** shift;
    return new Uint8Array(packed.buffer);
  });
}

function packedZeroPoints(
  matrix: QuantizedMatrix,
  plane: Plane,
  key: string,
  graph: GraphView,
): Value | undefined {
  const { columns, dataType, zeroPoints } = matrix;
  const { bits, blocks, shift } = plane;
  const bytes = graph.bytes(zeroPoints)!;
  const sign = signBits(matrix);
  const elementAt = bitsOf(dataType) === 4
    ? (index: number) => ((bytes[index >> 1]! ^ sign) >> ((index & 1) << 2)) & 15
    : (index: number) => ((bytes[index]! ^ sign) >> shift) & (2 ** bits - 1);
  const middle = 2 ** (bits - 1);
  const isUniform = areEqual(bytes);
  if (isUniform && elementAt(0) === middle && elementAt(elementCount(zeroPoints.shape) - 1) === middle) {
    return undefined;
  }
  const elements = isUniform && bitsOf(dataType) === 8
    ? new Uint32Array(columns * blocks).fill(elementAt(0))
    : blockIndices(matrix, plane).map(elementAt);
  if (elements.every((value) => value === middle)) return undefined;
  const rowBytes = Math.ceil(blocks * bits / 8);
  return graph.derived(zeroPoints, key, { dataType: "uint8", shape: [columns * rowBytes] }, () => {
    const packed = new Uint8Array(columns * rowBytes);
    for (let n = 0; n < columns; n++) {
      for (let block = 0; block < blocks; block++) {
        const [byte, up] = bits === 8 ? [block, 0] : [block >> 1, (block & 1) << 2];
        packed[n * rowBytes + byte]! |= elements[n * blocks + block]! << up;
      }
    }
    return packed;
  });
}

/** Whether all bytes are the same. There are millions, and a loop takes a tenth of the time of `every`. */
function areEqual(bytes: Uint8Array): boolean {
  for (let i = 1; i < bytes.length; i++) if (bytes[i] !== bytes[0]) return false;
  return true;
}

/** Whether the scales are already in the order of rows and blocks. */
function haveScalesInOrder({ columns, scaleOfColumn, scaleOfInner }: QuantizedMatrix, plane: Plane): boolean {
  const { blocks, blockSize } = plane;
  for (let block = 0; block < blocks; block++) if (scaleOfInner(block * blockSize) !== block) return false;
  for (let n = 0; n < columns; n++) if (scaleOfColumn(n) !== n * blocks) return false;
  return true;
}

/** The index of the scale of each row and block. */
function blockIndices(matrix: QuantizedMatrix, { blocks, blockSize }: Plane): Uint32Array {
  const indices = new Uint32Array(matrix.columns * blocks);
  const ofBlocks = Uint32Array.from({ length: blocks }, (_, block) => matrix.scaleOfInner(block * blockSize));
  for (let n = 0; n < matrix.columns; n++) {
    const ofColumn = matrix.scaleOfColumn(n);
    for (let block = 0; block < blocks; block++) indices[n * blocks + block] = ofColumn + ofBlocks[block]!;
  }
  return indices;
}
