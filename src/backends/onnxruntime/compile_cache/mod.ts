/**
 * A cache of optimised models on disk: a graph is optimised once, and afterwards only loaded.
 *
 * A miss writes the entry, then loads it like a hit, so there is only one kind of session. If anything fails here, the
 * graph is built without the cache. Weights are hashed when the builder gets them, on another thread if they are large.
 * A graph that is in the cache is neither rewritten nor lowered.
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
import type { Graph } from "../../../graph/graph.ts";
import { createSession } from "../model.ts";
import { NativeBlock } from "../native_block.ts";
import type { OnnxGraph } from "../onnx.ts";
import type { OrtRuntime } from "../runtime.ts";
import { type OrtSession, ownSession } from "../session.ts";
import { addConfiguration } from "../session_options.ts";
import { type CachedModel, completeEntry, type Facts, openEntry } from "./entry.ts";
import { nameOf, type Source, sourceOfGraph } from "./key.ts";

/** A folder of entries. A failure before weights are released is not an error: the graph is built without the cache. */
export interface CompileCache {
  /**
   * The source that identifies a graph, before it is rewritten; `undefined` if the graph cannot be cached. The blocks
   * of its constants must not be disowned before the promise settles.
   */
  identify(graph: Graph<NativeBlock>): Promise<Source | undefined>;
  /** Loads a graph; `undefined` if it is not in the cache. */
  load(source: Source, access: CacheAccess): Promise<CachedGraph | undefined>;
  /** Adds a graph unless it is already in the cache, and loads it; `undefined` if it could not be added. */
  add(source: Source, onnx: OnnxGraph, facts: Facts, access: CacheAccess): Promise<CachedGraph | undefined>;
}

/** How the cache creates a session, and gets memory for it. */
export interface CacheAccess {
  /** Creates each session. */
  readonly create: SessionFactory;
  /**
   * Releases the graph's blocks that are no longer needed. It is called if they are large, before memory for the
   * session is allocated; a failure after that is thrown.
   */
  releaseWeights(): void;
}

/** A graph from the cache. */
export interface CachedGraph {
  readonly session: OrtSession;
  readonly facts: Facts;
}

/** Creates a session from options. */
export type CreateSession = (options: Pointer) => Pointer | Promise<Pointer>;
/** Creates the session of a graph with `create`, from options that `adapt` has changed. */
export type SessionFactory = (
  facts: Facts,
  create: CreateSession,
  adapt: (options: Pointer) => void,
) => Promise<Pointer>;

const ENTRY = ".webnn";
const WORK = ".webnn-tmp";
/** ONNX Runtime's own format is limited to 2 GiB, and constant folding can enlarge a model. */
const MAX_WEIGHT_BYTES = 2 ** 29;

/** The weights of models of this size are released before memory for a session is allocated. */
const RELEASED_BYTES = 4 * 2 ** 20;
/** For models of this size, only some megabytes stay in memory while a session is created, which takes more time. */
const DROPPED_BYTES = 32 * 2 ** 20;
/** In milliseconds; a session reads some megabytes in this time. */
const DROP_INTERVAL = 4;

/** The session options for loading an entry. */
const LOAD = {
  // The session uses the model's memory, and reads the weights there.
  "session.use_ort_model_bytes_directly": "1",
  "session.use_ort_model_bytes_for_initializers": "1",
};
/** The session options for creating an entry. */
const STORE = {
  "session.save_model_format": "ORT",
  // Prepacking is only useful for sessions that run.
  "session.disable_prepacking": "1",
};

