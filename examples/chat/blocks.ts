/**
 * Decodes blocks of a GGUF file to elements of 4 or 8 bits, with a scale per block and, for types that have it, a
 * minimum. Nothing is quantised again: the values are those of the file.
 *
 * @module
 * @see https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c
 */
import { type BlockType, bytesOfBlocks } from "./block_types.ts";

/** A matrix `[rows, inner]`: element `u` of block `b` is `(u - 2^(bits - 1)) * scales[b] + minima[b]`. */
export interface BlockMatrix {
  readonly rows: number;
  readonly inner: number;
  readonly bits: 4 | 8;
  /** The number of adjacent elements of a row that share a scale. */
  readonly blockSize: number;
  /** Unsigned elements. 4-bit elements are packed two per byte, the first in the low half. */
  readonly elements: Uint8Array<ArrayBuffer>;
  /** `[rows, inner / blockSize]`. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** `[rows, inner / blockSize]`; 0 by default. */
  readonly minima: Float32Array<ArrayBuffer> | undefined;
}

/** Where the decoder of a block type writes. */
interface Target {
  readonly elements: Uint8Array<ArrayBuffer>;
  /** The same bytes as 32-bit words. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly scales: Float32Array<ArrayBuffer>;
  readonly minima: Float32Array<ArrayBuffer>;
}

/** The decoder of a block type. */
interface BlockCodec {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  readonly hasMinima: boolean;
  /** Decodes consecutive blocks. */
  decode(bytes: Uint8Array<ArrayBuffer>, blocks: number, target: Target): void;
}

/** Whether a type is float16 or float32, without blocks. */
export function isFloat({ name }: BlockType): boolean {
  return name === "F32" || name === "F16";
}

/** The numbers of an F32 or F16 tensor. */
export function decodeFloats({ name }: BlockType, bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if (name === "F32") return new Float32Array<ArrayBuffer>(bytes.slice().buffer);
  return Float32Array.from(new Uint16Array(bytes.slice().buffer), (half) => HALVES[half]!);
}

/** Returns uninitialised memory of a size in bytes, aligned to four bytes. */
export type Allocate = (name: string, bytes: number) => Uint8Array<ArrayBuffer>;

const allocateAnew: Allocate = (_name, bytes) => new Uint8Array(bytes);

/** Allocates a matrix for blocks of a type. */
export function emptyMatrix(type: BlockType, rows: number, inner: number, allocate = allocateAnew): BlockMatrix {
  const { bits, blockSize, hasMinima } = codecOf(type);
  const count = rows * inner / blockSize;
  const floats = (name: "scales" | "minima") => {
    const { buffer, byteOffset } = allocate(name, 4 * count);
    return new Float32Array<ArrayBuffer>(buffer, byteOffset, count);
  };
  const elements = allocate("elements", rows * inner * bits / 8);
  return {
    rows,
    inner,
    bits,
    blockSize,
    elements,
    scales: floats("scales"),
    minima: hasMinima ? floats("minima") : undefined,
  };
}

/** Decodes the blocks of some rows into a matrix. */
export function decodeRows(
  type: BlockType,
  bytes: Uint8Array<ArrayBuffer>,
  matrix: BlockMatrix,
  firstRow: number,
): void {
  const { bits, blockSize, elements, inner, minima, scales } = matrix;
  const rows = bytes.length / bytesOfBlocks(type, [inner]);
  if (!Number.isInteger(rows)) throw new Error("the bytes must be whole rows");
  const part = <A extends Uint8Array | Float32Array>(array: A, perRow: number) =>
    array.subarray(firstRow * perRow, (firstRow + rows) * perRow) as A;
  const own = part(elements, inner * bits / 8);
  codecOf(type).decode(bytes, bytes.length / type.bytes, {
    elements: own,
    words: new Uint32Array(own.buffer, own.byteOffset, own.length / 4),
    scales: part(scales, inner / blockSize),
    minima: part(minima ?? new Float32Array(0), inner / blockSize),
  });
}

/** Decodes the blocks of a whole matrix. */
export function decodeBlocks(
  type: BlockType,
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
  inner: number,
): BlockMatrix {
  if (bytes.length !== bytesOfBlocks(type, [rows, inner])) throw new Error("the bytes must be a whole matrix");
  const matrix = emptyMatrix(type, rows, inner);
  decodeRows(type, bytes, matrix, 0);
  return matrix;
}

function codecOf(type: BlockType): BlockCodec {
  const codec = CODECS[type.name as keyof typeof CODECS];
  if (!codec) throw new Error(`${type.name} is not a block type`);
  return codec;
}

/** The elements of a matrix in row-major order, as float32. */
export function dequantize({ bits, blockSize, elements, minima, scales }: BlockMatrix): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(elements.length * 8 / bits);
  for (let i = 0; i < numbers.length; i++) {
    const block = Math.floor(i / blockSize);
    const element = bits === 8 ? elements[i]! - 128 : ((elements[i >> 1]! >> ((i & 1) << 2)) & 15) - 8;
    numbers[i] = element * scales[block]! + (minima?.[block] ?? 0);
  }
  return numbers;
}

