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
import type { OnnxGraph } from "../onnx.ts";
import type { OrtRuntime } from "../runtime.ts";
import { type OrtSession, ownSession } from "../session.ts";
import { addConfiguration } from "../session_options.ts";
import { type CachedModel, completeEntry, openEntry } from "./entry.ts";
import { blocksOf, nameOf, type Source, sourceOf } from "./key.ts";

/** A folder of entries. */
export interface CompileCache {
  /**
   * A session of a graph from the cache, where the graph is put before if it is not there. `undefined` if that cannot be
   * done. The blocks of the graph stay the caller's.
   * @param create makes each session that it takes
   * @param releaseWeights releases the blocks of the graph that are not needed any more; called where these are large,
   * before memory for the session is taken. What fails afterwards is thrown.
   */
  createSession(
    onnx: OnnxGraph,
    create: SessionFactory,
    releaseWeights: () => void,
  ): Promise<OrtSession | undefined>;
}

/** Makes a session from options. */
export type CreateSession = (options: Pointer) => Pointer | Promise<Pointer>;
/** Makes a session by `create`, from options that `adapt` has changed. */
export type SessionFactory = (create: CreateSession, adapt: (options: Pointer) => void) => Promise<Pointer>;

const ENTRY = ".webnn";
const WORK = ".webnn-tmp";
/** ONNX Runtime's own format has room for 2 GiB, and a model can grow as its constants are folded. */
const MAX_WEIGHT_BYTES = 2 ** 29;

/** Weights that are released before memory is taken for a session. */
const RELEASED_BYTES = 4 * 2 ** 20;
/** Models of which no more than some megabytes shall be in memory while a session is made: that takes more time. */
const DROPPED_BYTES = 32 * 2 ** 20;
/** Milliseconds, in which a session reads some megabytes. */
const DROP_INTERVAL = 4;

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
    async createSession(onnx, create, releaseWeights) {
      const weightBytes = blocksOf(onnx).reduce((total, { byteLength }) => total + byteLength, 0);
      if (weightBytes > MAX_WEIGHT_BYTES) return undefined;
      try {
        const source = await sourceOf(runtime, onnx, entries);
        const entry = { path: `${path}/${await nameOf(source)}${ENTRY}`, onnx, ...source };
        const model = await find(entry) ?? await storeAndFind(runtime, folder, entry, create);
        if (!model) return undefined;
        if (weightBytes < RELEASED_BYTES) return await loadSession(runtime, model, create);
        releaseWeights();
        const load = model.byteLength < DROPPED_BYTES ? loadSession : loadDroppingPages;
        return await load(runtime, model, create).catch((cause) => {
          throw new WeightsGone(cause);
        });
      } catch (error) {
        if (error instanceof WeightsGone) throw error.cause;
        return undefined;
      }
    },
  };
}

/** A failure after which the graph cannot be built without the cache either. */
class WeightsGone extends Error {
  constructor(cause: unknown) {
    super("", { cause });
  }
}

/** What is to be in an entry. */
interface Entry extends Source {
  readonly path: string;
  readonly onnx: OnnxGraph;
}

async function find(entry: Entry): Promise<CachedModel | undefined> {
  if (!isPermitted("read", entry.path)) return undefined;
  const model = await openEntry(entry.path, entry);
  if (model && isPermitted("write", entry.path)) touchFile(entry.path);
  return model;
}

async function storeAndFind(runtime: OrtRuntime, folder: Folder, entry: Entry, create: SessionFactory) {
  if (!isPermitted("write", folder.path)) return undefined;
  await store(runtime, folder, entry, create);
  return await find(entry);
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

/**
 * Makes a session while what it has read of the model is taken out of memory again and again: else the model and the
 * weights that the session puts in its own order would be there two times.
 */
async function loadDroppingPages(runtime: OrtRuntime, model: CachedModel, create: SessionFactory): Promise<OrtSession> {
  const timer = setInterval(() => model.drop(), DROP_INTERVAL);
  try {
    const session = await loadSession(runtime, model, create);
    model.drop();
    return session;
  } finally {
    clearInterval(timer);
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
  { onnx }: Entry,
  create: SessionFactory,
): Promise<void> {
  const { api } = runtime;
  const blocks = blocksOf(onnx);
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
