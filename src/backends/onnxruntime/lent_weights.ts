/**
 * Weights that another thread copies while the builder's calls continue.
 *
 * @module
 */

import { blockList } from "../../../ffi/memory.ts";
import { MAX_BLOCKS, type ScatteredCopy, scatteredCopy } from "../../../ffi/scattered_copy.ts";
import { NativeBlock } from "./native_block.ts";
import type { OrtRuntime } from "./runtime.ts";

/** Smaller weights are copied at once. */
export const MIN_LENT_BYTES = 2 ** 16;

/** How many bytes are copied in one call. Each takes up to 0.4 ms to wake the other thread. */
const BATCH_BYTES = 8 * 2 ** 20;

/** A weight, and the bytes that it will have. */
interface Copy {
  readonly block: NativeBlock;
  readonly source: Uint8Array<ArrayBuffer>;
}

/** The copies of a device. */
export class LentWeights {
  #batch: Copy[] = [];
  #batchBytes = 0;
  readonly #running = new Set<Promise<void>>();
  #failure: unknown;

  constructor(readonly runtime: OrtRuntime, readonly copy: ScatteredCopy = scatteredCopy) {}

  /** Allocates a block that gets the bytes later. They must not change before {@linkcode LentWeights.returned}. */
  add(source: Uint8Array<ArrayBuffer>): NativeBlock {
    const block = NativeBlock.make(this.runtime, source.byteLength, () => {});
    block.retain();
    this.#batch.push({ block, source });
    this.#batchBytes += source.byteLength;
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length === MAX_BLOCKS) this.#start();
    return block;
  }

  /** Resolves when all blocks have their bytes. Rejects if the bytes of one were freed before. */
  async returned(): Promise<void> {
    this.#start();
    await Promise.all(this.#running);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure;
  }

  #start(): void {
    const [batch, bytes] = [this.#batch, this.#batchBytes];
    if (batch.length === 0) return;
    [this.#batch, this.#batchBytes] = [[], 0];
    const running: Promise<void> = this.#run(batch, bytes)
      .catch((error) => void (this.#failure = error)) // Nobody may be waiting yet.
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #run(batch: readonly Copy[], bytes: number): Promise<void> {
    // In native memory, because the isolate may end during the copy.
    const [targets, sources] = [
      this.#listOf(batch.map(({ block }) => [block.pointer, block.byteLength])),
      this.#listOf(batch.map(({ source }) => [source, source.byteLength])),
    ];
    try {
      if (await this.copy(targets.pointer, sources.pointer, batch.length) === bytes) return;
      for (const { block, source } of batch) block.bytes.set(source);
    } finally {
      for (const { block } of batch) block.release();
      targets.release();
      sources.release();
    }
  }

  #listOf(blocks: Parameters<typeof blockList>[0]): NativeBlock {
    return NativeBlock.copy(this.runtime, new Uint8Array(blockList(blocks).buffer));
  }
}
