/**
 * Zeroed memory in whole pages.
 *
 * @module
 */

import { type Pointer, view } from "../memory.ts";
import { call } from "./call.ts";
import type { Symbols } from "./frameworks.ts";

/** Memory that native code may use until it is freed. */
export interface PageBlock {
  readonly pointer: Pointer;
  /** The bytes. The garbage collector counts them, so unused memory is collected in time. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Frees the memory. Call it once. */
  free(): void;
}

/** Allocates whole pages, which the system zeroes on first use. Throws a RangeError if there is not enough memory. */
export type AllocatePages = (byteLength: number) => PageBlock;

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = Deno.build.os === "darwin" ? 0x1002 : 0x22;
const MAP_FAILED = 2n ** 64n - 1n;

/** Allocates pages with `mmap`. */
export function createPages({ mmap, munmap }: Pick<Symbols, "mmap" | "munmap">): AllocatePages {
  // addr, length, prot, flags, fd, offset
  const map = call(mmap, ["pointer", "usize", "i32", "i32", "i32", "i64"], "pointer");
  const unmap = call(munmap, ["pointer", "usize"], "i32");
  return (byteLength) => {
    const size = BigInt(Math.max(byteLength, 1));
    const pointer = map(null, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0n);
    if (pointer === null || Deno.UnsafePointer.value(pointer) === MAP_FAILED) {
      throw new RangeError(`the system could not allocate ${byteLength} bytes of memory`);
    }
    const bytes = new Uint8Array(view(pointer, byteLength));
    return {
      pointer,
      bytes,
      free() {
        if (byteLength > 0) bytes.buffer.transfer(0); // Makes the memory inaccessible.
        unmap(pointer, size);
      },
    };
  };
}
