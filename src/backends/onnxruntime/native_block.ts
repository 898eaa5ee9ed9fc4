/**
 * The bytes of a constant, in memory of ONNX Runtime's allocator.
 *
 * @module
 */

import { adviseHugePages } from "../../../ffi/huge_pages.ts";
import { hashMemory } from "../../../ffi/memory_hash.ts";
import { type Pointer, view } from "../../../ffi/memory.ts";
import type { Block } from "../backend.ts";
import { checkMemory } from "../common/memory.ts";
import { countAllocated, countFreed, type OrtRuntime } from "./runtime.ts";

/** Counts its users: the owner, and each session that borrows it. The last one frees the memory. */
export class NativeBlock implements Block {
  #users = 1;
  /** Blocks derived from the bytes, by key. */
  readonly #derived = new Map<string, NativeBlock>();
  /** Makes the garbage collector count the bytes, so that it collects unused constants in time. */
  readonly #view: ArrayBuffer;
  #hash: Promise<Uint8Array<ArrayBuffer>> | undefined;
  #isHashing = false;

  private constructor(readonly runtime: OrtRuntime, readonly pointer: Pointer, readonly byteLength: number) {
    this.#view = view(pointer, byteLength);
  }

  /** Copies bytes into native memory. */
  static copy(runtime: OrtRuntime, bytes: Uint8Array): NativeBlock {
    return NativeBlock.make(runtime, bytes.byteLength, (copy) => copy.set(bytes));
  }

  /** Allocates native memory, and lets `write` set its bytes. */
  static make(
    runtime: OrtRuntime,
    byteLength: number,
    write: (bytes: Uint8Array<ArrayBuffer>) => void,
  ): NativeBlock {
    checkMemory(byteLength);
    countAllocated(runtime, byteLength);
    const pointer = runtime.api.AllocatorAlloc(runtime.allocator, byteLength);
    adviseHugePages(pointer, byteLength);
    const block = new NativeBlock(runtime, pointer, byteLength);
    write(block.bytes);
    return block;
  }

  /** The bytes, valid until the block is freed. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view);
  }

  /** The hash of the bytes, computed once. The block must not be disowned before the promise settles. */
  hash(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#hash ??= this.#computeHash();
  }

  /** Whether it has several users. */
  get isShared(): boolean {
    return this.#users > 1;
  }

  /** A block that is computed from this one, once, and freed with it. */
  derive(key: string, compute: () => Uint8Array): NativeBlock {
    return this.#derived.getOrInsertComputed(key, () => NativeBlock.copy(this.runtime, compute()));
  }

  /** Adds a user. */
  retain(): void {
    this.#users++;
  }

  /** Removes a user. Has no effect once the memory is freed. */
  release(): void {
    if (this.#users === 0 || --this.#users > 0) return;
    for (const block of this.#derived.values()) block.release();
    this.#view.transfer(0); // Makes the memory inaccessible.
    if (!this.#isHashing) this.#free();
  }

  /** Passes the memory to a native owner, which frees it with the allocator. The block must have only one user. */
  disown(): void {
    this.#users = 0;
    this.#view.transfer(0);
  }

  /** Another thread may still read the memory when the last user has released it. */
  async #computeHash(): Promise<Uint8Array<ArrayBuffer>> {
    this.#isHashing = true;
    try {
      return await hashMemory(this.pointer, this.byteLength);
    } finally {
      this.#isHashing = false;
      if (this.#users === 0) this.#free();
    }
  }

  #free(): void {
    this.runtime.api.AllocatorFree(this.runtime.allocator, this.pointer);
    countFreed(this.runtime, this.byteLength);
  }
}
