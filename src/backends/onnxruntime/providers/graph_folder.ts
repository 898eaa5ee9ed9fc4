/**
 * A folder for what a provider makes of one graph. ONNX Runtime takes what it finds there without a look at whether it
 * belongs to the graph, so that the name of the folder has to tell all graphs apart, weights included. Nobody clears the
 * folders away: how large they are only the provider knows.
 *
 * @module
 */

import { createFolder, isPermitted } from "../../../../ffi/files.ts";
import { nameOf, sourceOf } from "../compile_cache/key.ts";
import type { OnnxGraph } from "../onnx.ts";
import type { OrtRuntime } from "../runtime.ts";

/**
 * The folder of a graph below another one, where it is made if need be; `undefined` if it may not be.
 * @param entries the configuration of the graph's session
 */
export async function graphFolder(
  runtime: OrtRuntime,
  parent: string,
  onnx: OnnxGraph,
  entries: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (!isPermitted("write", parent)) return undefined;
  const path = `${parent}/${await nameOf(await sourceOf(runtime, onnx, entries))}`;
  await createFolder(path);
  return path;
}
