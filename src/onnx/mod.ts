/**
 * ONNX models on WebNN: converts a model file to a graph of WebNN operators, without WebAssembly.
 *
 * @example
 * ```ts ignore
 * import { loadOnnx } from "@webnn/deno/onnx";
 *
 * using model = await loadOnnx("model.onnx", { dimensions: { batch: 1 } });
 * console.log(model.inputs); // [{ name: "x", dataType: "float32", shape: [1, 3, 224, 224] }]
 * const { logits } = await model.run({ x: new Float32Array(3 * 224 * 224) });
 * console.log(logits.data, logits.shape);
 * ```
 *
 * @module
 */

import { fetchBytes, listFiles, pathOf } from "../../ffi/files.ts";
import { PartialFile } from "../../ffi/partial_file.ts";
import { readConstant, startReading } from "../api/graph_builder.ts";
import { supportLimits } from "../api/ml_context.ts";
import {
  type ContextOptions,
  createContext,
  type MLContext,
  MLGraphBuilder,
  type MLOperand,
  shareConstant,
} from "../../mod.ts";
import {
  buildOnnx as build,
  type BuildOptions,
  type Contents,
  type InnerOptions,
  type Inspection,
  inspectModel,
  loadInstances,
  loadModel,
  type LoadOptions,
} from "./load.ts";
import { NotStored } from "./errors.ts";
import type { OnnxModel, RunInputs } from "./onnx_model.ts";
import { freeDimensions } from "./ports.ts";

export type { BuildOptions, ExternalFiles, Inspection, LoadOptions, WeightCount } from "./load.ts";
export { NeedsElements, NotStored } from "./errors.ts";
export type { Dimension, ElementType } from "./model.ts";
export { OnnxModel, type RunInputs } from "./onnx_model.ts";
export type { ModelPort, TensorData, TensorInput, TensorOutput } from "./ports.ts";
export type { UnsupportedNode } from "./walk.ts";

/** The options of {@linkcode loadOnnx}. */
export interface LoadOnnxOptions extends LoadOptions {
  /** The context on which the model runs; by default a new one, which is destroyed with the model. */
  context?: MLContext;
}

/** The options of {@linkcode buildOnnx}. */
export interface BuildOnnxOptions extends BuildOptions {
  /** The context of the builder. */
  context: MLContext;
}

/**
 * Loads an ONNX model from the bytes of the file, its path, or its URL. Weights in other files are read from the same
 * folder.
 *
 * If all shapes are known, the graph is built immediately; otherwise it is built for the shapes of the first run.
 *
 * On Linux, large weights of a local file are read straight into the engine's memory, on another thread. Elsewhere, and
 * for a URL, the file's memory is freed before the promise resolves. The file must not change until then. Bytes that the
 * caller passes are not freed.
 *
 * @returns rejects with a TypeError if the file is damaged, not an ONNX model, or becomes shorter meanwhile; a
 * NotSupportedError that lists every node that WebNN cannot compute; or an OperationError if the engine rejects the graph
 */
export async function loadOnnx(source: Uint8Array | string | URL, options: LoadOnnxOptions = {}): Promise<OnnxModel> {
  const opening = open(source, options, true);
  opening.catch(() => {}); // It may fail before it is awaited.
  const ownsContext = options.context === undefined;
  let { context } = options;
  try {
    // While the file is read.
    context ??= await createContext();
    const { contents, given, readAll, release, settled } = await opening;
    const reading = { constant: readConstant, start: startReading, done: settled };
    const runtime = { context, MLGraphBuilder, limits: supportLimits(context), reading };
    return await loadModel(runtime, contents, given, { ownsContext, readFiles: readAll, releaseFiles: release });
  } catch (error) {
    await opening.then(({ release, settled }) => settled().catch(() => {}).then(release), () => {});
    if (ownsContext) context?.destroy();
    throw error;
  }
}

/**
 * Loads an ONNX model on several contexts, so that it can run several times at once. It is read only once, and contexts
 * on the same engine share its weights.
 *
 * The instances are independent: each is run and disposed on its own. Weights are released with the last of them. With a
 * cache of compiled graphs, each instance has a copy of the weights that the engine stores in its own order.
 *
 * @param source as for {@linkcode loadOnnx}
 * @param contexts at least one, all on the same device
 * @returns a model for each context; rejects as {@linkcode loadOnnx} does
 */
export async function loadOnnxInstances(
  source: Uint8Array | string | URL,
  contexts: readonly MLContext[],
  options: LoadOptions = {},
): Promise<OnnxModel[]> {
  const { contents, given, release } = await open(source, options);
  try {
    const runtimes = contexts.map((context) => ({ context, MLGraphBuilder }));
    return await loadInstances(runtimes, shareConstant, contents, given);
  } finally {
    release();
  }
}

/** The options of {@linkcode compileOnnx}. */
export interface CompileOnnxOptions extends Omit<LoadOptions, "maxGraphs"> {
  /** The path of the folder for compiled graphs. It is created if it is missing. */
  cacheDirectory: string;
  /** The options of the contexts that will run the model. Some of them affect how the model is compiled. */
  contextOptions?: Omit<ContextOptions, "cacheDirectory">;
  /**
   * The inputs of a run. Required only if `dimensions` is not enough to determine all shapes; inputs of fixed shapes may
   * be left out unless shapes depend on their elements.
   */
  inputs?: RunInputs;
}

