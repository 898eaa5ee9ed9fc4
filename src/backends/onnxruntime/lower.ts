/**
 * Lowers a WebNN graph to an ONNX graph, with one table entry per operator.
 *
 * @module
 */

import { finish, type Steps } from "../../event_loop.ts";
import type { Graph } from "../../graph/graph.ts";
import type { NodeOf, OperatorName } from "../../ops/operators.ts";
import type { FusedName, FusedNode } from "../../rewrite/fused.ts";
import { convolutions } from "./lowering/conv2d.ts";
import { elementwise } from "./lowering/elementwise.ts";
import { fusedOperators } from "./lowering/fused.ts";
import { indexing } from "./lowering/indexing.ts";
import type { FusedLowering, Lowering } from "./lowering/lowering.ts";
import { movement } from "./lowering/movement.ts";
import { normalizations } from "./lowering/normalization.ts";
import { pools } from "./lowering/pool2d.ts";
import { products } from "./lowering/products.ts";
import { quantizations } from "./lowering/quantization.ts";
import { recurrent } from "./lowering/recurrent.ts";
import { reductions } from "./lowering/reductions.ts";
import { resampling } from "./lowering/resample.ts";
import type { ConstantData, LoweredGraph } from "./onnx.ts";
import { type LoweringSettings, OnnxWriter, type Operand } from "./writer.ts";

/** How to write each operator in ONNX. A missing entry is a type error. */
export const lowerings: { readonly [Name in OperatorName]: Lowering<Name> } = {
  ...convolutions,
  ...elementwise,
  ...indexing,
  ...movement,
  ...normalizations,
  ...pools,
  ...products,
  ...quantizations,
  ...recurrent,
  ...reductions,
  ...resampling,
};

/** How to write each fused operator in ONNX. A missing entry is a type error. */
export const fusedLowerings: { readonly [Name in FusedName]: FusedLowering<Name> } = fusedOperators;

const allLowerings = { ...lowerings, ...fusedLowerings };

/** The equivalent ONNX graph. */
export function* lowerInSteps(graph: Graph<ConstantData>, settings: LoweringSettings = {}): Steps<LoweredGraph> {
  const onnx = new OnnxWriter(settings);
  for (const { value } of graph.inputs) onnx.addInput(value);
  for (const constant of graph.constants) onnx.addConstant(constant);
  for (const node of graph.nodes as readonly (NodeOf<OperatorName> | FusedNode<FusedName>)[]) {
    onnx.begin(node);
    const outputs = allLowerings[node.operator](node as never, onnx);
    onnx.bind(node, Array.isArray(outputs) ? outputs : [outputs as Operand]);
    yield;
  }
  for (const { value } of graph.outputs) onnx.addOutput(value);
  return onnx.graph;
}

/** {@linkcode lowerInSteps} at once. */
export function lower(graph: Graph<ConstantData>, settings: LoweringSettings = {}): LoweredGraph {
  return finish(lowerInSteps(graph, settings));
}
