/**
 * The heap of the C library.
 *
 * @module
 */

import { systemFunctions } from "./system.ts";

let trim: (() => void) | undefined;

/**
 * Returns free heap memory to the operating system. The GNU C library keeps blocks of some megabytes once it has freed
 * one of that size; other C libraries return them by themselves. Takes about 0.1 ms per megabyte returned.
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
