/**
 * Weights that several graphs share: they are moved to tensors of the context, and the model keeps no copy.
 *
 * @module
 */

import type { MLContext } from "../api/ml_context.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import type { MLTensor } from "../api/ml_tensor.ts";
import { startStretch } from "../event_loop.ts";
import { asOperandType, WEIGHT_BYTES } from "./constants.ts";
import { bodiesOf } from "./needed.ts";
import type { Attribute, KnownTensor, ModelProto, OnnxGraph, OnnxNode, ValueInfo } from "./model.ts";
import { sizeOf } from "./value.ts";

/** A model whose weights are in tensors. */
export interface StoredModel {
  readonly model: ModelProto;
  readonly tensors: ReadonlyMap<KnownTensor, MLTensor>;
}

/** Copies the weights of a model to tensors. The result has no view of the file. */
export async function storeWeights(
  model: ModelProto,
  context: MLContext,
  limits: MLOpSupportLimits,
): Promise<StoredModel> {
  const tensors = new Map<KnownTensor, MLTensor>();
  const replaced = new Map<KnownTensor, KnownTensor>();
  const stretch = startStretch();
  try {
    for (const value of weightsOf(model.graph)) {
      if (replaced.has(value)) continue;
      const { type, shape, bytes } = asOperandType(value, limits);
      const emptied = { type: value.type, shape: value.shape, bytes: new Uint8Array(0) };
      tensors.set(emptied, await context.createConstantTensor({ dataType: type, shape }, bytes));
      replaced.set(value, emptied);
      await stretch.pause();
    }
  } catch (error) {
    for (const tensor of tensors.values()) tensor.destroy();
    throw error;
  }
  const keep = (value: KnownTensor): KnownTensor => replaced.get(value) ?? { ...value, bytes: value.bytes.slice() };
  const functions = model.functions.map((called) => ({
    ...called,
    defaults: mapAttributes(called.defaults, keep),
    nodes: called.nodes.map((node) => mapNode(node, keep)),
  }));
  return { model: { ...model, functions, graph: mapGraph(model.graph, keep) }, tensors };
}

/** The initializers of a graph and its bodies that are large enough for a tensor. */
function* weightsOf(graph: OnnxGraph): Generator<KnownTensor> {
  for (const value of graph.initializers.values()) {
    const computable = value.type !== "string" && value.type !== "other";
    if (computable && sizeOf(value) >= WEIGHT_BYTES) yield value;
  }
  for (const body of graph.nodes.flatMap(bodiesOf)) yield* weightsOf(body);
}

function noValues(): ReadonlyMap<string, ValueInfo> {
  return new Map();
}

type Keep = (value: KnownTensor) => KnownTensor;

function mapGraph(graph: OnnxGraph, keep: Keep): OnnxGraph {
  const initializers = new Map(Array.from(graph.initializers, ([name, value]) => [name, keep(value)]));
  // Drops the value infos, which are read from the file; a closure created in this function would keep the file alive.
  return { ...graph, initializers, nodes: graph.nodes.map((node) => mapNode(node, keep)), values: noValues };
}

function mapNode(node: OnnxNode, keep: Keep): OnnxNode {
  return { ...node, attributes: mapAttributes(node.attributes, keep) };
}

function mapAttributes(attributes: ReadonlyMap<string, Attribute>, keep: Keep): Map<string, Attribute> {
  return new Map(Array.from(attributes, ([name, attribute]): [string, Attribute] => {
    if (attribute.kind === "tensor") return [name, { kind: "tensor", value: keep(attribute.value) }];
    if (attribute.kind === "graph") return [name, { kind: "graph", value: mapGraph(attribute.value, keep) }];
    return [name, attribute];
  }));
}
