/**
 * Compiled models on the disk, so that a graph that has been compiled once is only loaded afterwards. What is compiled
 * belongs to a build of macOS. An entry appears at once and whole, and the least recently used ones go when there are
 * too many.
 *
 * @module
 */

import type { CoreML } from "../../../ffi/objc/core_ml.ts";
import type { EncodedProgram } from "./encoder.ts";
import { writePackage } from "./package.ts";

/** Counts the changes of this module that make older entries useless. */
const VERSION = 1;
/** The bytes of all entries together where no limit is asked for. */
const DEFAULT_SIZE_LIMIT = 2 * 2 ** 30;
/** Seconds after which the folder of a compilation has been left behind by a program that ended. */
const ABANDONED = 24 * 60 * 60;
/** Bytes that are hashed at a time: the hash makes a copy. */
const SLICE = 8 * 2 ** 20;
const ENTRY = ".mlmodelc";
const WORK = ".mlmodelc-tmp";

/** The compiled models of a device. */
export interface ModelCache {
  /** Compiles a program, unless that has been done before, and loads what lies at the path that `load` gets. */
  open<T>(program: EncodedProgram, load: (path: string) => Promise<T>): Promise<T>;
}

/**
 * A cache in a folder, which need not exist yet.
 * @param sizeLimit how many bytes the entries may have together
 */
export function openModelCache(coreML: CoreML, folder: string, sizeLimit = DEFAULT_SIZE_LIMIT): ModelCache {
  const { files } = coreML;
  let bytesUntilCleanUp = 0;

  async function open<T>(program: EncodedProgram, load: (path: string) => Promise<T>): Promise<T> {
    const path = `${folder}/${await keyOf(program, coreML.build)}${ENTRY}`;
    if (files.exists(path)) {
      try {
        const model = await load(path);
        ignoreFailure(() => files.touch(path));
        return model;
      } catch {
        // The entry is damaged, or another process has just removed it.
        ignoreFailure(() => files.remove(path));
      }
    }
    await compile(coreML, program, folder, path);
    const model = await load(path);
    bytesUntilCleanUp -= program.model.byteLength + program.weights.byteLength;
    if (bytesUntilCleanUp < 0) {
      ignoreFailure(() => cleanUp(coreML, folder, { sizeLimit, newest: path }));
      bytesUntilCleanUp = sizeLimit / 8; // It takes a while when there are many.
    }
    return model;
  }
  return { open };
}

/** Compiles in a folder of its own inside of the cache's, from where the result can be moved in one step. */
async function compile(coreML: CoreML, program: EncodedProgram, folder: string, path: string): Promise<void> {
  const { files, foundation, messages, runtime } = coreML;
  const name = crypto.randomUUID();
  const work = `${folder}/${name}${WORK}`;
  // The compiler puts its result into a folder of the system's, under the name of the package.
  const source = `${work}/${name}.mlpackage`;
  files.createFolder(work);
  try {
    await writePackage(program, {
      create(file) {
        files.createFolder(`${source}/${file}`.replace(/\/[^/]*$/, ""));
        return files.create(`${source}/${file}`);
      },
    });
    const result = await runtime.pooled(() => messages.compileModel(foundation.path, foundation.fileUrl(source)));
    files.move(result, `${work}/result`); // Perhaps from another volume, and then not at once.
    try {
      files.move(`${work}/result`, path);
    } catch (error) {
      if (!files.exists(path)) throw error; // Else another process was faster.
    }
  } finally {
    ignoreFailure(() => files.remove(work));
  }
}

/** The hash of all that decides what the compiler makes. */
async function keyOf({ model, weights }: EncodedProgram, build: string): Promise<string> {
  const digests = [new TextEncoder().encode(`${VERSION} ${build}`)];
  for (const bytes of [model, ...weights.records.map(({ data }) => data)]) {
    for (let start = 0; start < bytes.byteLength; start += SLICE) {
      digests.push(await sha256(bytes.subarray(start, start + SLICE) as Uint8Array<ArrayBuffer>));
    }
  }
  return (await sha256(new Uint8Array(await new Blob(digests).arrayBuffer()))).toHex();
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Removes what was left behind, and the entries that were not used for longest, but for the newest one. */
function cleanUp(
  { files }: CoreML,
  folder: string,
  { sizeLimit, newest }: { readonly sizeLimit: number; readonly newest: string },
): void {
  const paths = files.list(folder).map((name) => `${folder}/${name}`);
  const now = Date.now() / 1000;
  for (const path of paths.filter((path) => path.endsWith(WORK) && now - files.modified(path) > ABANDONED)) {
    files.remove(path);
  }
  const entries = paths.filter((path) => path.endsWith(ENTRY))
    .map((path) => ({ path, size: files.sizeOf(path), modified: files.modified(path) }))
    .sort((a, b) => a.modified - b.modified);
  let size = entries.reduce((total, entry) => total + entry.size, 0);
  for (const entry of entries) {
    if (size <= sizeLimit || entry.path === newest) continue;
    files.remove(entry.path);
    size -= entry.size;
  }
}

/** Carries out what makes the cache better, and must not make a program fail. */
function ignoreFailure(action: () => void): void {
  try {
    action();
  } catch {
    // The next compilation tries again.
  }
}
