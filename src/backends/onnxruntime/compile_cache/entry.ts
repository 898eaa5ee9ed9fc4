/**
 * An entry of the compile cache: a file with the optimised model in ONNX Runtime's own format, and what it was made of.
 *
 *     model        the model, then zeros up to a multiple of 64 KiB, from where a part of a file can be mapped
 *     description  of the graph
 *     weights      the blocks of the graph, one behind the other
 *     footer       32 bytes: what the file is; the length of the model in bytes; the hash of both and of the model
 *
 * Nothing of a file is believed. The footer comes last, so that a file that was cut has none. The description and the
 * weights are compared with those of the graph, byte by byte.
 *
 * @module
 */

import { equalMemory } from "../../../../ffi/equal_memory.ts";
import { appendFile, fileSize } from "../../../../ffi/files.ts";
import { MAP_ALIGNMENT, type MappableFile, type Mapping, withMappableFile } from "../../../../ffi/mapped_file.ts";
import { offsetPointer } from "../../../../ffi/memory.ts";
import type { NativeBlock } from "../native_block.ts";
import { Hash } from "./hash.ts";

const MAGIC = new TextEncoder().encode("WebNN 1\n");
const LENGTH_OFFSET = 8;
const HASH_OFFSET = 16;
const FOOTER_BYTES = 32;

/** Bytes that are hashed before the event loop gets a turn: a few milliseconds' work. */
const SLICE = 16 * 2 ** 20;

/** What an entry is made of. */
export interface Source {
  readonly description: Uint8Array<ArrayBuffer>;
  readonly blocks: readonly NativeBlock[];
}

/** An entry's model in memory, and how long it is: the memory goes on with zeros. */
export interface CachedModel extends Mapping {
  readonly byteLength: number;
}

/** The model of an entry, if the file at `path` is one, is undamaged, and was made of this. The caller releases it. */
export async function openEntry(path: string, source: Source): Promise<CachedModel | undefined> {
  const parts = withMappableFile(path, (file) => mapParts(file, source));
  if (!parts) return undefined;
  const footer = parts.rest.bytes.slice(-FOOTER_BYTES);
  let isSound = false;
  try {
    // One after the other, so that only one of the parts is in memory at a time.
    isSound = await isMadeOf(parts.rest, footer, source) && await isUndamaged(parts.model, footer);
    return isSound ? { ...parts.model, byteLength: new DataView(footer.buffer).getFloat64(LENGTH_OFFSET) } : undefined;
  } finally {
    if (!isSound) parts.model.release();
  }
}

/** Makes an entry of the file to which ONNX Runtime has written the model. */
export async function completeEntry(path: string, { description, blocks }: Source): Promise<void> {
  const length = await fileSize(path);
  const end = Math.ceil(length / MAP_ALIGNMENT) * MAP_ALIGNMENT;
  await appendFile(path, [new Uint8Array(end - length)]);
  const model = withMappableFile(path, (file) => file.map(0, end));
  if (!model) throw new Error(`${path} is gone`);
  try {
    const footer = new Uint8Array(FOOTER_BYTES);
    footer.set(MAGIC);
    new DataView(footer.buffer).setFloat64(LENGTH_OFFSET, length);
    footer.set(await hash(model.bytes, footer), HASH_OFFSET);
    await appendFile(path, [description, ...blocks.map(({ bytes }) => bytes), footer]);
  } finally {
    model.release();
  }
}

/** The parts of an entry in memory. */
interface Parts {
  readonly model: Mapping;
  readonly rest: Mapping;
}

/** Of a file of a possible size only: what lies behind the end of a file must not be touched. */
function mapParts(file: MappableFile, { description, blocks }: Source): Parts | undefined {
  const weightBytes = blocks.reduce((total, { byteLength }) => total + byteLength, 0);
  const restBytes = description.byteLength + weightBytes + FOOTER_BYTES;
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

/** Whether the description and the weights are the same. Releases the mapping. */
async function isMadeOf(rest: Mapping, footer: Uint8Array, { description, blocks }: Source): Promise<boolean> {
  try {
    if (!equalBytes(footer.subarray(0, LENGTH_OFFSET), MAGIC)) return false;
    if (!equalBytes(rest.bytes.subarray(0, description.byteLength), description)) return false;
    let offset = description.byteLength;
    for (const { pointer, byteLength } of blocks) {
      if (!await equalMemory(offsetPointer(rest.pointer, offset), pointer, byteLength)) return false;
      offset += byteLength;
    }
    return true;
  } finally {
    rest.release();
  }
}

async function isUndamaged(model: Mapping, footer: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return equalBytes(await hash(model.bytes, footer), footer.subarray(HASH_OFFSET));
}

/** The hash of the footer's first half and of the model. */
async function hash(model: Uint8Array<ArrayBuffer>, footer: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const hash = new Hash();
  hash.update(footer.subarray(0, HASH_OFFSET));
  for (let start = 0; start < model.byteLength; start += SLICE) {
    if (start > 0) await new Promise((resolve) => setTimeout(resolve, 0));
    hash.update(model.subarray(start, start + SLICE));
  }
  return hash.digest();
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
