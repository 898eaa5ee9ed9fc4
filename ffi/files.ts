/**
 * Files and folders by Deno's own functions, with the permissions that the program has: nobody is ever asked for one.
 *
 * @module
 */

import { adviseHugePages } from "./huge_pages.ts";

/** A file in a folder. */
export interface FileEntry {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** When it was changed or touched, in milliseconds since 1970. */
  readonly modified: number;
}

/** Whether the program may read or write below a path. */
export function isPermitted(access: "read" | "write", path: string): boolean {
  return Deno.permissions.querySync({ name: access, path }).state === "granted";
}

/** The bytes of a file, by its path or URL, or of what a server sends. */
export async function fetchBytes(source: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const url = typeof source === "string" && !/^(https?|file|data):/.test(source) ? undefined : new URL(source);
  if (url === undefined || url.protocol === "file:") return await readWhole(url ?? source);
  const response = await fetch(url);
  if (!response.ok) throw new TypeError(`${url.href} answers ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A file of known size, read where it stays: `Deno.readFile` has it twice for a moment. */
async function readWhole(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  const { size, isFile } = await file.stat();
  if (!isFile) return await Deno.readFile(path);
  const bytes = new Uint8Array(size);
  adviseHugePages(bytes, size);
  let at = 0;
  while (at < size) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return at === size ? bytes : bytes.slice(0, at);
}

/** Creates a folder and those above it, open to this user only. */
export async function createFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
}

/**
 * Creates a folder for temporary files.
 * @param purpose what it is for, for the error
 * @throws if the program may not read and write there
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
    `${purpose} keeps a file among the temporary ones for a while: allow reading and writing there (--allow-read, --allow-write)`,
  );
}

/** Removes a folder with what is in it, at once, if that can be done. */
export function removeFolder(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // It is gone already, or still in use: the system removes temporary files some day.
  }
}

/** Writes behind the end of a file, which must exist. */
export async function appendFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  using file = await Deno.open(path, { append: true });
  for (const part of parts) {
    for (let written = 0; written < part.byteLength;) written += await file.write(part.subarray(written));
  }
}

/** Gives a file another name in one step, in place of what had it. */
export async function renameFile(from: string, to: string): Promise<void> {
  await Deno.rename(from, to);
}

/** Removes a file, or a folder with what is in it. */
export async function removeFile(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true });
}

/** The size of a file in bytes. */
export async function fileSize(path: string): Promise<number> {
  return (await Deno.stat(path)).size;
}

/** Makes a file changed just now, if that can be done. */
export function touchFile(path: string): void {
  const now = new Date();
  try {
    Deno.utimeSync(path, now, now);
  } catch {
    // It may be another's.
  }
}

/** The files of a folder; those that vanish meanwhile are left out. */
export async function listFiles(folder: string): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile) continue;
    const info = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
    if (info) files.push({ name, size: info.size, modified: info.mtime?.getTime() ?? 0 });
  }
  return files;
}
