/**
 * The formats in which graphs are exported. A backend writes each of them; it is loaded when it is first needed.
 *
 * @module
 */

import type { Graph } from "../graph/graph.ts";
import type { Block } from "./backend.ts";

/** Writes a graph in a format. */
export type Exporter<Result> = (graph: Graph<Block>) => Result;

/** Loads the exporter of ONNX files. */
export async function onnxExporter(): Promise<Exporter<Uint8Array<ArrayBuffer>>> {
  return (await import("./onnxruntime/export.ts")).exportOnnx;
}

/** Loads the exporter of Core ML packages. It returns the files of a package by path. */
export async function mlpackageExporter(): Promise<Exporter<Map<string, Uint8Array<ArrayBuffer>>>> {
  return (await import("./coreml/export.ts")).exportMlpackage;
}
