/**
 * The formats in which graphs are exported: each is what a backend writes, which is loaded when it is first needed.
 *
 * @module
 */

import type { Graph } from "../graph/graph.ts";
import type { Block } from "./backend.ts";

/** Writes a graph in a format. */
export type Exporter<Result> = (graph: Graph<Block>) => Result;

/** Loads what writes ONNX files. */
export async function onnxExporter(): Promise<Exporter<Uint8Array<ArrayBuffer>>> {
  return (await import("./onnxruntime/export.ts")).exportOnnx;
}

/** Loads what writes packages of Core ML: their files by path. */
export async function mlpackageExporter(): Promise<Exporter<Map<string, Uint8Array<ArrayBuffer>>>> {
  return (await import("./coreml/export.ts")).exportMlpackage;
}
