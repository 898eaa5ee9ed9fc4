/**
 * The key of an entry in the compile cache, and the check that an entry is the right one: a description of everything
 * except weights that determines how a graph is compiled, and a hash of each weight.
 *
 * The graph is described before it is rewritten and lowered, so that a cached graph needs neither.
 *
 * @module
 */

import { cpuFeatures } from "../../../../ffi/cpu_features.ts";
import { readCString } from "../../../../ffi/memory.ts";
import { graphText } from "../../../graph/description.ts";
import type { Graph } from "../../../graph/graph.ts";
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

/** The source of a graph. The blocks of its constants must not be disowned before the promise settles. */
export function sourceOfGraph(
  runtime: OrtRuntime,
  graph: Graph<NativeBlock>,
  entries: Readonly<Record<string, string>>,
): Promise<Source> {
  return sourceOf(runtime, graphText(graph), graph.constants.map(({ block }) => block), entries);
}

/** The source of a lowered graph, as {@linkcode sourceOfGraph}. */
export function sourceOfLowered(
  runtime: OrtRuntime,
  onnx: OnnxGraph,
  entries: Readonly<Record<string, string>>,
): Promise<Source> {
  const blocks = onnx.initializers.flatMap(({ data }) => data instanceof NativeBlock ? [data] : []);
  return sourceOf(runtime, JSON.stringify(describeLowered(onnx)), blocks, entries);
}

/**
 * @param description describes the graph without its weights
 * @param entries the configuration of the session that creates the entry
 */
async function sourceOf(
  runtime: OrtRuntime,
  description: string,
  blocks: readonly NativeBlock[],
  entries: Readonly<Record<string, string>>,
): Promise<Source> {
  const hashes = BigUint64Array.from(await Promise.all(blocks.map((block) => block.hash())));
  features ??= cpuFeatures();
  const build = readCString(runtime.api.GetBuildInfoString());
  const environment = JSON.stringify([MODULE_VERSION, runtime.version, build, features, OPSET, entries]);
  return {
    description: new TextEncoder().encode(`${environment}\n${description}`),
    hashes: new Uint8Array(hashes.buffer),
  };
}

/** The name of the entry for this source: a hash of it. */
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
function describeLowered({ inputs, outputs, initializers, nodes }: OnnxGraph): unknown {
  return [
    inputs,
    outputs,
    initializers.map(({ data, ...info }) => [info, data instanceof Uint8Array ? data.toBase64() : data.byteLength]),
    nodes.map(({ attributes, ...node }) => [node, describeAttributes(attributes)]),
  ];
}
