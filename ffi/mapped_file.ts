/**
 * Memory-mapped files. The system reads a page when it is first touched, and shares it among all processes that map the
 * file.
 *
 * A mapped file must not become shorter: touching a missing page crashes the process. So map only files that are
 * replaced as a whole, by renaming, and never written to.
 *
 * @module
 */

import { pathString, type Pointer, view, wideString } from "./memory.ts";
import { libc, systemFunctions } from "./system.ts";

/** A mapped part of a file, read-only. */
export interface Mapping {
  readonly pointer: Pointer;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Releases the pages that were read, if the system supports it. They are read again when they are next touched. */
  drop(): void;
  /** Unmaps it; call it once. Reading it afterwards crashes the process. */
  release(): void;
}

/** An open file. */
export interface MappableFile {
  /** The size in bytes. */
  readonly size: number;
  /** Maps a part of the file. `offset` must be a multiple of {@linkcode MAP_ALIGNMENT}. */
  map(offset: number, length: number): Mapping;
}

/** The alignment of mappings that all systems accept; Windows requires the largest. */
export const MAP_ALIGNMENT = 64 * 1024;

/** Opens a file while `use` runs; mappings stay valid afterwards. `undefined` if the file cannot be read. */
export function withMappableFile<Result>(path: string, use: (file: MappableFile) => Result): Result | undefined {
  return Deno.build.os === "windows" ? withWindowsFile(path, use) : withPosixFile(path, use);
}

/** The system's functions for a mapped part of a file. */
interface MappingFunctions {
  unmap(address: Pointer): void;
  drop(address: Pointer): void;
}

function mapping(path: string, address: Deno.PointerValue, length: number, functions: MappingFunctions): Mapping {
  if (address === null) throw new Error(`${path} could not be mapped`);
  const bytes = new Uint8Array(view(address, length));
  return {
    pointer: address,
    bytes,
    drop: () => functions.drop(address),
    release() {
      bytes.buffer.transfer(0); // Makes the memory inaccessible.
      functions.unmap(address);
    },
  };
}

const POSIX = {
  close: { parameters: ["i32"], result: "i32" }, // fd
  madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" }, // addr, length, advice
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" }, // fd, offset, whence
  // addr, length, prot, flags, fd, offset
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" }, // addr, length
  open: { parameters: ["buffer", "i32"], result: "i32" }, // path, flags
} as const;

const LINUX_O_NONBLOCK_CLOEXEC = 0x80800;
const MACOS_O_NONBLOCK_CLOEXEC = 0x1000004;
const SEEK_END = 2;
const PROT_READ = 1;
const MAP_PRIVATE = 2;
const MADV_DONTNEED = 4;
const MAP_FAILED = 2n ** 64n - 1n;

let posix: ReturnType<typeof libc<typeof POSIX>> | undefined;

function withPosixFile<Result>(path: string, use: (file: MappableFile) => Result): Result | undefined {
  const { close, lseek, madvise, mmap, munmap, open } = posix ??= libc(POSIX);
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const flags = Deno.build.os === "darwin" ? MACOS_O_NONBLOCK_CLOEXEC : LINUX_O_NONBLOCK_CLOEXEC;
  const fd = open(pathString(path), flags);
  if (fd < 0) return undefined;
  try {
    return use({
      size: Number(lseek(fd, 0n, SEEK_END)),
      map(offset, length) {
        const address = mmap(null, BigInt(length), PROT_READ, MAP_PRIVATE, fd, BigInt(offset));
        const failed = Deno.UnsafePointer.value(address) === MAP_FAILED;
        return mapping(path, failed ? null : address, length, {
          drop: (pointer) => madvise(pointer, BigInt(length), MADV_DONTNEED),
          unmap: (pointer) => munmap(pointer, BigInt(length)),
        });
      },
    });
  } finally {
    close(fd);
  }
}

const WINDOWS = {
  CloseHandle: { parameters: ["isize"], result: "i32" }, // hObject
  // lpFileName, dwDesiredAccess, dwShareMode, lpSecurityAttributes, dwCreationDisposition, dwFlagsAndAttributes, hFile
  CreateFileW: { parameters: ["buffer", "u32", "u32", "pointer", "u32", "u32", "isize"], result: "isize" },
  // hFile, lpFileMappingAttributes, flProtect, dwMaximumSizeHigh, dwMaximumSizeLow, lpName
  CreateFileMappingW: { parameters: ["isize", "pointer", "u32", "u32", "u32", "pointer"], result: "isize" },
  GetFileSizeEx: { parameters: ["isize", "buffer"], result: "i32" }, // hFile, lpFileSize
  // hFileMappingObject, dwDesiredAccess, dwFileOffsetHigh, dwFileOffsetLow, dwNumberOfBytesToMap
  MapViewOfFile: { parameters: ["isize", "u32", "u32", "u32", "usize"], result: "pointer" },
  UnmapViewOfFile: { parameters: ["pointer"], result: "i32" }, // lpBaseAddress
} as const;

const GENERIC_READ = 0x80000000;
const FILE_SHARE_READ_DELETE = 0x5;
const OPEN_EXISTING = 3;
const INVALID_HANDLE = -1n;
const PAGE_READONLY = 2;
const FILE_MAP_READ = 4;

function withWindowsFile<Result>(path: string, use: (file: MappableFile) => Result): Result | undefined {
  const { CloseHandle, CreateFileW, CreateFileMappingW, GetFileSizeEx, MapViewOfFile, UnmapViewOfFile } =
    systemFunctions("kernel32.dll", WINDOWS);
  const file = CreateFileW(wideString(path), GENERIC_READ, FILE_SHARE_READ_DELETE, null, OPEN_EXISTING, 0, 0n);
  if (file === INVALID_HANDLE) return undefined;
  // Null if the file is empty. Views keep the object alive.
  const object = CreateFileMappingW(file, null, PAGE_READONLY, 0, 0, null);
  try {
    const size = new BigInt64Array(1);
    return use({
      size: GetFileSizeEx(file, size) === 0 ? 0 : Number(size[0]),
      map(offset, length) {
        const high = Math.floor(offset / 2 ** 32);
        const address = MapViewOfFile(object, FILE_MAP_READ, high, offset >>> 0, BigInt(length));
        return mapping(path, address, length, { drop() {}, unmap: UnmapViewOfFile });
      },
    });
  } finally {
    if (object !== 0n) CloseHandle(object);
    CloseHandle(file);
  }
}
