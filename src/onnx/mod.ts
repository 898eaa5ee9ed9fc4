/**
 * ONNX models on WebNN: a file becomes a graph of the standard's operators, without WebAssembly.
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

import { fetchBytes } from "../../ffi/files.ts";
import { createContext, type MLContext, MLGraphBuilder, type MLOperand } from "../../mod.ts";
import {
  buildOnnx as build,
  type BuildOptions,
  type Inspection,
  inspectModel,
  loadModel,
  type LoadOptions,
} from "./load.ts";
import type { OnnxModel } from "./onnx_model.ts";

export type { BuildOptions, ExternalFiles, Inspection, LoadOptions, WeightCount } from "./load.ts";
export type { Dimension, ElementType } from "./model.ts";
export { OnnxModel, type RunInputs } from "./onnx_model.ts";
export type { ModelPort, TensorData, TensorInput, TensorOutput } from "./ports.ts";
export type { Refusal } from "./walk.ts";

/** The options of {@linkcode loadOnnx}. */
export interface LoadOnnxOptions extends LoadOptions {
  /** The context on which the model runs; by default one of its own, destroyed with the model. */
  context?: MLContext;
}

/** The options of {@linkcode buildOnnx}. */
export interface BuildOnnxOptions extends BuildOptions {
  /** The context of the builder. */
  context: MLContext;
}

/**
 * Loads an ONNX model: the bytes of the file, its path, or its URL. Weights that the model keeps in other files are read
 * beside it.
 *
 * If all shapes are known, the graph is built at once; else for the shapes of a run, when the first comes.
 *
 * What is read from a path or URL is freed as soon as the weights are copied: when the graph is built, or in the first run
 * if shapes are free. Bytes that you pass are yours.
 *
 * @returns rejects with a TypeError if the file is damaged or no ONNX model; NotSupportedError that lists every node that
 * WebNN cannot compute; OperationError if the engine refuses the graph
 */
export async function loadOnnx(source: Uint8Array | string | URL, options: LoadOnnxOptions = {}): Promise<OnnxModel> {
  const { bytes, given, release } = await open(source, options);
  const ownsContext = options.context === undefined;
  const context = options.context ?? await createContext();
  try {
    const ownership = { ownsContext, releaseFiles: release };
    return await loadModel({ context, MLGraphBuilder }, bytes, given, ownership);
  } catch (error) {
    release();
    if (ownsContext) context.destroy();
    throw error;
  }
}

/**
 * Tells what a model takes and gives, and which of its nodes WebNN cannot compute, without building a graph.
 * @returns rejects with a TypeError if the file is damaged or no ONNX model
 */
export async function inspectOnnx(
  source: Uint8Array | string | URL,
  options: LoadOnnxOptions = {},
): Promise<Inspection> {
  const { bytes, given, release } = await open(source, options);
  const context = options.context ?? await createContext();
  try {
    return await inspectModel({ context, MLGraphBuilder }, bytes, given);
  } finally {
    release();
    if (options.context === undefined) context.destroy();
  }
}

/**
 * Adds a model to the graph that a builder is making.
 * @returns the operands of the model's outputs by name; rejects as {@linkcode loadOnnx} does
 */
export async function buildOnnx(
  builder: MLGraphBuilder,
  source: Uint8Array | string | URL,
  options: BuildOnnxOptions,
): Promise<Record<string, MLOperand>> {
  const { bytes, given, release } = await open(source, options);
  try {
    return await build(options.context, builder, bytes, given);
  } finally {
    release();
  }
}

/** The bytes of a model, with what goes with them. */
interface Opened<Options> {
  readonly bytes: Uint8Array;
  /** The options; external data are read beside a model that is a file, unless the caller gave them. */
  readonly given: Options;
  /**
   * Frees what was read here, at once: the garbage collector may keep files of hundreds of megabytes for long. What the
   * caller passed stays the caller's.
   */
  readonly release: () => void;
}

async function open<Options extends Pick<LoadOptions, "externalData">>(
  source: Uint8Array | string | URL,
  options: Options,
): Promise<Opened<Options>> {
  if (typeof source !== "string" && !(source instanceof URL)) return { bytes: source, given: options, release() {} };
  const buffers: ArrayBuffer[] = [];
  const read = async (file: string | URL) => {
    const bytes = await fetchBytes(file);
    buffers.push(bytes.buffer);
    return bytes;
  };
  const externalData = options.externalData ?? ((location: string) => read(beside(source, location)));
  return {
    bytes: await read(source),
    given: { ...options, externalData },
    release: () => buffers.splice(0).forEach((buffer) => buffer.transfer(0)),
  };
}

/** A file in the folder of another or below it. */
function beside(source: string | URL, location: string): string | URL {
  const parts = location.split(/[\\/]/);
  if (parts.includes("..") || parts[0] === "" || /^[a-z]+:/i.test(location)) {
    throw new TypeError(
      `The model keeps weights in ${JSON.stringify(location)}, outside of its folder; pass externalData.`,
    );
  }
  if (source instanceof URL || /^(https?|file):/.test(source)) return new URL(location, source);
  return source.replace(/[^\\/]*$/, "") + location;
}
