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

export type { BuildOptions, ExternalFiles, Inspection, LoadOptions } from "./load.ts";
export type { Dimension } from "./model.ts";
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
 * @returns rejects with a TypeError if the file is damaged or no ONNX model; NotSupportedError that lists every node that
 * WebNN cannot compute; OperationError if the engine refuses the graph
 */
export async function loadOnnx(source: Uint8Array | string | URL, options: LoadOnnxOptions = {}): Promise<OnnxModel> {
  const bytes = await bytesOf(source);
  const context = options.context ?? await createContext();
  try {
    return await loadModel(
      { context, MLGraphBuilder },
      bytes,
      withFiles(source, options),
      options.context === undefined,
    );
  } catch (error) {
    if (options.context === undefined) context.destroy();
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
  const bytes = await bytesOf(source);
  const context = options.context ?? await createContext();
  try {
    return await inspectModel({ context, MLGraphBuilder }, bytes, withFiles(source, options));
  } finally {
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
  return await build(options.context, builder, await bytesOf(source), withFiles(source, options));
}

async function bytesOf(source: Uint8Array | string | URL): Promise<Uint8Array> {
  return typeof source === "string" || source instanceof URL ? await fetchBytes(source) : source;
}

/** The options, with files of external data beside the model where nothing else is said. */
function withFiles<Options extends { externalData?: LoadOptions["externalData"] }>(
  source: Uint8Array | string | URL,
  options: Options,
): Options {
  if (options.externalData !== undefined || source instanceof Uint8Array) return options;
  return { ...options, externalData: (location: string) => fetchBytes(beside(source, location)) };
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
