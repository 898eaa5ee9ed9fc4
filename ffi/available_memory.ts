/**
 * The memory that is still available, queried through FFI. `Deno.systemMemoryInfo` would need another permission, and
 * does not know the limit of a container.
 *
 * @module
 */

import { kernelFileReader } from "./kernel_file.ts";
import { addressSpaceInUse, linuxMemory } from "./linux_memory.ts";
import { libc, systemFunctions } from "./system.ts";

let probe: (() => number) | undefined;

/**
 * The bytes that this process can still allocate before the machine, its container or its own limit runs out; Infinity
 * if the system does not say. An estimate: other programs may allocate memory at any time.
 *
 * @throws {Deno.errors.NotCapable} without --allow-ffi.
 */
export function availableMemory(): number {
  probe ??= findProbe();
  return Math.max(0, probe());
}

function findProbe(): () => number {
  try {
    return PROBES[Deno.build.os]?.() ?? unknown;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    return unknown; // This C library does not have these functions.
  }
}

const PROBES: Partial<Record<typeof Deno.build.os, () => () => number>> = {
  darwin: macosProbe,
  linux: linuxProbe,
  windows: windowsProbe,
};

function unknown(): number {
  return Infinity;
}

const LINUX = {
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" }, // resource, rlim
} as const;

const RLIMIT_AS = 9;
const RLIM_INFINITY = 2n ** 64n - 1n;

function linuxProbe(): () => number {
  const { getrlimit } = libc(LINUX);
  const readFile = kernelFileReader();
  const memory = linuxMemory(readFile);
  const limit = new BigUint64Array(2); // struct rlimit: rlim_cur, rlim_max
  const addressSpace = () => {
    const limited = getrlimit(RLIMIT_AS, limit) === 0 && limit[0] !== RLIM_INFINITY;
    return limited ? Number(limit[0]) - addressSpaceInUse(readFile) : Infinity;
  };
  return () => Math.min(memory(), addressSpace());
}

const MACOS = {
  host_page_size: { parameters: ["u32", "buffer"], result: "i32" }, // host, out_page_size
  host_statistics64: { parameters: ["u32", "i32", "buffer", "buffer"], result: "i32" }, // host, flavor, info, count
  mach_host_self: { parameters: [], result: "u32" },
} as const;

const HOST_VM_INFO64 = 4;

/**
 * Counts every page that is neither wired nor already compressed, as the kernel does, because it compresses the pages
 * of idle programs to make room. Counting only free pages would reject what macOS grants.
 */
function macosProbe(): () => number {
  const { host_page_size, host_statistics64, mach_host_self } = libc(MACOS);
  const host = mach_host_self(); // Kept, because each call takes a new port right.
  const pageSize = new BigUint64Array(1);
  if (host_page_size(host, pageSize) !== 0) return unknown;
  const statistics = new Uint32Array(64); // struct vm_statistics64: free_count, active_count, inactive_count, ...
  const count = new Uint32Array(1);
  return () => {
    count[0] = statistics.length;
    if (host_statistics64(host, HOST_VM_INFO64, statistics, count) !== 0) return Infinity;
    const [free = 0, active = 0, inactive = 0] = statistics;
    return (free + active + inactive) * Number(pageSize[0]);
  };
}

const WINDOWS = {
  GlobalMemoryStatusEx: { parameters: ["buffer"], result: "i32" }, // lpBuffer
} as const;

/** Memory must be both free and committable: Windows grants no more than RAM and paging files can back. */
function windowsProbe(): () => number {
  const { GlobalMemoryStatusEx } = systemFunctions("kernel32.dll", WINDOWS);
  const status = new DataView(new ArrayBuffer(64)); // MEMORYSTATUSEX
  status.setUint32(0, status.byteLength, true); // dwLength
  return () => {
    if (GlobalMemoryStatusEx(status) === 0) return Infinity;
    const availPhys = Number(status.getBigUint64(16, true));
    const availPageFile = Number(status.getBigUint64(32, true));
    return Math.min(availPhys, availPageFile);
  };
}
