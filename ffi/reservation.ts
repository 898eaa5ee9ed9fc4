/**
 * Address space without memory: a weight for V8's scales.
 *
 * V8 collects garbage as memory grows, and knows of native memory only what an ArrayBuffer shows it. A forgotten object
 * that owns a hundred megabytes of native memory weighs a few bytes to V8, and its finalizer runs far too late: of 300
 * forgotten blocks of 4 MB, 94 were collected as long as nothing showed their size, and all 300 with an ArrayBuffer over
 * each. Where memory has an address, a view of it is enough. What a session of ONNX Runtime owns has none that anyone
 * could name; its holder keeps a reservation of the same size in its place.
 *
 * @module
 */

import { type Pointer, view } from "./memory.ts";
import { libc, systemFunctions } from "./system.ts";

/** A range of addresses that V8 counts as if it were memory. */
export interface Reservation {
  /** The range, or an empty buffer if there was none to be had. Hold it; it is not to be read or written. */
  readonly buffer: ArrayBuffer;
  /**
   * Gives the range back, once, and detaches the buffer, so that V8 forgets its bytes at once. It does not hold the
   * buffer, and so can be called by a finalizer of whoever does.
   */
  readonly release: () => void;
}

/** Reserves `byteLength` bytes of address space. Never fails: without the space, V8 just counts less. */
export function reserve(byteLength: number): Reservation {
  const address = byteLength > 0 ? addressSpace().map(BigInt(byteLength)) : null;
  if (address === null) return { buffer: new ArrayBuffer(0), release() {} };
  const buffer = view(address, byteLength);
  offerCollection();
  return { buffer, release: releaser(new WeakRef(buffer), address, BigInt(byteLength)) };
}

/**
 * To be called when a view that V8 counts has been made. V8 collects young buffers once there are 64 MB of them, but it
 * looks only when it allocates memory for one itself, and a view of native memory is none. Without this, 300 forgotten
 * blocks of 4 MB came to 560 MB before they were collected, and with it to 70 MB. Takes 0.3 us.
 */
export function offerCollection(): void {
  new ArrayBuffer(1);
}

/** A function of its own, so that what it returns closes over nothing but its parameters. */
function releaser(buffer: WeakRef<ArrayBuffer>, address: Pointer, byteLength: bigint): () => void {
  let released = false;
  return () => {
    if (released) return; // By then the range may be another's.
    released = true;
    buffer.deref()?.transfer(0);
    addressSpace().unmap(address, byteLength);
  };
}

interface AddressSpace {
  map(byteLength: bigint): Deno.PointerValue;
  unmap(address: Pointer, byteLength: bigint): void;
}

let space: AddressSpace | undefined;

function addressSpace(): AddressSpace {
  return space ??= Deno.build.os === "windows" ? windowsAddressSpace() : posixAddressSpace();
}

const POSIX = {
  // addr, length, prot, flags, fd, offset
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" }, // addr, length
} as const;

/** Readable, so that a debugger that shows the buffer sees zeros; not writable, so that no memory is promised for it. */
const PROT_READ = 1;
const MAP_FAILED = 2n ** 64n - 1n;
const MAP_PRIVATE = 0x2;
const LINUX_MAP_ANONYMOUS_NORESERVE = 0x4020;
const MACOS_MAP_ANON_NORESERVE = 0x1040;

function posixAddressSpace(): AddressSpace {
  const { mmap, munmap } = libc(POSIX);
  const unbacked = Deno.build.os === "darwin" ? MACOS_MAP_ANON_NORESERVE : LINUX_MAP_ANONYMOUS_NORESERVE;
  return {
    map(byteLength) {
      const address = mmap(null, byteLength, PROT_READ, MAP_PRIVATE | unbacked, -1, 0n);
      return Deno.UnsafePointer.value(address) === MAP_FAILED ? null : address;
    },
    unmap: munmap,
  };
}

const WINDOWS = {
  // lpAddress, dwSize, flAllocationType, flProtect
  VirtualAlloc: { parameters: ["pointer", "usize", "u32", "u32"], result: "pointer" },
  VirtualFree: { parameters: ["pointer", "usize", "u32"], result: "i32" }, // lpAddress, dwSize, dwFreeType
} as const;

const MEM_RESERVE = 0x2000;
const MEM_RELEASE = 0x8000;
const PAGE_NOACCESS = 0x1;

function windowsAddressSpace(): AddressSpace {
  const { VirtualAlloc, VirtualFree } = systemFunctions("kernel32.dll", WINDOWS);
  return {
    map: (byteLength) => VirtualAlloc(null, byteLength, MEM_RESERVE, PAGE_NOACCESS),
    unmap: (address) => VirtualFree(address, 0n, MEM_RELEASE),
  };
}
