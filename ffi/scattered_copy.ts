/**
 * Copies of many blocks of memory, on another thread.
 *
 * @module
 */

import type { Pointer } from "./memory.ts";
import { systemFunctions } from "./system.ts";

const FUNCTIONS = {
  // pid, local_iov, liovcnt, remote_iov, riovcnt, flags
  process_vm_readv: {
    parameters: ["i32", "pointer", "usize", "pointer", "usize", "usize"],
    result: "isize",
    nonblocking: true,
  },
} as const;

/**
 * Copies blocks on another thread. The lists are in native memory: `struct iovec[count]`, the address and size of each
 * block. All memory of `targets` must stay allocated until the promise settles. If memory of `sources` is freed
 * earlier, for example because its isolate ends, the process does not crash, because the kernel makes the copy.
 * @returns the number of copied bytes, which is less than all if the system does not allow such copies
 */
export type ScatteredCopy = (targets: Pointer, sources: Pointer, count: number) => Promise<number>;

/** The maximum number of blocks in a call. */
export const MAX_BLOCKS = 1024;

let copy: ScatteredCopy | undefined;

/** {@linkcode ScatteredCopy} for this system; on systems other than Linux, it copies nothing. */
export const scatteredCopy: ScatteredCopy = (targets, sources, count) => (copy ??= findCopy())(targets, sources, count);

function findCopy(): ScatteredCopy {
  if (Deno.build.os !== "linux") return () => Promise.resolve(0);
  try {
    const { process_vm_readv } = systemFunctions("libc.so.6", FUNCTIONS);
    const { pid } = Deno;
    return async (targets, sources, count) =>
      Number(await process_vm_readv(pid, targets, BigInt(count), sources, BigInt(count), 0n));
  } catch {
    return () => Promise.resolve(0); // Another C library.
  }
}
