/**
 * Reads files that the kernel generates, in /proc and /sys. Deno's own functions require all permissions there.
 *
 * @module
 */

import type { ReadFile } from "./linux_memory.ts";
import { cString } from "./memory.ts";
import { libc } from "./system.ts";

const LINUX = {
  close: { parameters: ["i32"], result: "i32" }, // fd
  open: { parameters: ["buffer", "i32"], result: "i32" }, // path, flags
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" }, // fd, buf, count
} as const;

const O_CLOEXEC = 0x80000;

/**
 * Returns a function that reads the first 16 KiB of such a file. These files report no size, and one read returns them.
 */
export function kernelFileReader(): ReadFile {
  const { close, open, read } = libc(LINUX);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1 << 14);
  return (path) => {
    const fd = open(cString(path), O_CLOEXEC);
    if (fd < 0) return undefined;
    const count = read(fd, buffer, BigInt(buffer.byteLength));
    close(fd);
    return count < 0n ? undefined : decoder.decode(buffer.subarray(0, Number(count)));
  };
}
