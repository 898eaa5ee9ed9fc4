/**
 * Reads and writes files and folders with Foundation and the C library, so that no permission for files is needed.
 * Paths are absolute.
 *
 * @module
 */

import { cString } from "../memory.ts";
import { libc } from "../system.ts";
import type { Foundation } from "./foundation.ts";
import { bindMessages, failable, message, type Services } from "./messages.ts";

const FILE_MANAGER = {
  defaultManager: message("object", "+[NSFileManager defaultManager]"),
  createDirectory: failable(
    "bool",
    "-[NSFileManager createDirectoryAtPath:withIntermediateDirectories:attributes:error:]",
    "object path",
    "bool create_intermediates",
    "nullable attributes",
  ),
  moveItem: failable("bool", "-[NSFileManager moveItemAtPath:toPath:error:]", "object from", "object to"),
  removeItem: failable("bool", "-[NSFileManager removeItemAtPath:error:]", "object path"),
  fileExists: message("bool", "-[NSFileManager fileExistsAtPath:]", "object path"),
  contents: failable("object", "-[NSFileManager contentsOfDirectoryAtPath:error:]", "object path"),
  subpaths: message("nullable", "-[NSFileManager subpathsAtPath:]", "object path"),
  attributes: failable("object", "-[NSFileManager attributesOfItemAtPath:error:]", "object path"),
  fileSize: message("i64", "-[NSDictionary fileSize]"),
  fileModificationDate: message("nullable", "-[NSDictionary fileModificationDate]"),
  timeIntervalSince1970: message("f64", "-[NSDate timeIntervalSince1970]"),
};

/** A file being written. */
export interface FileWriter {
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}

/** Files and folders. Every function throws an NSError if it fails. */
export interface Files {
  exists(path: string): boolean;
  /** Creates a folder and its parents. */
  createFolder(path: string): void;
  /** Creates a file, or empties it. */
  create(path: string): FileWriter;
  /** Moves a file or folder to a path that does not exist yet. Within a volume this is atomic. */
  move(from: string, to: string): void;
  /** Removes a file or folder with its contents. */
  remove(path: string): void;
  /** The names of the files in a folder. */
  list(folder: string): string[];
  /** The total size of all files in a folder and its subfolders, in bytes. */
  sizeOf(folder: string): number;
  /** When a file or folder was last changed, in seconds since 1970. */
  modified(path: string): number;
  /** Sets the modification time to now. */
  touch(path: string): void;
}

/** Binds the file manager. */
export function createFiles(services: Services, { string, text, objects }: Foundation): Files {
  const ns = bindMessages(FILE_MANAGER, services);
  const { pooled } = services.runtime;
  const manager = pooled(() => services.runtime.retain(ns.defaultManager()));
  const names = (array: Deno.PointerValue) => array === null ? [] : objects(array).map(text);
  const attributes = (path: string) => ns.attributes(manager, string(path));
  return {
    exists: (path) => pooled(() => ns.fileExists(manager, string(path))),
    createFolder: (path) => pooled(() => ns.createDirectory(manager, string(path), true, null)),
    create: createFile,
    move: (from, to) => pooled(() => ns.moveItem(manager, string(from), string(to))),
    remove: (path) => pooled(() => ns.removeItem(manager, string(path))),
    list: (folder) => pooled(() => names(ns.contents(manager, string(folder)))),
    sizeOf: (folder) =>
      pooled(() => {
        const paths = ns.subpaths(manager, string(folder));
        const sizes = names(paths).map((name) => ns.fileSize(attributes(`${folder}/${name}`)));
        return sizes.reduce((total, size) => total + size, 0);
      }),
    modified: (path) =>
      pooled(() => {
        const date = ns.fileModificationDate(attributes(path));
        return date === null ? 0 : ns.timeIntervalSince1970(date);
      }),
    touch: (path) => void libc(POSIX).utimes(cString(path), null),
  };
}

const POSIX = {
  close: { parameters: ["i32"], result: "i32" }, // fd
  creat: { parameters: ["buffer", "u32"], result: "i32" }, // path, mode; `open` would take the mode as a variadic argument
  utimes: { parameters: ["buffer", "pointer"], result: "i32" }, // path, times: null is now
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" }, // fd, buf, count
} as const;

/** Readable by everyone, as far as the user's umask allows. */
const MODE = 0o666;
/** Bytes to write before yielding to the event loop: writing them takes a few milliseconds. */
const SLICE = 8 * 2 ** 20;

function createFile(path: string): FileWriter {
  const { close, creat, write } = libc(POSIX);
  const fd = creat(cString(path), MODE);
  if (fd < 0) throw new Error(`${path} could not be created; check that its folder can be written to`);

  function writeSlice(slice: Uint8Array<ArrayBuffer>): void {
    for (let rest = slice; rest.byteLength > 0;) {
      const count = Number(write(fd, rest, BigInt(rest.byteLength)));
      if (count <= 0) throw new Error(`${path} could not be written; the disk may be full`);
      rest = rest.subarray(count);
    }
  }
  return {
    close: () => void close(fd),
    async write(bytes) {
      for (let start = 0; start < bytes.byteLength; start += SLICE) {
        if (start > 0) await new Promise((resolve) => setTimeout(resolve, 0));
        writeSlice(bytes.subarray(start, start + SLICE) as Uint8Array<ArrayBuffer>);
      }
    },
  };
}
