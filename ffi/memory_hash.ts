/**
 * Hashes of native memory; those of large memory are computed on another thread.
 *
 * @module
 */

import { offsetPointer, type Pointer, view } from "./memory.ts";
import { systemFunctions } from "./system.ts";

/** The bytes of a hash. */
export const HASH_BYTES = 8;

/**
 * More bytes are hashed on another thread. Hashing this many takes 1.4 ms, about as long as copying them; waking a thread
 * takes up to a millisecond on a virtual machine.
 */
const BLOCKING_BYTES = 6 * 2 ** 20;

/** `std::_Hash_bytes(const void* ptr, size_t len, size_t seed)` of the GNU C++ library: MurmurHash of 64 bits. */
const HASH_BYTES_SYMBOL = "_ZSt11_Hash_bytesPKvmm";
const PARAMETERS = ["pointer", "usize", "usize"] as const;
const BLOCKING = { [HASH_BYTES_SYMBOL]: { parameters: PARAMETERS, result: "usize" } } as const;
const NONBLOCKING = { [HASH_BYTES_SYMBOL]: { parameters: PARAMETERS, result: "usize", nonblocking: true } } as const;

/** The first digits of the fraction of π. */
const SEED = 0x243f6a8885a308d3n;

/**
 * Hashes memory; returns a promise if another thread does that. The memory must neither change nor be freed until the
 * promise settles.
 */
export type MemoryHash = (pointer: Pointer, byteLength: number) => bigint | Promise<bigint>;

let hash: MemoryHash | undefined;

/**
 * A 64-bit hash. Memory that differs only within 8 bytes always has different hashes; otherwise the probability of a
 * collision is 2⁻⁶⁴. It does not protect from forgery, and differs between operating systems.
 *
 * On Linux it is computed by the C++ library, which ONNX Runtime needs anyway (4 GB/s on the developers' machine).
 * Elsewhere it is a part of a SHA-256, which needs copies of parts of the memory.
 */
export const hashMemory: MemoryHash = (pointer, byteLength) => (hash ??= findHash())(pointer, byteLength);

function findHash(): MemoryHash {
  if (Deno.build.os !== "linux") return hashByCrypto;
  try {
    const inline = systemFunctions("libstdc++.so.6", BLOCKING)[HASH_BYTES_SYMBOL];
    const elsewhere = systemFunctions("libstdc++.so.6", NONBLOCKING)[HASH_BYTES_SYMBOL];
    return (pointer, byteLength) =>
      (byteLength <= BLOCKING_BYTES ? inline : elsewhere)(pointer, BigInt(byteLength), SEED);
  } catch {
    return hashByCrypto;
  }
}

/** Bytes to copy at a time: this takes a millisecond and little memory. */
const PART = 4 * 2 ** 20;

/** The hash for systems other than Linux, by the Web Cryptography API. */
export const hashByCrypto: MemoryHash = async (pointer, byteLength) => {
  const digests: Uint8Array[] = [];
  for (let start = 0; start < byteLength; start += PART) {
    const part = view(offsetPointer(pointer, start), Math.min(PART, byteLength - start));
    digests.push(new Uint8Array(await crypto.subtle.digest("SHA-256", part)));
  }
  const all = new Uint8Array(await new Blob(digests as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  return new DataView(await crypto.subtle.digest("SHA-256", all)).getBigUint64(0);
};
