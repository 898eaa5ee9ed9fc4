/**
 * Functions of the system's libraries, and what opening a library safely requires: reading its file, and pinning it.
 * Deno's file functions would require --allow-read, even inside Deno's cache.
 *
 * @module
 */

import type { BinaryFile } from "./binary_format.ts";
import { LibraryError } from "./library_error.ts";
import { cString, type Pointer, wideString } from "./memory.ts";

/** Opens a file for reading while `use` runs. */
export function withFile(path: string, use: (file: BinaryFile) => void): void {
  return Deno.build.os === "windows" ? withWindowsFile(path, use) : withPosixFile(path, use);
}

/** Loads a library for the life of the process. Returns false if the system does not load it. */
export function pin(path: string): boolean {
  return Deno.build.os === "windows" ? pinOnWindows(path) : pinOnPosix(path);
}

const POSIX = {
  access: { parameters: ["buffer", "i32"], result: "i32" }, // path, mode
  close: { parameters: ["i32"], result: "i32" }, // fd
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" }, // path, flags
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" }, // fd, offset, whence
  open: { parameters: ["buffer", "i32"], result: "i32" }, // path, flags
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" }, // fd, buf, count, offset
} as const;

const LINUX = { O_NONBLOCK: 0x800, RTLD_NODELETE: 0x1000 };
const MACOS = { O_NONBLOCK: 0x4, RTLD_NODELETE: 0x80 };
const RTLD_NOW = 2;
const SEEK_END = 2;

function withPosixFile(path: string, use: (file: BinaryFile) => void): void {
  const { access, close, lseek, open, pread } = libc(POSIX);
  const exists = (name: string) => access(cString(name), 0) === 0;
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const fd = open(cString(path), libcConstants().O_NONBLOCK);
  if (fd < 0) refuseUnopened(path, exists(path));
  try {
    if (exists(`${path}/.`)) refuseDirectory(path);
    const size = lseek(fd, 0n, SEEK_END);
    if (size < 0n) throw new LibraryError(`${path} is not a regular file; name the library itself`);
    const read = (bytes: Uint8Array<ArrayBuffer>, offset: number) =>
      pread(fd, bytes, BigInt(bytes.byteLength), BigInt(offset)) === BigInt(bytes.byteLength);
    use(binaryFile(path, Number(size), read));
  } finally {
    close(fd);
  }
}

function pinOnPosix(path: string): boolean {
  const flags = RTLD_NOW | libcConstants().RTLD_NODELETE;
  return libc(POSIX).dlopen(cString(path), flags) !== null;
}

function libcConstants(): typeof LINUX {
  return Deno.build.os === "darwin" ? MACOS : LINUX;
}

/** Functions of the C library, on any system but Windows. */
export function libc<const F extends Record<string, Deno.ForeignFunction>>(functions: F): Functions<F> {
  if (Deno.build.os === "darwin") return systemFunctions("/usr/lib/libSystem.B.dylib", functions);
  try {
    return systemFunctions("libc.so.6", functions);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    return systemFunctions(`libc.musl-${Deno.build.arch}.so.1`, functions);
  }
}

const WINDOWS = {
  CloseHandle: { parameters: ["isize"], result: "i32" }, // hObject
  // lpFileName, dwDesiredAccess, dwShareMode, lpSecurityAttributes, dwCreationDisposition, dwFlagsAndAttributes, hFile
  CreateFileW: { parameters: ["buffer", "u32", "u32", "pointer", "u32", "u32", "isize"], result: "isize" },
  GetFileAttributesW: { parameters: ["buffer"], result: "u32" }, // lpFileName
  GetFileSizeEx: { parameters: ["isize", "buffer"], result: "i32" }, // hFile, lpFileSize
  LoadLibraryExW: { parameters: ["buffer", "isize", "u32"], result: "pointer" }, // lpLibFileName, hFile, dwFlags
  // hFile, lpBuffer, nNumberOfBytesToRead, lpNumberOfBytesRead, lpOverlapped
  ReadFile: { parameters: ["isize", "buffer", "u32", "buffer", "pointer"], result: "i32" },
  SetFilePointerEx: { parameters: ["isize", "i64", "pointer", "u32"], result: "i32" }, // hFile, distance, lpNew, method
} as const;

