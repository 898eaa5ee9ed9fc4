/**
 * Lowers a WebNN graph to an ML Program, with one table entry per operator.
 *
 * @module
 */

import type { Graph, Value } from "../../graph/graph.ts";
import type { NodeOf, OperatorName } from "../../ops/operators.ts";
import type { Descriptor } from "../../shape.ts";
import type { Block } from "../backend.ts";
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
import type { MilProgram, MilValue } from "./mil.ts";
import { type LowerOptions, MilWriter } from "./mil_writer.ts";

export type { LowerOptions } from "./mil_writer.ts";

/** How to write each operator in MIL. A missing entry is a type error. */
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

/** An input or output of a graph, and its feature of the model. */
export interface Port {
  /**
   * The WebNN descriptor. If its type is narrower than that of the feature, the elements are widened: see
   * `widening.ts`.
   */
  readonly descriptor: Descriptor;
  /** `fp32`, `fp16` or `int32`; a scalar has the shape `[1]`. */
  readonly feature: MilValue;
}

/** A program, and the features for the graph's inputs and outputs, in order. */
export interface LoweredProgram {
  readonly program: MilProgram;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** An extra input for a graph without inputs, because Core ML requires one. Its value does not matter. */
  readonly placeholder: MilValue | undefined;
}

/** The equivalent program. It refers to the bytes of the graph's constants. */
export function lower(graph: Graph<Block>, options: LowerOptions): LoweredProgram {
  const mil = new MilWriter(options);
  const inputs = graph.inputs.map(({ name, value }) => port(value, mil.addInput(name, value)));
  const placeholder = inputs.length === 0 ? mil.addPlaceholder() : undefined;
  for (const { value, block } of graph.constants) mil.addConstant(value, block.bytes);
  for (const node of graph.nodes as readonly NodeOf<OperatorName>[]) {
    mil.setLabel(node.operator, node.label);
    const lowering = lowerings[node.operator] as Lowering<typeof node.operator>;
    const results = lowering(node as never, mil);
    mil.bind(node.outputs, Array.isArray(results) ? results : [results as MilValue]);
  }
  const outputs = graph.outputs.map(({ value }) => port(value, mil.addOutput(value)));
  return { program: mil.program, inputs, outputs, placeholder };
}

function port({ dataType, shape }: Value, feature: MilValue): Port {
  return { descriptor: { dataType, shape }, feature };
}
