/**
 * Lowers a WebNN graph to an ONNX graph by a table with one entry per operator.
 *
 * @module
 */

import type { Graph } from "../../graph/graph.ts";
import type { NodeOf, OperatorName } from "../../ops/operators.ts";
import { convolutions } from "./lowering/conv2d.ts";
import { elementwise } from "./lowering/elementwise.ts";
import { indexing } from "./lowering/indexing.ts";
import type { Lowering } from "./lowering/lowering.ts";
import { movement } from "./lowering/movement.ts";
import { normalizations } from "./lowering/normalization.ts";
import { pools } from "./lowering/pool2d.ts";
import { products } from "./lowering/products.ts";
import { quantizations } from "./lowering/quantization.ts";
import { recurrent } from "./lowering/recurrent.ts";
import { reductions } from "./lowering/reductions.ts";
import { resampling } from "./lowering/resample.ts";
import type { NativeBlock } from "./native_block.ts";
import type { OnnxGraph } from "./onnx.ts";
import { OnnxWriter, type Operand } from "./writer.ts";

/** How each operator is written in ONNX. Forgetting one is a type error. */
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

/** The ONNX graph that computes the same. */
export function lower(graph: Graph<NativeBlock>): OnnxGraph {
  const onnx = new OnnxWriter();
  for (const { value } of graph.inputs) onnx.addInput(value);
  for (const { value, block } of graph.constants) onnx.addConstant(value, block);
  for (const node of graph.nodes as readonly NodeOf<OperatorName>[]) {
    onnx.setLabel(node.operator, node.label);
    const lowering = lowerings[node.operator] as Lowering<typeof node.operator>;
    const outputs = lowering(node as never, onnx);
    onnx.bind(node.outputs, Array.isArray(outputs) ? outputs : [outputs as Operand]);
  }
  for (const { value } of graph.outputs) onnx.addOutput(value);
  return onnx.graph;
}
