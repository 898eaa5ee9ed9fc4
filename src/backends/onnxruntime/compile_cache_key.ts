/**
 * The name of a graph's entry in the compile cache: a hash of all that decides how ONNX Runtime optimises it.
 *
 * Of large weights only samples go into the hash, since to hash all of them takes longer than to optimise the graph. So
 * the name only says where to look; whether the weights are the same, the entry itself tells, by comparing all of them.
 *
 * @module
 */

import { cpuFeatures } from "../../../ffi/cpu_features.ts";
import { readCString } from "../../../ffi/memory.ts";
import { NativeBlock } from "./native_block.ts";
import { Float, type OnnxAttribute, type OnnxGraph, OPSET } from "./onnx.ts";
import type { OrtRuntime } from "./runtime.ts";
import { CONFIGURATION } from "./session_options.ts";

/** The version of this module. With another one an entry is made anew. */
export const MODULE_VERSION = "0.1.0";

/** How many numbers of 32 bits are taken of a block: of smaller ones, all. */
const SAMPLES = 1024;

let features: string | undefined;

/** The key as 32 bytes. */
export async function cacheKey(runtime: OrtRuntime, onnx: OnnxGraph): Promise<Uint8Array<ArrayBuffer>> {
  features ??= cpuFeatures();
  const build = readCString(runtime.api.GetBuildInfoString());
  const circumstances = [MODULE_VERSION, runtime.version, build, features, OPSET, CONFIGURATION];
  const description = new TextEncoder().encode(JSON.stringify([circumstances, describe(onnx)]));
  const samples = onnx.initializers.flatMap(({ data }) => data instanceof NativeBlock ? [sample(data.bytes)] : []);
  const bytes = await new Blob([description, ...samples]).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** The graph as JSON values: equal ones if it is the same graph, its weights left out. */
function describe({ inputs, outputs, initializers, nodes }: OnnxGraph): unknown {
  return [
    inputs,
    outputs,
    initializers.map(({ data, ...info }) => [info, data instanceof NativeBlock ? data.byteLength : data.toBase64()]),
    nodes.map((
      { attributes, ...node },
    ) => [node, Object.entries(attributes).map(([key, value]) => [key, encode(value)])]),
  ];
}

/** JSON has no NaN, no infinity and no -0. */
function encode(attribute: OnnxAttribute | undefined): unknown {
  return attribute instanceof Float ? { bits: new Uint32Array(Float32Array.of(attribute.value).buffer)[0] } : attribute;
}

/** Evenly spread over the block; of a small one, all of it. */
function sample(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength <= 4 * SAMPLES) return bytes;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  return new Uint8Array(
    Uint32Array.from({ length: SAMPLES }, (_, i) => words[Math.floor(i * words.length / SAMPLES)]!).buffer,
  );
}
