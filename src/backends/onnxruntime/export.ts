/**
 * Exports a graph as an ONNX file.
 *
 * @module
 */

import type { Graph, NamedValue, Value } from "../../graph/graph.ts";
import type { Block } from "../backend.ts";
import { lower } from "./lower.ts";
import { encodeModel } from "./model_proto.ts";
import type { OnnxGraph } from "./onnx.ts";

/**
 * The oldest operator set with all operators written here, for compatibility with other programs. Also, ONNX Runtime
 * 1.30 creates invalid nodes from int8 quantisation of version 21.
 */
const OPSET = 20;
/** The version with 4-bit integers and block scales. */
const OPSET_OF_BLOCKS = 21;

/** Not a provider: lowerings that avoid flaws of a provider's kernels do not apply. */
const NO_PROVIDER = { provider: "none" };

/**
 * Encodes a graph with standard operators only. Inputs and outputs keep their names.
 * @throws {RangeError} if it has 2 GiB or more
 */
export function exportOnnx(graph: Graph<Block>): Uint8Array<ArrayBuffer> {
  const constants = graph.constants.map(({ block, ...constant }) => {
    const { bytes } = block;
    return { ...constant, block: { bytes, byteLength: bytes.byteLength } };
  });
  const onnx = lower({ ...graph, constants }, NO_PROVIDER);
  return encodeModel(named(onnx, graph), { opset: needsBlocks(graph, onnx) ? OPSET_OF_BLOCKS : OPSET });
}

function needsBlocks(graph: Graph<unknown>, onnx: OnnxGraph): boolean {
  const isNarrow = ({ dataType }: Value) => dataType === "int4" || dataType === "uint4";
  return [...graph.inputs, ...graph.constants].some(({ value }) => isNarrow(value)) ||
    graph.nodes.some(({ outputs }) => outputs.some(isNarrow)) ||
    onnx.nodes.some(({ attributes }) => attributes.block_size !== undefined);
}

/** The graph with the user's names for inputs and outputs. Other values with such names are renamed. */
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
