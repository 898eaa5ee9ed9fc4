/**
 * The bytes of a constant, in memory of JavaScript: the encoder streams them into the file of weights, and nothing native
 * ever looks at them.
 *
 * @module
 */

import type { Block } from "../backend.ts";

/** Counts its users: the one who stored it and each executable that borrows it. The last one lets the memory go. */
export class ConstantBlock implements Block {
  #users = 1;
  #bytes: Uint8Array<ArrayBuffer>;

  /** Copies bytes, which may lie in shared memory. */
  constructor(bytes: Uint8Array) {
    this.#bytes = new Uint8Array(bytes.byteLength);
    this.#bytes.set(bytes);
  }

  /** The bytes, valid as long as the block; empty afterwards. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Adds a user. */
  retain(): void {
    this.#users++;
  }

  /** Removes a user; does nothing once the memory is gone. */
  release(): void {
    if (this.#users === 0 || --this.#users > 0) return;
    this.#bytes.buffer.transfer(0); // Frees at once what the garbage collector would come to much later.
  }
}
