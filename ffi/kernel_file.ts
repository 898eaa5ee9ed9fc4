/**
 * Files that the kernel makes up as they are read: those in /proc and /sys. Deno's own functions ask for all permissions
 * there.
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

/** A function that reads the first 16 KiB of such files. They have no size to ask for, and come in one read. */
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
