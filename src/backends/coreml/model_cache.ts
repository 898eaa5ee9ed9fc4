/**
 * A cache of compiled models on disk: a graph is compiled once, and afterwards only loaded. Entries belong to a build
 * of macOS, and are added atomically. If they exceed the size limit, the least recently used ones are deleted.
 *
 * @module
 */

import type { CoreML } from "../../../ffi/objc/core_ml.ts";
import { type CacheFile, DEFAULT_SIZE_LIMIT, limitSize } from "../common/cache_folder.ts";
import type { EncodedProgram } from "./encoder.ts";
import { writePackage } from "./package.ts";

/** Increase it when a change of this module makes old entries invalid. */
const VERSION = 1;
/** Bytes to hash at a time, because hashing copies them. */
const SLICE = 8 * 2 ** 20;
const ENTRY = ".mlmodelc";
const WORK = ".mlmodelc-tmp";

/** The compiled models of a device. */
export interface ModelCache {
  /** Compiles a program unless it is cached, and calls `load` with the path of the model. */
  open<T>(program: EncodedProgram, load: (path: string) => Promise<T>): Promise<T>;
}

/**
 * Opens the cache in a folder, which need not exist yet.
 * @param sizeLimit the maximum total size of the entries, in bytes
 */
export function openModelCache(coreML: CoreML, folder: string, sizeLimit = DEFAULT_SIZE_LIMIT): ModelCache {
  const { files } = coreML;
  const eviction = limitSize({
    entrySuffix: ENTRY,
    workSuffix: WORK,
    list: () => listFiles(coreML, folder),
    remove: (name) => files.remove(`${folder}/${name}`),
  }, sizeLimit);

  async function open<T>(program: EncodedProgram, load: (path: string) => Promise<T>): Promise<T> {
    const path = `${folder}/${await keyOf(program, coreML.build)}${ENTRY}`;
    if (files.exists(path)) {
      try {
        const model = await load(path);
        ignoreFailure(() => files.touch(path));
        return model;
      } catch {
        // The entry is damaged, or another process has just deleted it.
        ignoreFailure(() => files.remove(path));
      }
    }
    await compile(coreML, program, folder, path);
    const model = await load(path);
    await eviction.wrote(program.model.byteLength + program.weights.byteLength);
    return model;
  }
  return { open };
}

/** Compiles in a work folder inside the cache folder, from which the result can be moved in one step. */
async function compile(coreML: CoreML, program: EncodedProgram, folder: string, path: string): Promise<void> {
  const { files, foundation, messages, runtime } = coreML;
  const name = crypto.randomUUID();
  const work = `${folder}/${name}${WORK}`;
  // The compiler writes its result to a system folder, under the name of the package.
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
    files.move(result, `${work}/result`); // It may come from another volume, in which case this move is not atomic.
    try {
      files.move(`${work}/result`, path);
    } catch (error) {
      if (!files.exists(path)) throw error; // Otherwise another process was faster.
    }
  } finally {
    ignoreFailure(() => files.remove(work));
  }
}

/** A hash of everything that determines the result of the compiler. */
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

/** The files of the folder, with their sizes. */
function listFiles({ files }: CoreML, folder: string): CacheFile[] {
  return files.list(folder).map((name) => {
    const path = `${folder}/${name}`;
    return { name, size: name.endsWith(ENTRY) ? files.sizeOf(path) : 0, modified: files.modified(path) * 1000 };
  });
}

/** Runs an optional action: its failure must not fail the program. */
function ignoreFailure(action: () => void): void {
  try {
    action();
  } catch {
    // The next compilation tries again.
  }
}