const GENERIC_READ = 0x80000000;
const FILE_SHARE_READ_DELETE = 0x5;
const OPEN_EXISTING = 3;
const INVALID_HANDLE = -1n;
const INVALID_ATTRIBUTES = 0xffffffff;
const ATTRIBUTE_DIRECTORY = 0x10;
const LOAD_WITH_ALTERED_SEARCH_PATH = 0x8;

function withWindowsFile(path: string, use: (file: BinaryFile) => void): void {
  const { CloseHandle, CreateFileW, GetFileAttributesW, GetFileSizeEx, ReadFile, SetFilePointerEx } = kernel32();
  const name = wideString(path);
  const attributes = GetFileAttributesW(name);
  const exists = attributes !== INVALID_ATTRIBUTES;
  if (exists && attributes & ATTRIBUTE_DIRECTORY) refuseDirectory(path);
  const handle = CreateFileW(name, GENERIC_READ, FILE_SHARE_READ_DELETE, null, OPEN_EXISTING, 0, 0n);
  if (handle === INVALID_HANDLE) refuseUnopened(path, exists);
  try {
    const size = new BigInt64Array(1);
    if (GetFileSizeEx(handle, size) === 0) {
      throw new LibraryError(`${path} is not a regular file; name the library itself`);
    }
    const count = new Uint32Array(1);
    const read = (bytes: Uint8Array<ArrayBuffer>, offset: number) =>
      SetFilePointerEx(handle, BigInt(offset), null, 0) !== 0 &&
      ReadFile(handle, bytes, bytes.byteLength, count, null) !== 0 && count[0] === bytes.byteLength;
    use(binaryFile(path, Number(size[0]), read));
  } finally {
    CloseHandle(handle);
  }
}

function kernel32(): Functions<typeof WINDOWS> {
  return systemFunctions("kernel32.dll", WINDOWS);
}

/** Windows counts how often a library is loaded; a load that is never undone pins it. */
function pinOnWindows(path: string): boolean {
  const name = path.replaceAll("/", "\\");
  // With this flag, Windows finds the libraries in the same folder. It requires an absolute path.
  const flags = /^([a-z]:)?\\/i.test(name) ? LOAD_WITH_ALTERED_SEARCH_PATH : 0;
  return kernel32().LoadLibraryExW(wideString(name), 0n, flags) !== null;
}

/** The callable functions of a table. */
export type Functions<F> = {
  [Name in keyof F]: F[Name] extends Deno.ForeignFunction ? Deno.FromForeignFunction<F[Name]> : never;
};

/**
 * Functions of a system library. They are called by address, because Deno compiles code for each declared function (0.1
 * ms each, measured). The addresses stay valid after the handle is closed: no process unloads these libraries.
 */
export function systemFunctions<const F extends Record<string, Deno.ForeignFunction>>(
  name: string,
  functions: F,
): Functions<F> {
  const addresses = systemAddresses(name, Object.keys(functions));
  const bound = Object.entries(functions).map(([symbol, definition]) => {
    const pointer = new Deno.UnsafeFnPointer(addresses[symbol] as Deno.PointerObject<Deno.ForeignFunction>, definition);
    return [symbol, (...args: never[]) => pointer.call(...args)];
  });
  return Object.fromEntries(bound) as Functions<F>;
}

/** The addresses of functions in a system library. */
export function systemAddresses<const S extends string>(name: string, symbols: readonly S[]): Record<S, Pointer> {
  const types = Object.fromEntries(symbols.map((symbol) => [symbol, { type: "pointer" }]));
  const library = Deno.dlopen(name, types as Record<string, { type: "pointer" }>);
  try {
    return { ...library.symbols } as Record<S, Pointer>;
  } finally {
    library.close();
  }
}

function binaryFile(
  path: string,
  size: number,
  readInto: (bytes: Uint8Array<ArrayBuffer>, offset: number) => boolean,
): BinaryFile {
  return {
    path,
    size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      if (!readInto(bytes, offset)) throw new LibraryError(`${path} could not be read; check the disk it lies on`);
      return new DataView(bytes.buffer);
    },
  };
}

function refuseDirectory(path: string): never {
  throw new LibraryError(`${path} is a directory; name the library itself`);
}

function refuseUnopened(path: string, exists: boolean): never {
  throw new LibraryError(
    exists ? `${path} could not be opened; make it readable for this user` : `${path} does not exist; check the path`,
  );
}
