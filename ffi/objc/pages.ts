/**
 * Memory in whole pages, all zero.
 *
 * @module
 */

import { type Pointer, view } from "../memory.ts";
import { call } from "./call.ts";
import type { Symbols } from "./frameworks.ts";

/** Memory of our own that native code may use until it is freed. */
export interface PageBlock {
  readonly pointer: Pointer;
  /** The bytes. Counted by the garbage collector, so that forgotten memory is collected in time. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Gives the memory back, once. */
  free(): void;
}

/** Allocates whole pages. The system clears them as they are used first. Throws a RangeError if there are none. */
export type AllocatePages = (byteLength: number) => PageBlock;

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = Deno.build.os === "darwin" ? 0x1002 : 0x22;
const MAP_FAILED = 2n ** 64n - 1n;

/** Pages by the system's `mmap`. */
export function createPages({ mmap, munmap }: Pick<Symbols, "mmap" | "munmap">): AllocatePages {
  // addr, length, prot, flags, fd, offset
  const map = call(mmap, ["pointer", "usize", "i32", "i32", "i32", "i64"], "pointer");
  const unmap = call(munmap, ["pointer", "usize"], "i32");
  return (byteLength) => {
    const size = BigInt(Math.max(byteLength, 1));
    const pointer = map(null, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0n);
    if (pointer === null || Deno.UnsafePointer.value(pointer) === MAP_FAILED) {
      throw new RangeError(`the system has no ${byteLength} bytes of memory left`);
    }
    const bytes = new Uint8Array(view(pointer, byteLength));
    return {
      pointer,
      bytes,
      free() {
        if (byteLength > 0) bytes.buffer.transfer(0); // Nothing can touch the memory any more.
        unmap(pointer, size);
      },
    };
  };
}
