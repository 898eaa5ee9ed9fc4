/**
 * Quantised matrices in the layout of blockMatmul: rows of four-bit elements in blocks.
 *
 * Weights of eight bits become two matrices of four, exactly: `w - z = 16 · (high(w) - high(z)) + (low(w) - low(z))`.
 *
 * @module
 */

import { bitsOf, isUnsigned } from "../data_type.ts";
import type { Value } from "../graph/graph.ts";
import { elementCount } from "../shape.ts";
import type { Surroundings } from "./editor.ts";
import type { QuantizedMatrix } from "./quantized_matrix.ts";

/** The constants of a blockMatmul. */
export interface PackedMatrix {
  readonly weights: Value;
  readonly scales: Value;
  readonly zeroPoints: Value | undefined;
}

/** Elements in a block. Larger ones have fewer scales. */
const BLOCK_SIZES = [256, 128, 64, 32, 16];
/** The zero point where none is given. */
const DEFAULT_ZERO_POINT = 8;
/** By how much elements behind the end may lengthen a row. */
const MAX_PADDED = 1.05;

/** The blocks into which rows can be parted, so that each has one scale; `undefined` if none can. */
export function blockSizeOf({ inner, run }: QuantizedMatrix): number | undefined {
  if (run < inner) return BLOCK_SIZES.find((size) => run % size === 0);
  if (inner < BLOCK_SIZES.at(-1)!) return undefined;
  return BLOCK_SIZES.find((size) => Math.ceil(inner / size) * size <= MAX_PADDED * inner) ?? BLOCK_SIZES.at(-1);
}

/** The matrices, each of four bits, whose products add up to that with the matrix. */
export function packedPlanes(matrix: QuantizedMatrix, blockSize: number, graph: Surroundings): PackedMatrix[] {
  const shifts = bitsOf(matrix.dataType) === 4 ? [0] : [0, 4];
  return shifts.map((shift) => packPlane(matrix, blockSize, shift, graph));
}

function packPlane(matrix: QuantizedMatrix, blockSize: number, shift: number, graph: Surroundings): PackedMatrix {
  const { columns, inner, scales, weights } = matrix;
  const blocks = Math.ceil(inner / blockSize);
  const key = `${[blockSize, shift, inner, columns, matrix.innerStride]}`;
  return graph.remember(weights, `${key},${scales.id},${matrix.zeroPoints.id}`, () => ({
    weights: packedWeights(matrix, blockSize, blocks, shift, graph),
    scales: packedScales(matrix, blockSize, blocks, shift, graph),
    zeroPoints: packedZeroPoints(matrix, blockSize, blocks, shift, graph),
  }));
}

/** Unsigned elements as bytes: of signed ones the highest bit is turned, of zero points alike. */
function signBits({ dataType }: QuantizedMatrix): number {
  if (isUnsigned(dataType)) return 0;
  return bitsOf(dataType) === 4 ? 0x88 : 0x80;
}

function packedWeights(
  matrix: QuantizedMatrix,
  blockSize: number,
  blocks: number,
  shift: number,
  graph: Surroundings,
): Value {
  const { columns, columnStride, dataType, inner, innerStride, weights } = matrix;
  const descriptor = { dataType: "uint8", shape: [columns, blocks, blockSize / 2] } as const;
  const rowBytes = blocks * blockSize / 2;
  const isPacked = bitsOf(dataType) === 4 && innerStride === 1 && columnStride % 2 === 0;
  const sign = signBits(matrix);
  if (isPacked && sign === 0 && columnStride === blocks * blockSize) {
    return graph.viewOf(weights, descriptor);
  }
  const bytes = graph.bytes(weights)!;
  const packed = new Uint8Array(columns * rowBytes);
  for (let n = 0; n < columns; n++) {
    const row = packed.subarray(n * rowBytes, (n + 1) * rowBytes);
    const first = n * columnStride;
    if (isPacked) copyNibbles(bytes.subarray(first / 2, (first + inner + 1) >> 1), row, sign);
    else if (bitsOf(dataType) === 4) packNibbles(bytes, first, innerStride, inner, row, sign);
    else packHalves(bytes, first, innerStride, inner, row, sign, shift);
  }
  return graph.constant(descriptor, packed);
}

function copyNibbles(source: Uint8Array, target: Uint8Array, sign: number): void {
  for (let i = 0; i < source.length; i++) target[i] = source[i]! ^ sign;
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
  for (let k = 0, from = first; k < count; k++, from += stride) {
    target[k >> 1]! |= (((source[from]! ^ sign) >> shift) & 15) << ((k & 1) << 2);
  }
}

/** The scales by rows and blocks; those of the high halves are 16 times as large. */
function packedScales(
  matrix: QuantizedMatrix,
  blockSize: number,
  blocks: number,
  shift: number,
  graph: Surroundings,
): Value {
  const { columns } = matrix;
  const descriptor = { dataType: "float32", shape: [columns * blocks] } as const;
  const indices = blockIndices(matrix, blockSize, blocks);
  if (shift === 0 && indices.length === elementCount(matrix.scales.shape) && isAscending(indices)) {
    return graph.viewOf(matrix.scales, descriptor);
  }
  // A block need not lie at an address that a Float32Array can begin at.
  const source = new Float32Array(graph.bytes(matrix.scales)!.slice().buffer);
  const packed = new Float32Array(indices.length);
  for (let i = 0; i < indices.length; i++) packed[i] = source[indices[i]!]! * 2 ** shift;
  return graph.constant(descriptor, new Uint8Array(packed.buffer));
}

function packedZeroPoints(
  matrix: QuantizedMatrix,
  blockSize: number,
  blocks: number,
  shift: number,
  graph: Surroundings,
): Value | undefined {
  const { columns, dataType, zeroPoints } = matrix;
  const bytes = graph.bytes(zeroPoints)!;
  const sign = signBits(matrix);
  const nibble = bitsOf(dataType) === 4
    ? (index: number) => ((bytes[index >> 1]! ^ sign) >> ((index & 1) << 2)) & 15
    : (index: number) => ((bytes[index]! ^ sign) >> shift) & 15;
  const nibbles = blockIndices(matrix, blockSize, blocks).map(nibble);
  if (nibbles.every((value) => value === DEFAULT_ZERO_POINT)) return undefined;
  const rowBytes = Math.ceil(blocks / 2);
  const packed = new Uint8Array(columns * rowBytes);
  for (let n = 0; n < columns; n++) {
    for (let block = 0; block < blocks; block++) {
      packed[n * rowBytes + (block >> 1)]! |= nibbles[n * blocks + block]! << ((block & 1) << 2);
    }
  }
  return graph.constant({ dataType: "uint8", shape: [columns * rowBytes] }, packed);
}

/** Whether these are 0, 1, 2, and so on. */
function isAscending(indices: Uint32Array): boolean {
  for (let i = 0; i < indices.length; i++) if (indices[i] !== i) return false;
  return true;
}

/** For each row and block the number of its scale. */
function blockIndices(matrix: QuantizedMatrix, blockSize: number, blocks: number): Uint32Array {
  const indices = new Uint32Array(matrix.columns * blocks);
  const ofBlocks = Uint32Array.from({ length: blocks }, (_, block) => matrix.scaleOfInner(block * blockSize));
  for (let n = 0; n < matrix.columns; n++) {
    const ofColumn = matrix.scaleOfColumn(n);
    for (let block = 0; block < blocks; block++) indices[n * blocks + block] = ofColumn + ofBlocks[block]!;
  }
  return indices;
}
