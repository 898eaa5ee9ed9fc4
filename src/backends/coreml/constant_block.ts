/**
 * The bytes of a constant, in JavaScript memory. The encoder streams them to the file of weights; no native code reads
 * them.
 *
 * @module
 */

import type { Block } from "../backend.ts";

/** Counts its users: the owner, and each executable that borrows it. The last one frees the memory. */
export class ConstantBlock implements Block {
  #users = 1;
  #bytes: Uint8Array<ArrayBuffer>;

  /** Copies the bytes, which may be in shared memory. */
  constructor(bytes: Uint8Array) {
    this.#bytes = new Uint8Array(bytes.byteLength);
    this.#bytes.set(bytes);
  }

  /** The bytes; empty once the block is freed. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Adds a user. */
  retain(): void {
    this.#users++;
  }

  /** Removes a user. Has no effect once the memory is freed. */
  release(): void {
    if (this.#users === 0 || --this.#users > 0) return;
    this.#bytes.buffer.transfer(0); // Free it now, not at some later garbage collection.
  }
}
