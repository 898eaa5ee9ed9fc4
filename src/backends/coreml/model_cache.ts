/**
 * Compiled models on the disk, so that a graph that has been compiled once is only loaded afterwards. What is compiled
 * belongs to a build of macOS. An entry appears at once and whole, and the least recently used ones go when there are
 * too many.
 *
 * @module
 */

import type { CoreML } from "../../../ffi/objc/core_ml.ts";
import { type CacheFile, DEFAULT_SIZE_LIMIT, limitSize } from "../common/cache_folder.ts";
import type { EncodedProgram } from "./encoder.ts";
import { writePackage } from "./package.ts";

/** Counts the changes of this module that make older entries useless. */
const VERSION = 1;
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
        // The entry is damaged, or another process has just removed it.
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

/** What is in the folder, with the sizes of entries. */
function listFiles({ files }: CoreML, folder: string): CacheFile[] {
  return files.list(folder).map((name) => {
    const path = `${folder}/${name}`;
    return { name, size: name.endsWith(ENTRY) ? files.sizeOf(path) : 0, modified: files.modified(path) * 1000 };
  });
}

/** Carries out what makes the cache better, and must not make a program fail. */
function ignoreFailure(action: () => void): void {
  try {
    action();
  } catch {
    // The next compilation tries again.
  }
}
