/**
 * The key of an entry in the compile cache, and the check that an entry is the right one: a description of everything
 * except weights that determines how ONNX Runtime optimises a graph, and a hash of each weight.
 *
 * @module
 */

import { cpuFeatures } from "../../../../ffi/cpu_features.ts";
import { readCString } from "../../../../ffi/memory.ts";
import { HASH_BYTES } from "../../../../ffi/memory_hash.ts";
import { NativeBlock } from "../native_block.ts";
import { describeAttributes, type OnnxGraph, OPSET } from "../onnx.ts";
import type { OrtRuntime } from "../runtime.ts";

/** The version of this module. Entries of other versions are not used. */
export const MODULE_VERSION = "0.2.0";

/** The source of an entry. */
export interface Source {
  readonly description: Uint8Array<ArrayBuffer>;
  /** The hashes of the weights, concatenated. */
  readonly hashes: Uint8Array<ArrayBuffer>;
}

let features: string | undefined;

/**
 * Everything that determines the content of an entry, except weights.
 * @param entries the configuration of the session that creates it
 */
function describe(
  runtime: OrtRuntime,
  onnx: OnnxGraph,
  entries: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  features ??= cpuFeatures();
  const build = readCString(runtime.api.GetBuildInfoString());
  const circumstances = [MODULE_VERSION, runtime.version, build, features, OPSET, entries];
  const text = JSON.stringify([circumstances, describeGraph(onnx)]);
  return new TextEncoder().encode(text);
}

/** The blocks of a graph's weights. */
export function blocksOf({ initializers }: OnnxGraph): NativeBlock[] {
  return initializers.flatMap(({ data }) => data instanceof NativeBlock ? [data] : []);
}

/** The description of a graph and the hashes of its weights. The blocks must stay valid until the promise settles. */
export async function sourceOf(
  runtime: OrtRuntime,
  onnx: OnnxGraph,
  entries: Readonly<Record<string, string>>,
): Promise<Source> {
  const all = await Promise.all(blocksOf(onnx).map((block) => block.hash()));
  const hashes = new Uint8Array(HASH_BYTES * all.length);
  all.forEach((hash, i) => hashes.set(hash, HASH_BYTES * i));
  return { description: describe(runtime, onnx, entries), hashes };
}

/** The name of the entry for this source, and no other. */
export async function nameOf({ description, hashes }: Source): Promise<string> {
  const bytes = new Uint8Array(description.byteLength + hashes.byteLength);
  bytes.set(description);
  bytes.set(hashes, description.byteLength);
  return (await digest(bytes)).toHex();
}

/** The bytes of a {@linkcode digest}. */
export const DIGEST_BYTES = 16;

/** The first half of the SHA-256. */
export async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).slice(0, DIGEST_BYTES);
}

/** The graph without weights, as JSON values: equal for equal graphs. */
function describeGraph({ inputs, outputs, initializers, nodes }: OnnxGraph): unknown {
  return [
    inputs,
    outputs,
    initializers.map(({ data, ...info }) => [info, data instanceof Uint8Array ? data.toBase64() : data.byteLength]),
    nodes.map(({ attributes, ...node }) => [node, describeAttributes(attributes)]),
  ];
}
