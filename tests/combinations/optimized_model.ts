/**
 * Runs ONNX Runtime's optimisers on a graph.
 *
 * @module
 */

import { join } from "node:path";
import { pathString } from "../../ffi/memory.ts";
import { createSession } from "../../src/backends/onnxruntime/model.ts";
import type { OnnxAttributes, OnnxGraph, OnnxInitializer, OnnxValueInfo } from "../../src/backends/onnxruntime/onnx.ts";
import { openRuntime } from "../../src/backends/onnxruntime/runtime.ts";
import { addConfiguration, createSessionOptions } from "../../src/backends/onnxruntime/session_options.ts";

type NodeText = readonly [op: string, inputs: string, outputs: string, attributes?: OnnxAttributes];

/** Parses a float32 value, such as `name[2,3]`. */
function parse(text: string): OnnxValueInfo {
  const [, name, shape] = text.match(/^(.+)\[(.*)\]$/) as [string, string, string];
  return { name, dataType: "float32", shape: shape === "" ? [] : shape.split(",").map(Number) };
}

/**
 * Makes a float32 graph. Inputs and outputs are written as `x[2,3] z[]`, constants as `{ "w[2]": [1, 2] }`, and nodes
 * as `["Add", "x w", "y"]`. A single value of a constant is repeated.
 */
export function graphOf(
  inputs: string,
  constants: Readonly<Record<string, readonly number[]>>,
  nodes: readonly NodeText[],
  outputs: string,
): OnnxGraph {
  return {
    inputs: inputs.split(" ").map(parse),
    outputs: outputs.split(" ").map(parse),
    initializers: Object.entries(constants).map(([text, values]): OnnxInitializer => {
      const info = parse(text);
      const size = info.shape.reduce((product, dimension) => product * dimension, 1);
      const data = new Float32Array(size).map((_, i) => values[i % values.length]!);
      return { ...info, data: new Uint8Array(data.buffer) };
    }),
    nodes: nodes.map(([op, inputs, outputs, attributes = {}], i) => ({
      op,
      domain: "",
      name: `${op} ${i}`,
      inputs: inputs.split(" "),
      outputs: outputs.split(" "),
      attributes,
    })),
  };
}

/** The operators of the optimised graph, sorted by name. `entries` replace entries of the session's configuration. */
export async function optimizedOperators(
  graph: OnnxGraph,
  entries: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const runtime = await openRuntime(undefined, 1);
  const folder = await Deno.makeTempDir();
  const options = createSessionOptions(runtime, { threads: 1 });
  try {
    const file = join(folder, "model.onnx");
    addConfiguration(runtime, options, entries);
    runtime.api.SetOptimizedModelFilePath(options, pathString(file));
    runtime.api.ReleaseSession(await createSession(runtime, graph, options));
    return operatorsOf(await Deno.readFile(file)).sort();
  } finally {
    runtime.api.ReleaseSessionOptions(options);
    await Deno.remove(folder, { recursive: true });
  }
}

const GRAPH_OF_MODEL = 7;
const NODE_OF_GRAPH = 1;
const OPERATOR_OF_NODE = 4;

/** The operators of the nodes of an ONNX file. */
function operatorsOf(model: Uint8Array): string[] {
  const [graph] = fieldsOf(model, GRAPH_OF_MODEL);
  return fieldsOf(graph!, NODE_OF_GRAPH).map((node) => new TextDecoder().decode(fieldsOf(node, OPERATOR_OF_NODE)[0]));
}

/** The contents of all length-delimited fields of a protobuf message with this field number. */
function fieldsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  let offset = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1;; shift *= 128) {
      const byte = message[offset++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (offset < message.length) {
    const tag = varint();
    const type = tag & 7;
    if (type === 0) varint();
    else if (type === 1) offset += 8;
    else if (type === 5) offset += 4;
    else {
      const length = varint();
      if (tag >> 3 === wanted) found.push(message.subarray(offset, offset + length));
      offset += length;
    }
  }
  return found;
}
