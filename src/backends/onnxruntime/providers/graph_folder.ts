/**
 * The folder for a provider's compiled form of one graph. ONNX Runtime uses what it finds there without checking that
 * it belongs to the graph, so the name of the folder must identify the graph, including its weights. Nothing deletes
 * the folders, because only the provider knows how large they get.
 *
 * @module
 */

import { createFolder, isPermitted } from "../../../../ffi/files.ts";
import { nameOf, sourceOfLowered } from "../compile_cache/key.ts";
import type { OnnxGraph } from "../onnx.ts";
import type { OrtRuntime } from "../runtime.ts";

/**
 * The folder of a graph inside another one, created if necessary; `undefined` if that is not permitted.
 * @param entries the configuration of the graph's session
 */
export async function graphFolder(
  runtime: OrtRuntime,
  parent: string,
  onnx: OnnxGraph,
  entries: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (!isPermitted("write", parent)) return undefined;
  const path = `${parent}/${await nameOf(await sourceOfLowered(runtime, onnx, entries))}`;
  await createFolder(path);
  return path;
}
