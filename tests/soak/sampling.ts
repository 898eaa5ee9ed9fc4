/**
 * How memory is looked at while requests run.
 *
 * @module
 */

import { trimHeap } from "../../ffi/heap.ts";

/** Milliseconds between two looks at the memory. */
export const TICK = 100;

/** Where and how many requests are in flight. */
export interface Phase {
  readonly isolate: "main" | "workers";
  readonly inFlight: number;
}

/** A look at the memory. */
export interface Sample {
  /** Since the beginning. */
  readonly seconds: number;
  /** How many requests are done. */
  readonly requests: number;
  /** Resident memory of the process in bytes. */
  readonly resident: number;
}

/**
 * Resident memory in bytes, without what is free: V8 and the C library keep tens of megabytes of it for what may come,
 * now more, now less, which would hide growth.
 */
export function residentMemory(): number {
  collectGarbage();
  trimHeap();
  return Deno.memoryUsage().rss;
}

/** Collects the garbage of this isolate. */
export function collectGarbage(): void {
  (globalThis as unknown as { gc(): void }).gc();
}