/** The value of each float16, by its bits. */
const HALVES = Float32Array.from(new Float16Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer));

function halfAt(bytes: Uint8Array, offset: number): number {
  return HALVES[bytes[offset]! | bytes[offset + 1]! << 8]!;
}

/** Packs the low halves of four bytes into 16 bits. */
function lowHalves(word: number): number {
  const pairs = (word & 0x0f0f0f0f) | (word & 0x0f0f0f0f) >>> 4;
  return (pairs & 0xff) | (pairs >>> 8 & 0xff00);
}

/** Splits eight bytes into two words: one of their low halves, one of their high halves. */
function wordsOfHalves(first: number, second: number): [low: number, high: number] {
  return [
    lowHalves(first) | lowHalves(second) << 16,
    lowHalves(first >>> 4) | lowHalves(second >>> 4) << 16,
  ];
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | bytes[offset + 1]! << 8 | bytes[offset + 2]! << 16 | bytes[offset + 3]! << 24;
}

/**
 * Reorders `count` bytes, whose low halves are the first `count` elements and whose high halves are the next `count`,
 * so that adjacent elements share a byte.
 */
function parseHalves(bytes: Uint8Array, offset: number, count: number, words: Uint32Array, at: number): void {
  for (let i = 0; i < count / 8; i++) {
    const [low, high] = wordsOfHalves(wordAt(bytes, offset + 8 * i), wordAt(bytes, offset + 8 * i + 4));
    words[at + i] = low;
    words[at + count / 8 + i] = high;
  }
}

const q4_0: BlockCodec = {
  bits: 4,
  blockSize: 32,
  hasMinima: false,
  decode(bytes, blocks, { scales, words }) {
    for (let block = 0, at = 0; block < blocks; block++, at += 18) {
      scales[block] = halfAt(bytes, at);
      parseHalves(bytes, at + 2, 16, words, 4 * block);
    }
  },
};

const q4_1: BlockCodec = {
  bits: 4,
  blockSize: 32,
  hasMinima: true,
  decode(bytes, blocks, { minima, scales, words }) {
    for (let block = 0, at = 0; block < blocks; block++, at += 20) {
      const scale = halfAt(bytes, at);
      scales[block] = scale;
      minima[block] = halfAt(bytes, at + 2) + 8 * scale;
      parseHalves(bytes, at + 4, 16, words, 4 * block);
    }
  },
};

const q5_0: BlockCodec = {
  bits: 8,
  blockSize: 32,
  hasMinima: false,
  decode(bytes, blocks, { elements, scales }) {
    for (let block = 0, at = 0; block < blocks; block++, at += 22) {
      scales[block] = halfAt(bytes, at);
      const highs = wordAt(bytes, at + 2);
      for (let i = 0; i < 32; i++) {
        const low = bytes[at + 6 + (i & 15)]! >> (i >> 2 & 4) & 15;
        elements[32 * block + i] = 112 + (low | (highs >>> i & 1) << 4);
      }
    }
  },
};

