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

/** The minimum time between two trims, in milliseconds. */
const INTERVAL = 2;
/** The pause after a trim, as a multiple of the trim's duration: trimming a large heap takes some milliseconds. */
const PAUSE = 4;

/**
 * Trims the heap repeatedly while another thread works, and once at the end. Each thread allocates in its own part of
 * the heap, so without the trims, memory that one thread has freed adds to what the other allocates.
 */
export async function trimHeapDuring<T>(work: Promise<T>): Promise<T> {
  const trimSoon = (delay: number) =>
    setTimeout(() => {
      const began = performance.now();
      trimHeap();
      timer = trimSoon(Math.max(INTERVAL, PAUSE * (performance.now() - began)));
    }, delay);
  let timer = trimSoon(INTERVAL);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    trimHeap();
  }
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
