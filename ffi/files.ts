/**
 * Reads and writes files and folders with Deno's functions. They need the program's permissions, and never prompt for
 * one.
 *
 * @module
 */

import { adviseHugePages } from "./huge_pages.ts";

/** A file in a folder. */
export interface FileEntry {
  readonly name: string;
  /** The size, in bytes. */
  readonly size: number;
  /** When it was last changed or touched, in milliseconds since 1970. */
  readonly modified: number;
}

/** Whether the program may already read or write below a path. */
export function isPermitted(access: "read" | "write", path: string): boolean {
  return Deno.permissions.querySync({ name: access, path }).state === "granted";
}

/** The bytes of a file, by its path or URL, or of a response from a server. */
export async function fetchBytes(source: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const url = urlOf(source);
  if (url === undefined || url.protocol === "file:") return await readWhole(url ?? source);
  const response = await fetch(url).catch((error) => {
    throw explained(error, url);
  });
  if (!response.ok) throw new TypeError(`${url.href} responded with ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The path of a local file; `undefined` for other URLs. */
export function pathOf(source: string | URL): string | undefined {
  const url = urlOf(source);
  if (url === undefined) return source as string;
  return url.protocol === "file:" ? decodeURIComponent(url.pathname) : undefined;
}

function urlOf(source: string | URL): URL | undefined {
  return typeof source === "string" && !/^(https?|file|data):/.test(source) ? undefined : new URL(source);
}

/** The error of a failed request with its reason, which only the cause of the error of `fetch` has. */
function explained(error: Error, url: URL): Error {
  if (!(error.cause instanceof Error)) return error;
  return new TypeError(`${url.href} cannot be reached: ${error.cause.message}`, { cause: error });
}

/** Reads a file into one buffer of its size. `Deno.readFile` needs twice the memory for a moment. */
async function readWhole(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const { size, isFile } = await Deno.stat(path);
  if (!isFile) return await Deno.readFile(path);
  const bytes = new Uint8Array(size);
  adviseHugePages(bytes, size);
  // The file may have become shorter.
  const count = await readInto(path, bytes);
  return count === size ? bytes : bytes.slice(0, count);
}

/** Larger files are read in two halves at once. This takes two thirds of the time, most of which is for new pages. */
const MAX_UNDIVIDED = 16 * 2 ** 20;

/** Reads a file into `bytes` until they are full or the file ends; returns the number of bytes read. */
export async function readInto(path: string | URL, bytes: Uint8Array): Promise<number> {
  const middle = bytes.byteLength <= MAX_UNDIVIDED ? bytes.byteLength : Math.floor(bytes.byteLength / 2);
  const [first, second] = await Promise.all([
    fillFrom(path, 0, bytes.subarray(0, middle)),
    middle < bytes.byteLength ? fillFrom(path, middle, bytes.subarray(middle)) : 0,
  ]);
  return first < middle ? first : first + second;
}

/** Reads from a position of a file until the bytes are full or the file ends; returns the number of bytes read. */
async function fillFrom(path: string | URL, position: number, bytes: Uint8Array): Promise<number> {
  using file = await Deno.open(path);
  if (position > 0) await file.seek(position, Deno.SeekMode.Start);
  return await fill(bytes, file);
}

async function fill(bytes: Uint8Array, file: Deno.FsFile): Promise<number> {
  let at = 0;
  while (at < bytes.byteLength) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return at;
}

/** Creates a folder and its parents, accessible to this user only. */
export async function createFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
}

/**
 * Creates a temporary folder.
 * @param purpose who needs it, for the message
 * @throws {TypeError} if the program may not read and write in the temporary folder
 */
export function createTemporaryFolder(purpose: string): string {
  const options = { prefix: "webnn_" };
  const isGranted = (...names: ("read" | "write")[]) =>
    names.every((name) => Deno.permissions.querySync({ name }).state === "granted");
  if (isGranted("read", "write")) return Deno.makeTempDirSync(options);
  const common = "/tmp";
  if (Deno.build.os !== "windows" && isPermitted("read", common) && isPermitted("write", common)) {
    return Deno.makeTempDirSync({ ...options, dir: common });
  }
  throw new TypeError(
    `${purpose} needs a temporary file: allow reading and writing in the temporary folder (--allow-read, --allow-write)`,
  );
}

/** Removes a folder with its contents, synchronously, if possible. */
export function removeFolder(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // It no longer exists, or is still in use. The system removes temporary files at some point.
  }
}

/** Appends to an existing file. */
export async function appendFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  using file = await Deno.open(path, { append: true });
  for (const part of parts) {
    for (let written = 0; written < part.byteLength;) written += await file.write(part.subarray(written));
  }
}

/** Renames a file atomically, replacing an existing one. */
export async function renameFile(from: string, to: string): Promise<void> {
  await Deno.rename(from, to);
}

/** Removes a file, or a folder with its contents. */
export async function removeFile(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true });
}

/** The size of a file in bytes. */
export async function fileSize(path: string): Promise<number> {
  return (await Deno.stat(path)).size;
}

/** Sets the modification time of a file to now, if possible. */
export function touchFile(path: string): void {
  const now = new Date();
  try {
    Deno.utimeSync(path, now, now);
  } catch {
    // The file may belong to another user.
  }
}

/**
 * The files in a folder; with `below`, also those in its subfolders, named by their path in `folder`. Files that are
 * removed in the meantime are left out.
 */
export async function listFiles(folder: string, { below = false } = {}): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && below) {
      const inner = await listFiles(`${folder}/${name}`, { below });
      files.push(...inner.map((file) => ({ ...file, name: `${name}/${file.name}` })));
    }
    if (!isFile) continue;
    const info = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
    if (info) files.push({ name, size: info.size, modified: info.mtime?.getTime() ?? 0 });
  }
  return files;
}
