/**
 * The bytes of a constant in memory of ONNX Runtime's allocator.
 *
 * @module
 */

import { adviseHugePages } from "../../../ffi/huge_pages.ts";
import { hashMemory } from "../../../ffi/memory_hash.ts";
import { type Pointer, view } from "../../../ffi/memory.ts";
import type { Block } from "../backend.ts";
import { checkMemory } from "../common/memory.ts";
import { countAllocated, countFreed, type OrtRuntime } from "./runtime.ts";

/** Counts its users: the one who stored it and each session that borrows it. The last one frees the memory. */
export class NativeBlock implements Block {
  #users = 1;
  /** What graphs made of the bytes, by how they did. */
  readonly #derived = new Map<string, NativeBlock>();
  /** Counted by the garbage collector, so that forgotten constants are collected in time. */
  readonly #view: ArrayBuffer;
  #hash: Promise<Uint8Array<ArrayBuffer>> | undefined;

  private constructor(readonly runtime: OrtRuntime, readonly pointer: Pointer, readonly byteLength: number) {
    this.#view = view(pointer, byteLength);
  }

  /** Copies bytes into native memory. */
  static copy(runtime: OrtRuntime, bytes: Uint8Array): NativeBlock {
    checkMemory(bytes.byteLength);
    countAllocated(runtime, bytes.byteLength);
    const pointer = runtime.api.AllocatorAlloc(runtime.allocator, bytes.byteLength);
    adviseHugePages(pointer, bytes.byteLength);
    const block = new NativeBlock(runtime, pointer, bytes.byteLength);
    new Uint8Array(block.#view).set(bytes);
    return block;
  }

  /** The bytes, valid as long as the block. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view);
  }

  /** The hash of the bytes, computed once. The block must not be released before it is there. */
  hash(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#hash ??= hashMemory(this.pointer, this.byteLength);
  }

  /** Whether more than one uses it. */
  get isShared(): boolean {
    return this.#users > 1;
  }

  /** A block that is computed of this one, once, and freed with it. */
  derive(key: string, compute: () => Uint8Array): NativeBlock {
    return this.#derived.getOrInsertComputed(key, () => NativeBlock.copy(this.runtime, compute()));
  }

  /** Adds a user. */
  retain(): void {
    this.#users++;
  }

  /** Removes a user; does nothing once the memory is gone. */
  release(): void {
    if (this.#users === 0 || --this.#users > 0) return;
    for (const block of this.#derived.values()) block.release();
    this.#view.transfer(0); // Nothing can touch the memory any more.
    this.runtime.api.AllocatorFree(this.runtime.allocator, this.pointer);
    countFreed(this.runtime, this.byteLength);
  }

  /** Gives the memory to a native owner, which frees it by the allocator: the block's only user is gone. */
  disown(): void {
    this.#users = 0;
    this.#view.transfer(0);
  }
}