const q8_0: BlockCodec = {
  bits: 8,
  blockSize: 32,
  hasMinima: false,
  decode(bytes, blocks, { scales, words }) {
    for (let block = 0, at = 0; block < blocks; block++, at += 34) {
      scales[block] = halfAt(bytes, at);
      for (let i = 0; i < 8; i++) words[8 * block + i] = wordAt(bytes, at + 2 + 4 * i) ^ 0x80808080;
    }
  },
};

/** The 6-bit scale and minimum of one part of a Q4_K or Q5_K block. */
function scaleAndMinimum(bytes: Uint8Array, at: number, part: number): [scale: number, minimum: number] {
  const byte = (index: number) => bytes[at + index]!;
  if (part < 4) return [byte(part) & 63, byte(part + 4) & 63];
  return [
    (byte(part + 4) & 15) | byte(part - 4) >> 6 << 4,
    byte(part + 4) >> 4 | byte(part) >> 6 << 4,
  ];
}

/**
 * Decodes the scales and minima of the eight parts of a Q4_K or Q5_K block. `middle` is the number that BlockMatrix
 * subtracts from an element: 2^(bits - 1).
 */
function decodeParts(bytes: Uint8Array, at: number, block: number, middle: number, target: Target): void {
  const [scaleUnit, minimumUnit] = [halfAt(bytes, at), halfAt(bytes, at + 2)];
  for (let part = 0; part < 8; part++) {
    const [scale, minimum] = scaleAndMinimum(bytes, at + 4, part);
    target.scales[8 * block + part] = scaleUnit * scale;
    target.minima[8 * block + part] = middle * scaleUnit * scale - minimumUnit * minimum;
  }
}

const q4_k: BlockCodec = {
  bits: 4,
  blockSize: 32,
  hasMinima: true,
  decode(bytes, blocks, target) {
    for (let block = 0, at = 0; block < blocks; block++, at += 144) {
      decodeParts(bytes, at, block, 8, target);
      for (let part = 0; part < 4; part++) {
        parseHalves(bytes, at + 16 + 32 * part, 32, target.words, 32 * block + 8 * part);
      }
    }
  },
};

const q5_k: BlockCodec = {
  bits: 8,
  blockSize: 32,
  hasMinima: true,
  decode(bytes, blocks, target) {
    for (let block = 0, at = 0; block < blocks; block++, at += 176) {
      decodeParts(bytes, at, block, 16, target);
      for (let i = 0; i < 256; i++) {
        const low = bytes[at + 48 + (i >> 6) * 32 + (i & 31)]! >> (i >> 3 & 4) & 15;
        const high = bytes[at + 16 + (i & 31)]! >> (i >> 5) & 1;
        target.elements[256 * block + i] = 112 + (low | high << 4);
      }
    }
  },
};

const q6_k: BlockCodec = {
  bits: 8,
  blockSize: 16,
  hasMinima: false,
  decode(bytes, blocks, { elements, scales }) {
    for (let block = 0, at = 0; block < blocks; block++, at += 210) {
      const unit = halfAt(bytes, at + 208);
      for (let part = 0; part < 16; part++) scales[16 * block + part] = unit * (bytes[at + 192 + part]! << 24 >> 24);
      for (let i = 0; i < 256; i++) {
        // Per 128 elements: 64 bytes with the low four bits, and 32 bytes with the high two bits of four elements each.
        const [half, quarter, j] = [i >> 7, i >> 5 & 3, i & 31];
        const low = bytes[at + 64 * half + 32 * (quarter & 1) + j]! >> (quarter >> 1 << 2) & 15;
        const high = bytes[at + 128 + 32 * half + j]! >> (2 * quarter) & 3;
        elements[256 * block + i] = 96 + (low | high << 4);
      }
    }
  },
};

const CODECS = { Q4_0: q4_0, Q4_1: q4_1, Q5_0: q5_0, Q8_0: q8_0, Q4_K: q4_k, Q5_K: q5_k, Q6_K: q6_k } as const;
