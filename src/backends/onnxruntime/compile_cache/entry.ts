/**
 * An entry of the compile cache: a file with the optimised model in ONNX Runtime's own format, and the source that it
 * was made from.
 *
 *     model        the model, the facts, then zeros up to a multiple of 64 KiB, so that the next part can be mapped
 *     description  of the graph
 *     hashes       of the weights, 8 bytes each
 *     footer       40 bytes: a magic number; the lengths of the model and of the facts; the hash of these three and of
 *                  the model with its facts and zeros
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

const MAGIC = new TextEncoder().encode("WebNN 4\n");
const LENGTH_OFFSET = 8;
const FACTS_LENGTH_OFFSET = 16;
const HASH_OFFSET = 24;
const FOOTER_BYTES = 40;

/** How many bytes one thread hashes at a time. */
const PART = 8 * 2 ** 20;
/** How many threads hash a file. Each has one part of it in memory. */
const HASHING_THREADS = 2;

/** What running a session needs to know about its graph. */
export interface Facts {
  /** The names of the session's inputs and outputs, in the order of the graph. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The estimated duration of a run. */
  readonly microseconds: number;
  /** The estimated memory of a run. */
  readonly peakBytes: number;
  /** Whether sessions of the entry pack their weights. */
  readonly packsWeights: boolean;
}

/** An entry's model in memory, and its length; other bytes follow it. */
export interface CachedModel extends Mapping {
  readonly byteLength: number;
  readonly facts: Facts;
}

/** The model of an entry, if the file at `path` is an undamaged entry made from this source. The caller releases it. */
export async function openEntry(path: string, source: Source): Promise<CachedModel | undefined> {
  const parts = withMappableFile(path, (file) => mapParts(file, source));
  if (!parts) return undefined;
  const { model, footer, isMadeOfSource } = parts;
  let isSound = false;
  try {
    isSound = isMadeOfSource && equalBytes(await hash(model, footer), footer.subarray(HASH_OFFSET));
    if (!isSound) return undefined;
    const view = new DataView(footer.buffer);
    const byteLength = view.getFloat64(LENGTH_OFFSET);
    const factsEnd = byteLength + view.getFloat64(FACTS_LENGTH_OFFSET);
    const facts = JSON.parse(new TextDecoder().decode(model.bytes.subarray(byteLength, factsEnd)));
    return { ...model, byteLength, facts };
  } finally {
    if (!isSound) model.release();
  }
}

/** Completes the file to which ONNX Runtime has written the model, so that it is an entry. */
export async function completeEntry(path: string, source: Source, facts: Facts): Promise<void> {
  const length = await fileSize(path);
  const factsBytes = new TextEncoder().encode(JSON.stringify(facts));
  const used = length + factsBytes.byteLength;
  const end = Math.ceil(used / MAP_ALIGNMENT) * MAP_ALIGNMENT;
  await appendFile(path, [factsBytes, new Uint8Array(end - used)]);
  const model = withMappableFile(path, (file) => file.map(0, end));
  if (!model) throw new Error(`${path} is gone`);
  try {
    const footer = new Uint8Array(FOOTER_BYTES);
    footer.set(MAGIC);
    const view = new DataView(footer.buffer);
    view.setFloat64(LENGTH_OFFSET, length);
    view.setFloat64(FACTS_LENGTH_OFFSET, factsBytes.byteLength);
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
      equalText(rest.bytes.subarray(0, description.byteLength), description) &&
      equalBytes(rest.bytes.subarray(description.byteLength, -FOOTER_BYTES), hashes);
    return { model: file.map(0, modelBytes), footer, isMadeOfSource };
  } finally {
    rest.release();
  }
}

/** The hash of the model, and of the part of the footer before the hash. */
async function hash(model: Mapping, footer: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { byteLength } = model.bytes;
  const hashed = new Uint8Array(HASH_OFFSET + HASH_BYTES * Math.ceil(byteLength / PART));
  hashed.set(footer.subarray(0, HASH_OFFSET));
  const hashes = new BigUint64Array(hashed.buffer, HASH_OFFSET);
  for (let start = 0; start < byteLength; start += HASHING_THREADS * PART) {
    if (start > 0) model.drop();
    const parts = Array.from({ length: HASHING_THREADS }, (_, i) => start + i * PART).filter((at) => at < byteLength);
    await Promise.all(parts.map(async (at) => {
      hashes[at / PART] = await hashMemory(offsetPointer(model.pointer, at), Math.min(PART, byteLength - at));
    }));
  }
  return await digest(hashed);
}

/** Whether the texts are equal. The description of a network is decoded in microseconds; a loop takes up to 1 ms. */
function equalText(a: Uint8Array, b: Uint8Array): boolean {
  const decoder = new TextDecoder();
  return decoder.decode(a) === decoder.decode(b);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
