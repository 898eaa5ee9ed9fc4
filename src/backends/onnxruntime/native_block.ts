/**
 * The bytes of a constant, in memory of ONNX Runtime's allocator.
 *
 * @module
 */

import { adviseHugePages } from "../../../ffi/huge_pages.ts";
import { hashMemory } from "../../../ffi/memory_hash.ts";
import { offsetPointer, type Pointer, view } from "../../../ffi/memory.ts";
import type { Block } from "../backend.ts";
import { checkMemory } from "../common/memory.ts";
import { countAllocated, countFreed, type OrtRuntime } from "./runtime.ts";

/** Smaller weights are part of the model that the engine parses; it does not take over their memory. */
export const MIN_WEIGHT_BYTES = 4096;

/** The size of memory that small blocks share. */
const SHARED_BYTES = 2 ** 16;
/** The alignment of small blocks, in bytes. */
const ALIGNMENT = 16;

/** Allocated memory, freed with its last user. */
class Memory {
  /** Makes the garbage collector count the bytes, so that it collects unused constants in time. */
  readonly buffer: ArrayBuffer;
  #users = 0;
  #used = 0;

  constructor(readonly runtime: OrtRuntime, readonly pointer: Pointer, readonly byteLength: number) {
    this.buffer = view(pointer, byteLength);
  }

  static allocate(runtime: OrtRuntime, byteLength: number): Memory {
    checkMemory(byteLength);
    countAllocated(runtime, byteLength);
    const pointer = runtime.api.AllocatorAlloc(runtime.allocator, byteLength);
    adviseHugePages(pointer, byteLength);
    return new Memory(runtime, pointer, byteLength);
  }

  /** The offset of free memory for a small block; `undefined` if there is not enough. */
  take(byteLength: number): number | undefined {
    const offset = this.#used;
    if (this.#users === 0 && offset > 0 || offset + byteLength > this.byteLength) return undefined;
    this.#used = Math.ceil((offset + byteLength) / ALIGNMENT) * ALIGNMENT;
    return offset;
  }

  retain(): void {
    this.#users++;
  }

  release(): void {
    if (--this.#users > 0) return;
    this.disown();
    this.runtime.api.AllocatorFree(this.runtime.allocator, this.pointer);
    countFreed(this.runtime, this.byteLength);
  }

  /** Makes the memory inaccessible. */
  disown(): void {
    this.buffer.transfer(0);
  }
}

/** The memory for the next small blocks of a runtime. An allocation of their own would take about 20 µs. */
const shared = new WeakMap<OrtRuntime, Memory>();

function takeShared(runtime: OrtRuntime, byteLength: number): [Memory, offset: number] {
  const memory = shared.get(runtime);
  const offset = memory?.take(byteLength);
  if (memory && offset !== undefined) return [memory, offset];
  const next = Memory.allocate(runtime, SHARED_BYTES);
  shared.set(runtime, next);
  return [next, next.take(byteLength)!];
}

/** Counts its users: the owner, and each session that borrows it. The last one frees the memory. */
export class NativeBlock implements Block {
  readonly #memory: Memory;
  readonly #offset: number;
  #users = 1;
  /** A change of the bytes that is not made yet. */
  #edit: ((bytes: Uint8Array) => void) | undefined;
  /** Blocks derived from the bytes, by key. */
  #derived: Map<string, NativeBlock> | undefined;
  #hash: bigint | Promise<bigint> | undefined;

  private constructor(memory: Memory, offset: number, readonly byteLength: number) {
    this.#memory = memory;
    this.#offset = offset;
    memory.retain();
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
    const [memory, offset] = byteLength < MIN_WEIGHT_BYTES
      ? takeShared(runtime, byteLength)
      : [Memory.allocate(runtime, byteLength), 0];
    const block = new NativeBlock(memory, offset, byteLength);
    write(block.bytes);
    return block;
  }

  get runtime(): OrtRuntime {
    return this.#memory.runtime;
  }

  /** The address of the bytes, valid until the block is freed. */
  get pointer(): Pointer {
    this.settle();
    return offsetPointer(this.#memory.pointer, this.#offset);
  }

  /** The bytes, valid until the block is freed. */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.settle();
    return new Uint8Array(this.#memory.buffer, this.#offset, this.byteLength);
  }

  /** Changes the bytes in place: in `settle()`, or when they or their address are next used. */
  changeLater(edit: (bytes: Uint8Array) => void): void {
    this.settle();
    this.#edit = edit;
  }

  /** Makes a change that is not made yet. */
  settle(): void {
    const edit = this.#edit;
    if (edit === undefined) return;
    this.#edit = undefined;
    edit(this.bytes);
  }

  /**
   * The hash of the bytes, computed once; a promise if another thread computes it. The block must not be disowned
   * before that settles.
   */
  hash(): bigint | Promise<bigint> {
    return this.#hash ??= this.#computeHash();
  }

  /** Whether it has several users. */
  get isShared(): boolean {
    return this.#users > 1;
  }

  /** A block that is computed from this one, once, and freed with it. */
  derive(key: string, compute: () => Uint8Array): NativeBlock {
    this.#derived ??= new Map();
    return this.#derived.getOrInsertComputed(key, () => NativeBlock.copy(this.#memory.runtime, compute()));
  }

  /** Adds a user. */
  retain(): void {
    this.#users++;
  }

  /** Removes a user. Has no effect once the memory is freed. */
  release(): void {
    if (this.#users === 0 || --this.#users > 0) return;
    if (this.#derived) { for (const block of this.#derived.values()) block.release(); }
    this.#memory.release();
  }

  /**
   * Passes the memory to a native owner, which frees it with the allocator. The block must have only one user, and at
   * least {@linkcode MIN_WEIGHT_BYTES}.
   */
  disown(): void {
    this.#users = 0;
    this.#memory.disown();
  }

  #computeHash(): bigint | Promise<bigint> {
    const hash = hashMemory(this.pointer, this.byteLength);
    if (typeof hash === "bigint") return hash;
    // The other thread may still read the memory when the last user has released it.
    this.#memory.retain();
    return hash.finally(() => this.#memory.release());
  }
}
