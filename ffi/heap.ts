/**
 * The C library's heap.
 *
 * @module
 */

import { systemFunctions } from "./system.ts";

let trim: (() => void) | undefined;

/**
 * Gives the free memory of the heap back to the operating system. The GNU C library keeps blocks of some megabytes once
 * it has seen one freed; others give them back by themselves, so that there is nothing to do. Takes about 0.1 ms per
 * megabyte that is given back.
 */
export function trimHeap(): void {
  trim ??= findTrim();
  trim();
}

function findTrim(): () => void {
  if (Deno.build.os !== "linux") return () => {};
  try {
    const { malloc_trim } = systemFunctions("libc.so.6", { malloc_trim: { parameters: ["usize"], result: "i32" } });
    return () => malloc_trim(0n);
  } catch {
    return () => {}; // Another C library.
  }
}
