/**
 * Weights that another thread reads from a file while the builder's calls continue.
 *
 * @module
 */

import { blockList, offsetPointer, type Pointer } from "../../../ffi/memory.ts";
import { MAX_BLOCKS } from "../../../ffi/partial_file.ts";
import type { FileRange } from "../backend.ts";
import { NativeBlock } from "./native_block.ts";
import { allocateForFile, type OrtRuntime } from "./runtime.ts";

/** How many bytes are read at once. Each reading takes up to 0.4 ms to wake the other thread. */
const BATCH_BYTES = 8 * 2 ** 20;

/** Larger weights are read at once, because the system may read less than 2 GiB in a call. */
const MAX_LATER_BYTES = 2 ** 30;

/** The bytes between two weights of one call; more are skipped by another call. */
const MAX_GAP = 2 ** 16;

/** The maximum size of a weight's part in a list: two `struct iovec`. */
const MAX_LIST_BYTES = 32;

/** A weight, and where it is. */
interface Weight {
  readonly block: NativeBlock;
  readonly range: FileRange;
}

/** The weights of a device that are not read yet. */
export class FileWeights {
  #batch: Weight[] = [];
  #batchBytes = 0;

  constructor(readonly runtime: OrtRuntime) {}

  /** Allocates a block for bytes that are read later. */
  add(range: FileRange): NativeBlock {
    const { byteLength, file, offset } = range;
    const isHuge = byteLength > MAX_LATER_BYTES;
    const write = (bytes: Uint8Array<ArrayBuffer>) => isHuge && file.readNow(bytes, offset);
    const block = allocateForFile(this.runtime, () => NativeBlock.make(this.runtime, byteLength, write));
    if (isHuge) return block;
    block.retain();
    this.#batch.push({ block, range });
    this.#batchBytes += byteLength;
    if (this.#batchBytes >= BATCH_BYTES) this.start();
    return block;
  }

  /** Starts to read the bytes of all blocks that are not read yet. Throws if there is not enough memory. */
  start(): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    // The bytes between weights are read into its start, and not used; the lists of blocks follow.
    const memory = NativeBlock.make(this.runtime, MAX_GAP + MAX_LIST_BYTES * batch.length, () => {});
    [this.#batch, this.#batchBytes] = [[], 0];
    let at = MAX_GAP;
    const reads = runsOf(batch).map((run) => {
      const list = blockList(blocksOf(run, memory.pointer));
      const pointer = offsetPointer(memory.pointer, at);
      memory.bytes.set(new Uint8Array(list.buffer), at);
      at += list.byteLength;
      const [first, last] = [run[0]!.range, run.at(-1)!.range];
      const byteLength = last.offset + last.byteLength - first.offset;
      return first.file.readInto(pointer, list.length / 2, byteLength, first.offset);
    });
    Promise.all(reads).then(() => {
      for (const { block } of batch) block.release();
      memory.release();
    });
  }
}

/** The blocks into which a run is read, in the order of the file. What is between weights goes to `gaps`. */
function blocksOf(run: readonly Weight[], gaps: Pointer): [Pointer, number][] {
  const blocks: [Pointer, number][] = [];
  let end = run[0]!.range.offset;
  for (const { block, range } of run) {
    if (range.offset > end) blocks.push([gaps, range.offset - end]);
    blocks.push([block.pointer, range.byteLength]);
    end = range.offset + range.byteLength;
  }
  return blocks;
}

/** Divides weights into runs that one call can read, in the order of the file. */
function runsOf(weights: readonly Weight[]): Weight[][] {
  const runs: Weight[][] = [];
  for (const ofFile of Map.groupBy(weights, ({ range }) => range.file).values()) {
    let end = -Infinity;
    for (const weight of ofFile.sort((a, b) => a.range.offset - b.range.offset)) {
      const { offset, byteLength } = weight.range;
      const follows = offset >= end && offset - end <= MAX_GAP;
      if (follows && runs.at(-1)!.length < MAX_BLOCKS / 2) runs.at(-1)!.push(weight);
      else runs.push([weight]);
      end = offset + byteLength;
    }
  }
  return runs;
}
