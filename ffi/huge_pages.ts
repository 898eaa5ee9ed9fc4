/**
 * Large pieces of memory in large pages. A page of 4 KiB takes the kernel 1 to 3 µs when it is first touched, so that
 * 100 MB take about as long to be allocated as to be copied twice; pages of 2 MiB take a quarter of that. Linux gives
 * them where it is set to `always` or to `madvise`, as most distributions have it, and where they are asked for.
 *
 * @module
 */

import { offsetPointer, type Pointer } from "./memory.ts";
import { libc } from "./system.ts";

/** The size of a large page. */
const PAGE = 2 * 2 ** 20;

/** Smaller pieces hold few whole pages. */
const MIN_BYTES = 2 * PAGE;

const MADV_HUGEPAGE = 14;

const FUNCTIONS = {
  madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" }, // addr, length, advice
} as const;

let functions: ReturnType<typeof libc<typeof FUNCTIONS>> | undefined;

/**
 * Asks for large pages in memory that has not been touched yet: native, or of a new array. It is a hint: where it cannot
 * be had, nothing happens.
 */
export function adviseHugePages(memory: Pointer | Uint8Array<ArrayBuffer>, byteLength: number): void {
  if (byteLength < MIN_BYTES || Deno.build.os !== "linux") return;
  try {
    const pointer = memory instanceof Uint8Array ? Deno.UnsafePointer.of(memory)! : memory;
    const before = Number(-Deno.UnsafePointer.value(pointer) & BigInt(PAGE - 1));
    const pages = Math.floor((byteLength - before) / PAGE);
    functions ??= libc(FUNCTIONS);
    if (pages > 0) functions.madvise(offsetPointer(pointer, before), BigInt(pages * PAGE), MADV_HUGEPAGE);
  } catch {
    // The program may read files and not use foreign functions.
  }
}
