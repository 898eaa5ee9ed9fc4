/**
 * Samples of memory while requests run.
 *
 * @module
 */

import { trimHeap } from "../../ffi/heap.ts";

/** The time between two samples, in milliseconds. */
export const TICK = 100;

/** Where the requests run, and how many of them at a time. */
export interface Phase {
  readonly isolate: "main" | "workers";
  readonly inFlight: number;
}

/** A sample of memory. */
export interface Sample {
  /** Since the first sample. */
  readonly seconds: number;
  /** The number of finished requests. */
  readonly requests: number;
  /** Resident memory of the process in bytes. */
  readonly resident: number;
}

/**
 * Resident memory in bytes, without garbage and free memory. V8 and the C library keep a varying amount of that, tens
 * of megabytes, which would hide growth.
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
