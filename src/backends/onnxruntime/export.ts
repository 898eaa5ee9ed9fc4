/**
 * A graph as an ONNX file.
 *
 * @module
 */

import type { Graph, NamedValue } from "../../graph/graph.ts";
import type { Block } from "../backend.ts";
import { lower } from "./lower.ts";
import { encodeModel } from "./model_proto.ts";
import type { OnnxGraph } from "./onnx.ts";

/** Lowerings that avoid flaws of a provider's kernels are not for others: this is none. */
const NO_PROVIDER = { provider: "none" };

/**
 * Encodes a graph with the standard's operators only; inputs and outputs keep their names.
 * @throws {RangeError} if it has 2 GiB or more
 */
export function exportOnnx(graph: Graph<Block>): Uint8Array<ArrayBuffer> {
  const constants = graph.constants.map(({ block, ...constant }) => {
    const { bytes } = block;
    return { ...constant, block: { bytes, byteLength: bytes.byteLength } };
  });
  return encodeModel(named(lower({ ...graph, constants }, NO_PROVIDER), graph));
}

/** The graph with the user's names of inputs and outputs; other values with these names get others. */
function named(onnx: OnnxGraph, { inputs, outputs }: Graph<unknown>): OnnxGraph {
  const names = new Map([...pairs(onnx.inputs, inputs), ...pairs(onnx.outputs, outputs)]);
  const taken = new Set(names.values());
  const rename = (name: string): string => {
    const own = names.get(name);
    if (own !== undefined) return own;
    let free = name;
    while (taken.has(free)) free += "'";
    if (free !== name) taken.add(free);
    names.set(name, free);
    return free;
  };
  const renamed = <T extends { readonly name: string }>(items: readonly T[]) =>
    items.map((item) => ({ ...item, name: rename(item.name) }));
  return {
    inputs: renamed(onnx.inputs),
    outputs: renamed(onnx.outputs),
    initializers: renamed(onnx.initializers),
    nodes: onnx.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => name === "" ? "" : rename(name)),
      outputs: node.outputs.map(rename),
    })),
  };
}

function pairs(infos: readonly { readonly name: string }[], values: readonly NamedValue[]): [string, string][] {
  return infos.map(({ name }, i) => [name, values[i]!.name]);
}
