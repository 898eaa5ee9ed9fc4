/**
 * Whether two pieces of native memory hold the same bytes.
 *
 * @module
 */

import type { Pointer } from "./memory.ts";
import { libc, systemFunctions } from "./system.ts";

/** What the C library compares in less than a millisecond; more is left to another thread. */
const BLOCKING_BYTES = 8 * 2 ** 20;

const BLOCKING = {
  memcmp: { parameters: ["pointer", "pointer", "usize"], result: "i32" }, // s1, s2, n
} as const;
const NONBLOCKING = {
  memcmp: { parameters: ["pointer", "pointer", "usize"], result: "i32", nonblocking: true },
} as const;

let compare: ReturnType<typeof bind<typeof BLOCKING>> | undefined;
let compareElsewhere: ReturnType<typeof bind<typeof NONBLOCKING>> | undefined;

/** Compares `length` bytes, which must stay where they are until it is done. */
export async function equalMemory(a: Pointer, b: Pointer, length: number): Promise<boolean> {
  if (length <= BLOCKING_BYTES) return (compare ??= bind(BLOCKING)).memcmp(a, b, BigInt(length)) === 0;
  return await (compareElsewhere ??= bind(NONBLOCKING)).memcmp(a, b, BigInt(length)) === 0;
}

function bind<const F extends Record<string, Deno.ForeignFunction>>(functions: F) {
  return Deno.build.os === "windows" ? systemFunctions("msvcrt.dll", functions) : libc(functions);
}
