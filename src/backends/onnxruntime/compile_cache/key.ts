/**
 * By what an entry of the compile cache is found, and known to be the right one.
 *
 * The description holds all that decides how ONNX Runtime optimises a graph, but for its weights. An entry holds the
 * description and the weights that it was made of, and is believed only if both are the same to the last bit. So its
 * name needs only to be another one for nearly every other graph: of large weights it takes samples, since to hash all of
 * them takes longer than to compare them.
 *
 * @module
 */

import { cpuFeatures } from "../../../../ffi/cpu_features.ts";
import { readCString } from "../../../../ffi/memory.ts";
import type { NativeBlock } from "../native_block.ts";
import { describeAttributes, type OnnxGraph, OPSET } from "../onnx.ts";
import type { OrtRuntime } from "../runtime.ts";
import { Hash, padded } from "./hash.ts";

/** The version of this module. With another one an entry is made anew. */
export const MODULE_VERSION = "0.1.0";

/** How many numbers of 32 bits are taken of a block: of smaller ones, all. */
const SAMPLES = 64;

let features: string | undefined;

/**
 * All that decides what is in an entry, weights left out: bytes, a multiple of 16.
 * @param entries the configuration of the session that makes it
 */
export function describe(
  runtime: OrtRuntime,
  onnx: OnnxGraph,
  entries: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  features ??= cpuFeatures();
  const build = readCString(runtime.api.GetBuildInfoString());
  const circumstances = [MODULE_VERSION, runtime.version, build, features, OPSET, entries];
  const text = JSON.stringify([circumstances, describeGraph(onnx)]);
  return padded(new TextEncoder().encode(text));
}

/** The name of the entry of a description and of weights. */
export function nameOf(description: Uint8Array<ArrayBuffer>, blocks: readonly NativeBlock[]): string {
  const hash = new Hash();
  hash.update(description);
  hash.update(padded(new Uint8Array(Uint32Array.from(blocks.flatMap(({ bytes }) => sample(bytes))).buffer)));
  return hash.digest().toHex();
}

/** The graph as JSON values: equal ones if it is the same graph, its weights left out. */
function describeGraph({ inputs, outputs, initializers, nodes }: OnnxGraph): unknown {
  return [
    inputs,
    outputs,
    initializers.map(({ data, ...info }) => [info, data instanceof Uint8Array ? data.toBase64() : data.byteLength]),
    nodes.map(({ attributes, ...node }) => [node, describeAttributes(attributes)]),
  ];
}

/** Evenly spread over the block. Bytes behind the last whole number come first. */
function sample(bytes: Uint8Array<ArrayBuffer>): number[] {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  const samples = [...bytes.subarray(4 * words.length)];
  const step = Math.max(1, words.length / SAMPLES);
  for (let i = 0; i < words.length; i += step) samples.push(words[Math.floor(i)]!);
  return samples;
}