/**
 * Opens the cache in a folder, which need not exist yet.
 * @param entries the configuration of sessions from the cache
 * @param sizeLimit the maximum total size of the entries, in bytes
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
    async identify(graph) {
      // Also for graphs that are too large: a block must not be disowned while it is hashed.
      const source = await attempt(() => sourceOfGraph(runtime, graph, entries));
      return weightBytesOf(graph) > MAX_WEIGHT_BYTES ? undefined : source;
    },
    load: (source, access) =>
      attempt(async () => load(runtime, await find(await pathOf(path, source), source), access)),
    add: (source, onnx, facts, access) =>
      attempt(async () => {
        const entry = { path: await pathOf(path, source), source, onnx, facts };
        let model = await find(entry.path, source);
        if (!model && isPermitted("write", path)) {
          await store(runtime, folder, entry, access.create);
          model = await find(entry.path, source);
        }
        return load(runtime, model, access);
      }),
  };
}

/** Returns the result of the work, or `undefined` if it fails. Throws only if the graph cannot be built at all. */
async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WeightsGone) throw error.cause;
    return undefined;
  }
}

async function pathOf(folder: string, source: Source): Promise<string> {
  return `${folder}/${await nameOf(source)}${ENTRY}`;
}

/** A failure after the weights were released, so that the graph cannot be built without the cache either. */
class WeightsGone extends Error {
  constructor(cause: unknown) {
    super("", { cause });
  }
}

/** The content of an entry. */
interface Entry {
  readonly path: string;
  readonly source: Source;
  readonly onnx: OnnxGraph;
  readonly facts: Facts;
}

async function find(path: string, source: Source): Promise<CachedModel | undefined> {
  if (!isPermitted("read", path)) return undefined;
  const model = await openEntry(path, source);
  if (model && isPermitted("write", path)) touchFile(path);
  return model;
}

async function load(
  runtime: OrtRuntime,
  model: CachedModel | undefined,
  { create, releaseWeights }: CacheAccess,
): Promise<CachedGraph | undefined> {
  if (!model) return undefined;
  const { byteLength, facts } = model;
  if (byteLength < RELEASED_BYTES) return { session: await loadSession(runtime, model, create), facts };
  releaseWeights();
  const loadLarge = byteLength < DROPPED_BYTES ? loadSession : loadDroppingPages;
  const session = await loadLarge(runtime, model, create).catch((cause) => {
    throw new WeightsGone(cause);
  });
  return { session, facts };
}

async function loadSession(
  runtime: OrtRuntime,
  model: CachedModel,
  create: SessionFactory,
): Promise<OrtSession> {
  const { api, env } = runtime;
  try {
    const pointer = await create(
      model.facts,
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
 * Creates a session, and repeatedly releases the pages of the model that it has read. Otherwise, the model and the
 * session's prepacked weights would both be in memory.
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

/** The folder of the entries. */
interface Folder {
  readonly path: string;
  readonly sizeLimit: number;
  readonly eviction: Eviction;
}

/** Writes an entry to a temporary file, then renames it atomically, replacing anything with that name. */
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
    await completeEntry(work, entry.source, entry.facts);
    const size = await fileSize(work);
    if (size > folder.sizeLimit) throw new Error("the entry is larger than the cache");
    await renameFile(work, entry.path).catch(async () => {
      await removeFile(entry.path); // For example a folder.
      await renameFile(work, entry.path);
    });
    await folder.eviction.wrote(size);
  } catch (error) {
    await removeFile(work).catch(() => {}); // It may not exist yet.
    throw error;
  }
}

/** Writes the optimised model: ONNX Runtime does that while it creates a session, which is then dropped. */
async function writeModel(
  runtime: OrtRuntime,
  path: string,
  { onnx, facts }: Entry,
  create: SessionFactory,
): Promise<void> {
  const { api } = runtime;
  const blocks = onnx.initializers.map(({ data }) => data).filter((data) => data instanceof NativeBlock);
  for (const block of blocks) block.retain(); // The session only borrows them.
  try {
    const session = await create(
      facts,
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

function weightBytesOf({ constants }: Graph<NativeBlock>): number {
  return constants.reduce((total, { block }) => total + block.byteLength, 0);
}
