/**
 * The work and the memory of a run, counted from the graph of the model.
 *
 * @module
 */
import { describeGraph, type MLContext } from "@webnn/deno";
import { bytesNeeded } from "../elements.ts";
import { buildGraph, graphOfModel } from "./graph.ts";
import type { InputOptions } from "../inputs/read.ts";

/** The work and the memory of a run with inputs of some shapes. */
export interface Work {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** A single addition, multiplication or comparison counts as a half. */
  readonly multiplyAdds: number;
  /** The peak size of computed values that exist at the same time, in bytes. */
  readonly peakBytes: number;
  /** The size of all constants of the graph, in bytes. */
  readonly constantBytes: number;
  /** The number of operations of each WebNN operator. */
  readonly webnnOperators: Readonly<Record<string, number>>;
}

/**
 * Builds a model for the shapes of the options, and counts its work. An error names the file, or the input without a
 * shape.
 * @param isRun whether shapes may depend on random inputs too
 */
export async function workOf(
  path: string,
  context: MLContext,
  options: InputOptions,
  isRun: boolean,
): Promise<Work> {
  const model = await graphOfModel(path, context, options, isRun);
  using graph = await buildGraph(path, model);
  const { nodes, peakBytes } = describeGraph(graph);
  const operators: Record<string, number> = {};
  let [multiplyAdds, constantBytes] = [0, 0];
  for (const node of nodes) {
    if (node.kind === "constant") constantBytes += bytesNeeded(node.dataType, node.shape);
    if (node.kind !== "operator") continue;
    operators[node.operator] = (operators[node.operator] ?? 0) + 1;
    multiplyAdds += node.multiplyAdds;
  }
  const shapes = Object.fromEntries(Object.entries(model.inputs).map(([name, { shape }]) => [name, shape]));
  return { shapes, multiplyAdds, peakBytes, constantBytes, webnnOperators: operators };
}
