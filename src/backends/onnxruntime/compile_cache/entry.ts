/**
 * An entry of the compile cache: a file with the optimised model in ONNX Runtime's own format, and the source that it
 * was made from.
 *
 *     model        the model, then zeros up to a multiple of 64 KiB, from where a part of a file can be mapped
 *     description  of the graph
 *     hashes       of the weights, 8 bytes each
 *     footer       32 bytes: what the file is; the length of the model in bytes; the hash of both and of the model
 *
 * Nothing in a file is trusted. The footer is at the end, so a truncated file has none.
 *
 * @module
 */

import { appendFile, fileSize } from "../../../../ffi/files.ts";
import { MAP_ALIGNMENT, type MappableFile, type Mapping, withMappableFile } from "../../../../ffi/mapped_file.ts";
import { offsetPointer } from "../../../../ffi/memory.ts";
import { HASH_BYTES, hashMemory } from "../../../../ffi/memory_hash.ts";
import { digest, type Source } from "./key.ts";

const MAGIC = new TextEncoder().encode("WebNN 2\n");
const LENGTH_OFFSET = 8;
const HASH_OFFSET = 16;
const FOOTER_BYTES = 32;

/** How many bytes of a file are in memory at a time while it is hashed. */
const PART = 16 * 2 ** 20;

/** An entry's model in memory, and its length; zeros follow it. */
export interface CachedModel extends Mapping {
  readonly byteLength: number;
}

/** The model of an entry, if the file at `path` is an undamaged entry made from this source. The caller releases it. */
export async function openEntry(path: string, source: Source): Promise<CachedModel | undefined> {
  const parts = withMappableFile(path, (file) => mapParts(file, source));
  if (!parts) return undefined;
  const { model, footer, isMadeOfSource } = parts;
  let isSound = false;
  try {
    isSound = isMadeOfSource && equalBytes(await hash(model, footer), footer.subarray(HASH_OFFSET));
    return isSound ? { ...model, byteLength: new DataView(footer.buffer).getFloat64(LENGTH_OFFSET) } : undefined;
  } finally {
    if (!isSound) model.release();
  }
}

/** Completes the file to which ONNX Runtime has written the model, so that it is an entry. */
export async function completeEntry(path: string, source: Source): Promise<void> {
  const length = await fileSize(path);
  const end = Math.ceil(length / MAP_ALIGNMENT) * MAP_ALIGNMENT;
  await appendFile(path, [new Uint8Array(end - length)]);
  const model = withMappableFile(path, (file) => file.map(0, end));
  if (!model) throw new Error(`${path} is gone`);
  try {
    const footer = new Uint8Array(FOOTER_BYTES);
    footer.set(MAGIC);
    new DataView(footer.buffer).setFloat64(LENGTH_OFFSET, length);
    footer.set(await hash(model, footer), HASH_OFFSET);
    await appendFile(path, [source.description, source.hashes, footer]);
  } finally {
    model.release();
  }
}

/** The parts of an entry. Only the model stays mapped. */
interface Parts {
  readonly model: Mapping;
  readonly footer: Uint8Array<ArrayBuffer>;
  /** Whether the description and the hashes of the weights match. */
  readonly isMadeOfSource: boolean;
}

/** Maps a file if its size is possible: reading beyond the end of a mapped file would crash the process. */
function mapParts(file: MappableFile, { description, hashes }: Source): Parts | undefined {
  const restBytes = description.byteLength + hashes.byteLength + FOOTER_BYTES;
  const modelBytes = file.size - restBytes;
  if (modelBytes <= 0 || modelBytes % MAP_ALIGNMENT !== 0 || !Number.isSafeInteger(file.size)) return undefined;
  const rest = file.map(modelBytes, restBytes);
  try {
    const footer = rest.bytes.slice(-FOOTER_BYTES);
    const isMadeOfSource = equalBytes(footer.subarray(0, LENGTH_OFFSET), MAGIC) &&
      equalBytes(rest.bytes.subarray(0, description.byteLength), description) &&
      equalBytes(rest.bytes.subarray(description.byteLength, -FOOTER_BYTES), hashes);
    return { model: file.map(0, modelBytes), footer, isMadeOfSource };
  } finally {
    rest.release();
  }
}

/** The hash of the first half of the footer and of the model. */
async function hash(model: Mapping, footer: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { byteLength } = model.bytes;
  const hashes = new Uint8Array(HASH_OFFSET + HASH_BYTES * Math.ceil(byteLength / PART));
  hashes.set(footer.subarray(0, HASH_OFFSET));
  for (let start = 0, at = HASH_OFFSET; start < byteLength; start += PART, at += HASH_BYTES) {
    if (start > 0) model.drop();
    hashes.set(await hashMemory(offsetPointer(model.pointer, start), Math.min(PART, byteLength - start)), at);
  }
  return await digest(hashes);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
