/**
 * Reads the header of a GGUF file: the metadata, and the positions of the tensors.
 *
 * @module
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { BLOCK_TYPES, type BlockType, bytesOfBlocks } from "./block_types.ts";
import type { ByteSource } from "./byte_source.ts";

/** A metadata value. 64-bit integers are numbers; a file with larger ones is rejected. */
export type MetadataValue = number | boolean | string | readonly MetadataValue[];

/** A tensor in the file. */
export interface GgufTensor {
  readonly name: string;
  /** The shape in row-major order, which is the reverse of the order in the file. */
  readonly shape: readonly number[];
  readonly type: BlockType;
  /** The position of the first byte in the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** The contents of the header. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** The number of bytes to read first; doubled until the whole header is read. */
const FIRST_READ = 4 * 2 ** 20;
const MAX_HEADER = 2 ** 29;
const MAX_DIMENSIONS = 4;
const MAX_NESTING = 4;
const DEFAULT_ALIGNMENT = 32;

/**
 * Reads the header.
 * @throws Error with a message of one line, if the file is damaged or not supported
 */
export async function readGguf(source: ByteSource): Promise<GgufHeader> {
  for (let length = Math.min(FIRST_READ, source.size);; length = Math.min(2 * length, source.size)) {
    const bytes = await source.read(0, length);
    try {
      return parseHeader(bytes, source.size);
    } catch (error) {
      const isWhole = length === source.size || length >= MAX_HEADER;
      if (!(error instanceof EndOfBytes) || isWhole) throw error;
    } finally {
      bytes.buffer.transfer(0); // Free them now, not at some later garbage collection.
    }
  }
}

class EndOfBytes extends Error {
  constructor() {
    super("the file ends within its header");
  }
}

/** Reads consecutive values. */
class Cursor {
  #offset = 0;
  readonly #view: DataView;
  // Keeps byte order marks, because a token may start with one.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  /** Skips `length` bytes, and returns the position of the first. */
  skip(length: number): number {
    const start = this.#offset;
    if (start + length > this.bytes.length) throw new EndOfBytes();
    this.#offset += length;
    return start;
  }

  number(width: number, read: (view: DataView, offset: number) => number): number {
    return read(this.#view, this.skip(width));
  }

  uint32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  size(): number {
    return safe(this.#view.getBigUint64(this.skip(8), true));
  }

  string(): string {
    const length = this.size();
    const start = this.skip(length);
    return this.#decoder.decode(this.bytes.subarray(start, start + length));
  }
}

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`the file's header has a number beyond 2^53: ${value}`);
  return number;
}

function parseHeader(bytes: Uint8Array, fileSize: number): GgufHeader {
  const cursor = new Cursor(bytes);
  if (cursor.uint32() !== 0x46554747) {
    throw new Error("this is not a GGUF file: it does not start with the letters GGUF");
  }
  const version = cursor.uint32();
  if (version !== 2 && version !== 3) throw new Error(`GGUF version ${version} is not supported, only 2 and 3`);
  const [tensorCount, metadataCount] = [cursor.size(), cursor.size()];
  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = cursor.string();
    if (metadata.has(key)) throw new Error(`the file's header has ${key} twice`);
    metadata.set(key, readValue(cursor, cursor.uint32()));
  }
  const infos = Array.from({ length: checkCount(tensorCount, bytes) }, () => readTensorInfo(cursor));
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== "number" || !(alignment > 0)) throw new Error("general.alignment must be a positive number");
  const start = Math.ceil(cursor.offset / alignment) * alignment;
  return { metadata, tensors: placed(infos, start, fileSize) };
}

/** A count of items that take at least one byte each. */
function checkCount(count: number, bytes: Uint8Array): number {
  if (count > bytes.length) throw new EndOfBytes();
  return count;
}

/** The readers of metadata types by number, without strings and arrays. */
const SCALARS: Readonly<Record<number, (cursor: Cursor) => number | boolean>> = {
  0: (cursor) => cursor.number(1, (view, at) => view.getUint8(at)),
  1: (cursor) => cursor.number(1, (view, at) => view.getInt8(at)),
  2: (cursor) => cursor.number(2, (view, at) => view.getUint16(at, true)),
  3: (cursor) => cursor.number(2, (view, at) => view.getInt16(at, true)),
  4: (cursor) => cursor.uint32(),
  5: (cursor) => cursor.number(4, (view, at) => view.getInt32(at, true)),
  6: (cursor) => cursor.number(4, (view, at) => view.getFloat32(at, true)),
  7: (cursor) => cursor.number(1, (view, at) => view.getUint8(at)) !== 0,
  10: (cursor) => cursor.size(),
  11: (cursor) => cursor.number(8, (view, at) => safe(view.getBigInt64(at, true))),
  12: (cursor) => cursor.number(8, (view, at) => view.getFloat64(at, true)),
};
const STRING = 8;
const ARRAY = 9;

function readValue(cursor: Cursor, type: number, depth = 0): MetadataValue {
  if (type === STRING) return cursor.string();
  if (type === ARRAY && depth < MAX_NESTING) {
    const elementType = cursor.uint32();
    const count = checkCount(cursor.size(), cursor.bytes);
    return Array.from({ length: count }, () => readValue(cursor, elementType, depth + 1));
  }
  const read = SCALARS[type];
  if (!read) throw new Error(`the file's header has a value of unknown type ${type}`);
  return read(cursor);
}

type TensorInfo = Pick<GgufTensor, "name" | "shape" | "type" | "offset">;

function readTensorInfo(cursor: Cursor): TensorInfo {
  const name = cursor.string();
  const rank = cursor.uint32();
  if (rank < 1 || rank > MAX_DIMENSIONS) throw new Error(`the tensor ${name} has ${rank} dimensions, not 1 to 4`);
  const shape = Array.from({ length: rank }, () => cursor.size()).reverse();
  const number = cursor.uint32();
  const type = BLOCK_TYPES[number];
  if (!type) throw new Error(`the tensor ${name} has block type ${number}, which is not supported`);
  return { name, shape, type, offset: cursor.size() };
}

function placed(infos: readonly TensorInfo[], start: number, fileSize: number): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const info of infos) {
    const { name, shape, type } = info;
    if (tensors.has(name)) throw new Error(`the file's header has the tensor ${name} twice`);
    if (shape.at(-1)! % type.elements !== 0) {
      throw new Error(`a row of the tensor ${name} has ${shape.at(-1)} elements, not a multiple of ${type.elements}`);
    }
    const [offset, byteLength] = [start + info.offset, bytesOfBlocks(type, shape)];
    if (offset + byteLength > fileSize) {
      throw new Error(`the file ends within the tensor ${name}: it has ${fileSize} bytes, not ${offset + byteLength}`);
    }
    tensors.set(name, { name, shape, type, offset, byteLength });
  }
  return tensors;
}
