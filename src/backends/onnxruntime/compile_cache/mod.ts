/**
 * Optimised models on the disk, so that a graph that has been built once is only loaded afterwards.
 *
 * A miss writes the entry and then loads it as a hit does, so that there is one kind of session only. Whatever goes wrong
 * here, the graph is built as if there were no cache.
 *
 * @module
 */

import {
  createFolder,
  fileSize,
  isPermitted,
  listFiles,
  removeFile,
  renameFile,
  touchFile,
} from "../../../../ffi/files.ts";
import { integerPointer, pathString, type Pointer } from "../../../../ffi/memory.ts";
import { OptimizationLevel } from "../../../../ffi/onnxruntime/enums.ts";
import { DEFAULT_SIZE_LIMIT, type Eviction, limitSize } from "../../common/cache_folder.ts";
import { createSession } from "../model.ts";
import { NativeBlock } from "../native_block.ts";
import type { OnnxGraph } from "../onnx.ts";
import type { OrtRuntime } from "../runtime.ts";
import { type OrtSession, ownSession } from "../session.ts";
import { addConfiguration } from "../session_options.ts";
import { type CachedModel, completeEntry, openEntry, type Source } from "./entry.ts";
import { describe, nameOf } from "./key.ts";

/** A folder of entries. */
export interface CompileCache {
  /**
   * A session of a graph from the cache, where the graph is put before if it is not there. `undefined` if that cannot be
   * done. The blocks of the graph stay the caller's, and are not needed any more.
   * @param create makes each session that it takes
   */
  createSession(onnx: OnnxGraph, create: SessionFactory): Promise<OrtSession | undefined>;
}

/** Makes a session from options. */
export type CreateSession = (options: Pointer) => Pointer | Promise<Pointer>;
/** Makes a session by `create`, from options that `adapt` has changed. */
export type SessionFactory = (create: CreateSession, adapt: (options: Pointer) => void) => Promise<Pointer>;

const ENTRY = ".webnn";
const WORK = ".webnn-tmp";
/** ONNX Runtime's own format has room for 2 GiB, and a model can grow as its constants are folded. */
const MAX_WEIGHT_BYTES = 2 ** 29;

/** From an entry to a session. */
const LOAD = {
  // The model stays where it is in memory, and its weights are read there.
  "session.use_ort_model_bytes_directly": "1",
  "session.use_ort_model_bytes_for_initializers": "1",
};
/** From a graph to an entry. */
const STORE = {
  "session.save_model_format": "ORT",
  // Of use to sessions that run.
  "session.disable_prepacking": "1",
};

/**
 * A cache in a folder, which need not exist yet.
 * @param entries the configuration of the sessions that come from it
 * @param sizeLimit how many bytes the entries may have together
 */
export function openCompileCache(
  runtime: OrtRuntime,
  path: string,
  entries: Readonly<Record<string, string>>,
  sizeLimit = DEFAULT_SIZE_LIMIT,
): CompileCache {
  const eviction = limitSize({
    entrySuffix: ENTRY,
    workSuffix: WORK,
    list: () => listFiles(path),
    remove: (name) => removeFile(`${path}/${name}`),
  }, sizeLimit);
  const folder: Folder = { path, sizeLimit, eviction };
  return {
    async createSession(onnx, create) {
      const blocks = onnx.initializers.flatMap(({ data }) => data instanceof NativeBlock ? [data] : []);
      const weightBytes = blocks.reduce((total, { byteLength }) => total + byteLength, 0);
      if (weightBytes > MAX_WEIGHT_BYTES) return undefined;
      try {
        const description = describe(runtime, onnx, entries);
        const entry = { path: `${path}/${nameOf(description, blocks)}${ENTRY}`, description, onnx, blocks };
        return await load(runtime, entry, create) ?? await storeAndLoad(runtime, folder, entry, create);
      } catch {
        return undefined;
      }
    },
  };
}

/** What is to be in an entry. */
interface Entry extends Source {
  readonly path: string;
  readonly onnx: OnnxGraph;
}

async function load(runtime: OrtRuntime, entry: Entry, create: SessionFactory) {
  if (!isPermitted("read", entry.path)) return undefined;
  const model = await openEntry(entry.path, entry);
  if (!model) return undefined;
  const session = await loadSession(runtime, model, create);
  if (isPermitted("write", entry.path)) touchFile(entry.path);
  return session;
}

async function storeAndLoad(runtime: OrtRuntime, folder: Folder, entry: Entry, create: SessionFactory) {
  if (!isPermitted("write", folder.path)) return undefined;
  await store(runtime, folder, entry, create);
  return await load(runtime, entry, create);
}

async function loadSession(
  runtime: OrtRuntime,
  model: CachedModel,
  create: SessionFactory,
): Promise<OrtSession> {
  const { api, env } = runtime;
  try {
    const pointer = await create(
      (options) => api.CreateSessionFromArrayAsync(env, model.pointer, integerPointer(model.byteLength), options),
      (options) => {
        api.SetSessionGraphOptimizationLevel(options, OptimizationLevel.DISABLE_ALL);
        addConfiguration(runtime, options, LOAD);
      },
    );
    return ownSession(runtime, pointer, [model], 0);
  } catch (error) {
    model.release();
    throw error;
  }
}

/** Where entries lie. */
interface Folder {
  readonly path: string;
  readonly sizeLimit: number;
  readonly eviction: Eviction;
}

/** Writes an entry under a name of its own, then gives it its name, in one step, whatever else has that name. */
async function store(
  runtime: OrtRuntime,
  folder: Folder,
  entry: Entry,
  create: SessionFactory,
): Promise<void> {
  await createFolder(folder.path);
  const work = `${folder.path}/${crypto.randomUUID()}${WORK}`;
  try {
    await writeModel(runtime, work, entry, create);
    await completeEntry(work, entry);
    const size = await fileSize(work);
    if (size > folder.sizeLimit) throw new Error("the entry is larger than the cache");
    await renameFile(work, entry.path).catch(async () => {
      await removeFile(entry.path); // A folder, say.
      await renameFile(work, entry.path);
    });
    await folder.eviction.wrote(size);
  } catch (error) {
    await removeFile(work).catch(() => {}); // It may not be there yet.
    throw error;
  }
}

/** ONNX Runtime writes the optimised model while it makes a session of it, which is of no further use. */
async function writeModel(
  runtime: OrtRuntime,
  path: string,
  { onnx, blocks }: Entry,
  create: SessionFactory,
): Promise<void> {
  const { api } = runtime;
  for (const block of blocks) block.retain(); // So that the session borrows them.
  try {
    const session = await create(
      (options) => createSession(runtime, onnx, options),
      (options) => {
        api.SetOptimizedModelFilePath(options, pathString(path));
        addConfiguration(runtime, options, STORE);
      },
    );
    api.ReleaseSession(session);
  } finally {
    for (const block of blocks) block.release();
  }
}