/**
 * Compiles an ONNX model ahead of time, without running it. Programs that use the same `cacheDirectory` load the
 * compiled graph from there, if the kind of processor and the versions of the module and the engine are the same.
 *
 * @returns rejects as {@linkcode loadOnnx} does, with a TypeError if not all shapes are known, with
 * {@linkcode NeedsElements} if shapes depend on elements of inputs that are left out, or with {@linkcode NotStored} if the graph could not be stored
 */
export async function compileOnnx(source: Uint8Array | string | URL, options: CompileOnnxOptions): Promise<void> {
  const { cacheDirectory, contextOptions, inputs, ...loadOptions } = options;
  const context = await createContext({ ...contextOptions, cacheDirectory });
  try {
    const before = await entriesOf(cacheDirectory);
    using model = await loadOnnx(source, { ...loadOptions, context });
    if (!model.isBuilt && inputs) await model.build(inputs);
    if (!model.isBuilt) {
      const free = freeDimensions(model.inputs);
      const open = free.length > 0 ? `${free.join(", ")}; pass dimensions` : "the elements of its inputs; pass inputs";
      throw new TypeError(`compileOnnx: the graph depends on ${open}`);
    }
    const after = await entriesOf(cacheDirectory);
    if ([...after].every(([name, modified]) => before.get(name) === modified)) {
      throw new NotStored(
        `compileOnnx: nothing was stored in ${cacheDirectory}; storing needs --allow-read, --allow-write, free disk ` +
          "space, and a model with at most 512 MiB of weights",
      );
    }
  } finally {
    context.destroy();
  }
}

/** The files in a folder and its subfolders, with their modification times, which the cache updates at each use. */
async function entriesOf(folder: string): Promise<Map<string, number>> {
  const files = await listFiles(folder, { below: true }).catch(() => []);
  return new Map(files.map(({ name, modified }) => [name, modified]));
}

/**
 * Describes a model: its inputs, outputs, operators and weights, and the nodes that WebNN cannot compute. It builds no
 * graph.
 * @returns rejects with a TypeError if the file is damaged or not an ONNX model
 */
export async function inspectOnnx(
  source: Uint8Array | string | URL,
  options: LoadOnnxOptions = {},
): Promise<Inspection> {
  const { contents, given, release } = await open(source, options, true);
  const context = options.context ?? await createContext();
  try {
    return await inspectModel({ context, MLGraphBuilder }, contents, given);
  } finally {
    release();
    if (options.context === undefined) context.destroy();
  }
}

/**
 * Adds a model to the graph of a builder.
 * @returns the operands of the outputs by name; rejects as {@linkcode loadOnnx} does, and with {@linkcode NeedsElements}
 * if shapes depend on the elements of an input
 */
export async function buildOnnx(
  builder: MLGraphBuilder,
  source: Uint8Array | string | URL,
  options: BuildOnnxOptions,
): Promise<Record<string, MLOperand>> {
  const { contents, given, release } = await open(source, options);
  try {
    return await build(options.context, builder, contents, given);
  } finally {
    release();
  }
}

/** An opened model. */
interface Opened<Options> {
  readonly contents: Contents;
  /** The options. By default, external data is read from the folder of the model file. */
  readonly given: Options;
  /** Reads what was not read of the files. */
  readonly readAll: () => Promise<void>;
  /** Resolves when no part of a file is being read on another thread. Rejects if one could not be read. */
  readonly settled: () => Promise<void>;
  /**
   * Closes the files and frees their memory, because the garbage collector may keep hundreds of megabytes for long.
   * Bytes that the caller passed are not freed.
   */
  readonly release: () => void;
}

/** Opens a model. `inParts` says whether local files are read when their parts are needed; by default, they are read. */
async function open<Options extends Pick<LoadOptions, "externalData">>(
  source: Uint8Array | string | URL,
  options: Options,
  inParts = false,
): Promise<Opened<Omit<Options, "externalData"> & Pick<InnerOptions, "externalData">>> {
  const files: PartialFile[] = [];
  const buffers: ArrayBuffer[] = [];
  const read = async (file: string | URL): Promise<Contents> => {
    const partial = inParts ? openPart(file) : undefined;
    if (partial) {
      files.push(partial);
      return partial;
    }
    const bytes = await fetchBytes(file);
    buffers.push(bytes.buffer);
    return bytes;
  };
  const isGiven = typeof source !== "string" && !(source instanceof URL);
  const contents = isGiven ? source : await read(source);
  const externalData = options.externalData ??
    (isGiven ? undefined : (location: string) => read(beside(source, location)));
  return {
    contents,
    given: { ...options, externalData },
    readAll: async () => void await Promise.all(files.map((file) => file.readAll())),
    settled: async () => void await Promise.all(files.map((file) => file.settled())),
    release() {
      for (const file of files.splice(0)) file.close();
      for (const buffer of buffers.splice(0)) buffer.transfer(0);
    },
  };
}

function openPart(file: string | URL): PartialFile | undefined {
  const path = pathOf(file);
  return path === undefined ? undefined : PartialFile.open(path);
}

/** The path or URL of a location relative to a file. The location must not be outside of the file's folder. */
function beside(source: string | URL, location: string): string | URL {
  const parts = location.split(/[\\/]/);
  if (parts.includes("..") || parts[0] === "" || /^[a-z]+:/i.test(location)) {
    throw new TypeError(
      `The model has weights in ${JSON.stringify(location)}, outside of its folder; pass externalData.`,
    );
  }
  if (source instanceof URL || /^(https?|file):/.test(source)) return new URL(location, source);
  return source.replace(/[^\\/]*$/, "") + location;
}
