/**
 * An entry of the compile cache: a file with the optimised model in ONNX Runtime's own format, and the weights that it
 * was made of.
 *
 *     model    the model, then zeros up to a multiple of 64 KiB, from where a part of a file can be mapped
 *     weights  the blocks of the graph, one behind the other
 *     footer   64 bytes: what the file is; the key; the length of the model in bytes; the checksum of it and of the model
 *
 * Nothing of a file is believed. The footer comes last, so that a file that was cut has none. The weights are compared with those of the graph, byte by byte.
 *
 * @module
 */

import { equalMemory } from "../../../ffi/equal_memory.ts";
import { appendFile, fileSize } from "../../../ffi/files.ts";
import { MAP_ALIGNMENT, type MappableFile, type Mapping, withMappableFile } from "../../../ffi/mapped_file.ts";
import { offsetPointer } from "../../../ffi/memory.ts";
import type { NativeBlock } from "./native_block.ts";

const MAGIC = new TextEncoder().encode("WebNN 1\n");
const KEY_OFFSET = 8;
const LENGTH_OFFSET = 40;
const CHECKSUM_OFFSET = 48;
const FOOTER_BYTES = 64;

/** Bytes of which the checksum is computed before the event loop gets a turn: a few milliseconds' work. */
const SLICE = 16 * 2 ** 20;

/** An entry's model in memory, and how long it is: the memory goes on with zeros. */
export interface CachedModel extends Mapping {
  readonly byteLength: number;
}

/** The parts of an entry in memory. */
interface Parts {
  readonly model: Mapping;
  readonly rest: Mapping;
}

/**
 * The model of an entry, if the file at `path` is one, is undamaged, and belongs to this key and these weights. The
 * caller releases it.
 */
export async function openEntry(
  path: string,
  key: Uint8Array,
  blocks: readonly NativeBlock[],
): Promise<CachedModel | undefined> {
  const parts = withMappableFile(path, (file) => mapParts(file, blocks));
  if (!parts) return undefined;
  const { model, rest } = parts;
  let isWhole = false;
  try {
    const footer = rest.bytes.subarray(-FOOTER_BYTES);
    isWhole = isFooterOf(footer, key) && await equalWeights(rest, blocks) &&
      equalBytes(await checksum(model.bytes, footer), footer.subarray(CHECKSUM_OFFSET));
    return isWhole ? { ...model, byteLength: lengthOf(footer) } : undefined;
  } finally {
    rest.release();
    if (!isWhole) model.release();
  }
}

/** Makes an entry of the model that ONNX Runtime has written to a file. */
export async function completeEntry(path: string, key: Uint8Array, blocks: readonly NativeBlock[]): Promise<void> {
  const length = await fileSize(path);
  await appendFile(path, [new Uint8Array(padded(length) - length)]);
  const model = withMappableFile(path, (file) => file.map(0, padded(length)));
  if (!model) throw new Error(`${path} is gone`);
  try {
    const footer = new Uint8Array(FOOTER_BYTES);
    footer.set(MAGIC);
    footer.set(key, KEY_OFFSET);
    new DataView(footer.buffer).setFloat64(LENGTH_OFFSET, length);
    footer.set(await checksum(model.bytes, footer), CHECKSUM_OFFSET);
    await appendFile(path, [...blocks.map(({ bytes }) => bytes), footer]);
  } finally {
    model.release();
  }
}

/** Of a file of a possible size only: what lies behind the end of a file must not be touched. */
function mapParts(file: MappableFile, blocks: readonly NativeBlock[]): Parts | undefined {
  const restBytes = totalBytes(blocks) + FOOTER_BYTES;
  const modelBytes = file.size - restBytes;
  if (modelBytes <= 0 || modelBytes % MAP_ALIGNMENT !== 0 || !Number.isSafeInteger(file.size)) return undefined;
  const model = file.map(0, modelBytes);
  try {
    return { model, rest: file.map(modelBytes, restBytes) };
  } catch (error) {
    model.release();
    throw error;
  }
}

function isFooterOf(footer: Uint8Array, key: Uint8Array): boolean {
  return equalBytes(footer.subarray(0, KEY_OFFSET), MAGIC) &&
    equalBytes(footer.subarray(KEY_OFFSET, LENGTH_OFFSET), key);
}

function lengthOf(footer: Uint8Array): number {
  return new DataView(footer.buffer, footer.byteOffset).getFloat64(LENGTH_OFFSET);
}

async function equalWeights(rest: Mapping, blocks: readonly NativeBlock[]): Promise<boolean> {
  let offset = 0;
  for (const { pointer, byteLength } of blocks) {
    if (!await equalMemory(offsetPointer(rest.pointer, offset), pointer, byteLength)) return false;
    offset += byteLength;
  }
  return true;
}

/**
 * 16 bytes that are others if the bytes are: for certain if 4 bytes in a row differ, else but for one case in 2³² or
 * less. Four strands, each of every fourth word. zlib's CRC is faster, but to load it takes longer than this.
 */
async function checksum(bytes: Uint8Array<ArrayBuffer>, footer: Uint8Array): Promise<Uint8Array> {
  const state = Int32Array.of(1, 2, 3, 4);
  mix(state, new Int32Array(footer.slice(0, CHECKSUM_OFFSET).buffer));
  for (let start = 0; start < bytes.byteLength; start += SLICE) {
    if (start > 0) await new Promise((resolve) => setTimeout(resolve, 0));
    mix(state, new Int32Array(bytes.buffer, start, Math.min(SLICE, bytes.byteLength - start) >>> 2));
  }
  return new Uint8Array(state.buffer);
}

/** Every step is a permutation of the 32 bits: what has made a difference once never stops to make one by itself. */
function mix(state: Int32Array, words: Int32Array): void {
  const factor = 0x9e3779b1; // The odd number next to 2³² divided by the golden ratio.
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  for (let i = 0; i < words.length; i += 4) {
    a = Math.imul(a ^ words[i]!, factor);
    b = Math.imul(b ^ words[i + 1]!, factor);
    c = Math.imul(c ^ words[i + 2]!, factor);
    d = Math.imul(d ^ words[i + 3]!, factor);
    a = (a << 15) | (a >>> 17);
    b = (b << 15) | (b >>> 17);
    c = (c << 15) | (c >>> 17);
    d = (d << 15) | (d >>> 17);
  }
  state.set([a, b, c, d]);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}

function totalBytes(blocks: readonly NativeBlock[]): number {
  return blocks.reduce((total, { byteLength }) => total + byteLength, 0);
}

function padded(length: number): number {
  return Math.ceil(length / MAP_ALIGNMENT) * MAP_ALIGNMENT;
}
