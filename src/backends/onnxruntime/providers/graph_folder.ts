/**
 * A folder for what a provider makes of one graph. ONNX Runtime takes what it finds there without a look at whether it
 * belongs to the graph, so that the name of the folder has to tell all graphs apart, weights included. Nobody clears the
 * folders away: how large they are only the provider knows.
 *
 * @module
 */

import { createFolder, isPermitted } from "../../../../ffi/files.ts";
import { describe } from "../compile_cache/key.ts";
import { NativeBlock } from "../native_block.ts";
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
  const blocks = onnx.initializers.flatMap(({ data }) => data instanceof NativeBlock ? [data.bytes] : []);
  const digests = await Promise.all([describe(runtime, onnx, entries), ...blocks].map(sha256));
  const name = await sha256(new Uint8Array(await new Blob(digests).arrayBuffer()));
  const path = `${parent}/${name.toHex()}`;
  await createFolder(path);
  return path;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
