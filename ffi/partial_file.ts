/**
 * Files of which only some parts are read into an array; others are read straight into native memory.
 *
 * The system's `preadv` does that. So this is for Linux, and other systems read files as a whole.
 *
 * @module
 */

import { isPermitted, readInto } from "./files.ts";
import { adviseHugePages } from "./huge_pages.ts";
import { blockList, cString, type Pointer, view } from "./memory.ts";
import { type Functions, systemFunctions } from "./system.ts";

const FUNCTIONS = {
  __errno_location: { parameters: [], result: "pointer" },
  close: { parameters: ["i32"], result: "i32" }, // fd
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" }, // fd, offset, whence
  // addr, length, prot, flags, fd, offset
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" }, // addr, length
  open: { parameters: ["buffer", "i32"], result: "i32" }, // path, flags
  preadv: { parameters: ["i32", "pointer", "i32", "i64"], result: "isize", nonblocking: true }, // fd, iov, iovcnt, offset
  preadv2: { parameters: ["i32", "buffer", "i32", "i64", "i32"], result: "isize" }, // fd, iov, iovcnt, offset, flags
} as const;

const O_CLOEXEC = 0x80000;
/** Without it, opening a named pipe would wait for a writer. */
const O_NONBLOCK = 0x800;
const SEEK_END = 2;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
const MAP_FAILED = 2n ** 64n - 1n;
/** Fails if the bytes are not in memory. */
const RWF_NOWAIT = 8;
/** The file system does not support that flag, such as tmpfs and overlayfs. */
const EOPNOTSUPP = 95;

/** The maximum number of blocks that one call reads, IOV_MAX. */
export const MAX_BLOCKS = 1024;

/** Smaller files are read faster as a whole. Larger ones are no files, but a folder whose size is meaningless. */
const SIZES = { min: 2 ** 20, max: 2 ** 36 };

const PAGE = 4096;
/** How many pages are read at once when a reader continues where the last read ended. */
const PAGES_AHEAD = 16;

/** A file whose parts are read when they are needed. */
export class PartialFile {
  /** As long as the file. Parts that were not read are zero. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #path: string;
  readonly #fd: number;
  readonly #memory: Pointer;
  /** Whether each page was read. */
  readonly #present: Uint8Array;
  /** The page after those of the last read. */
  #next = 0;
  /** What is being read on another thread. */
  readonly #reads = new Set<Promise<void>>();
  #failure: unknown;

  private constructor(path: string, fd: number, size: number) {
    this.#path = path;
    this.#fd = fd;
    this.#memory = mapZeros(size);
    this.bytes = new Uint8Array(view(this.#memory, size));
    this.#present = new Uint8Array(Math.ceil(size / PAGE));
  }

  /**
   * Opens a file; `undefined` if it cannot be opened, is small, or would have to be read from the disk: then it is better
   * read as a whole on another thread.
   */
  static open(path: string): PartialFile | undefined {
    if (Deno.build.os !== "linux" || !isPermitted("read", path)) return undefined;
    let fd = -1;
    try {
      fd = libc().open(cString(path), O_CLOEXEC | O_NONBLOCK);
      const size = fd < 0 ? 0 : Number(libc().lseek(fd, 0n, SEEK_END));
      if (size >= SIZES.min && size <= SIZES.max && isInMemory(fd, 0) && isInMemory(fd, size - 1)) {
        return new PartialFile(path, fd, size);
      }
    } catch {
      // The program has no permission for foreign functions, the C library is another, or there is too little memory.
    }
    if (fd >= 0) libc().close(fd);
    return undefined;
  }

  /**
   * Makes sure that a range is read. Returns up to where it is.
   * @throws {TypeError} if the file has become shorter
   */
  read(start: number, end: number): number {
    const stop = Math.ceil(end / PAGE);
    for (let page = Math.floor(start / PAGE); page < stop; page++) {
      if (this.#present[page]) continue;
      const last = page === this.#next ? Math.max(stop, page + PAGES_AHEAD) : stop;
      let after = page + 1;
      while (after < last && this.#present[after] === 0) after++;
      this.readNow(this.bytes.subarray(page * PAGE, after * PAGE), page * PAGE);
      this.#present.fill(1, page, after);
      this.#next = after;
    }
    return stop * PAGE;
  }

  /** Reads the whole file. */
  async readAll(): Promise<void> {
    adviseHugePages(this.#memory, this.bytes.byteLength);
    const count = await readInto(this.#path, this.bytes);
    if (count < this.bytes.byteLength) throw this.#shortened();
    this.#present.fill(1);
  }

  /**
   * Reads a part into blocks of native memory, one after the other, on another thread. The blocks and the list of them,
   * `struct iovec[count]`, must stay allocated until the promise resolves. It does not reject, but `settled()` does.
   */
  async readInto(blocks: Pointer, count: number, byteLength: number, offset: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reads.add(promise);
    try {
      const read = await libc().preadv(this.#fd, blocks, count, BigInt(offset));
      if (Number(read) !== byteLength) throw this.#shortened();
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#reads.delete(promise);
      resolve();
    }
  }

  /** Resolves when no part is being read on another thread. Rejects if one could not be read. */
  async settled(): Promise<void> {
    await Promise.all(this.#reads);
    if (this.#failure) throw this.#failure;
  }

  /** Reads a part into memory, at once. */
  readNow(memory: Uint8Array<ArrayBuffer>, offset: number): void {
    for (let at = 0; at < memory.byteLength;) {
      const count = readPart(this.#fd, memory.subarray(at), offset + at);
      if (count <= 0) throw this.#shortened();
      at += count;
    }
  }

  /** Frees the bytes, and closes the file once no part of it is being read. */
  close(): void {
    const { byteLength } = this.bytes;
    this.bytes.buffer.transfer(0); // Makes the memory inaccessible.
    const { close, munmap } = libc();
    munmap(this.#memory, BigInt(byteLength));
    if (this.#reads.size === 0) close(this.#fd);
    else Promise.all(this.#reads).then(() => close(this.#fd));
  }

  #shortened(): TypeError {
    return new TypeError(`${this.#path} has become shorter while it was read.`);
  }
}

/** Memory that takes no space until it is used. V8 would clear the memory of a new array if it was used before. */
function mapZeros(byteLength: number): Pointer {
  const memory = libc().mmap(null, BigInt(byteLength), PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0n);
  if (memory === null || Deno.UnsafePointer.value(memory) === MAP_FAILED) throw new RangeError("There is no memory");
  return memory;
}

/** Whether a byte of a file can be read without the disk, as far as the file system tells. */
function isInMemory(fd: number, offset: number): boolean {
  return readPart(fd, new Uint8Array(1), offset, RWF_NOWAIT) === 1 || errorNumber() === EOPNOTSUPP;
}

/** The error of the last call. */
function errorNumber(): number {
  return new Deno.UnsafePointerView(libc().__errno_location()!).getInt32();
}

/** Reads some bytes; returns how many, or -1. */
function readPart(fd: number, memory: Uint8Array<ArrayBuffer>, offset: number, flags = 0): number {
  const block = blockList([[memory, memory.byteLength]]);
  return Number(libc().preadv2(fd, block, 1, BigInt(offset), flags));
}

let functions: Functions<typeof FUNCTIONS> | undefined;

function libc(): Functions<typeof FUNCTIONS> {
  return functions ??= systemFunctions("libc.so.6", FUNCTIONS);
}
