/**
 * What a run of a model takes, counted from its graph.
 *
 * @module
 */
import { describeGraph, type MLContext } from "@webnn/deno";
import { bytesNeeded } from "../elements.ts";
import { buildGraph, graphOfModel } from "./graph.ts";
import type { InputOptions } from "../inputs/read.ts";

/** What a run takes, for some shapes of the inputs. */
export interface Work {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** A lone addition, multiplication or comparison is half of one. */
  readonly multiplyAdds: number;
  /** The most bytes of computed values that are alive at one time. */
  readonly peakBytes: number;
  /** The bytes of all constants of the graph. */
  readonly constantBytes: number;
  /** How many operations of each operator of WebNN there are. */
  readonly webnnOperators: Readonly<Record<string, number>>;
}

/**
 * Builds a model for the shapes that the options give, and counts. An error names the file, or the input whose shape is
 * open.
 * @param isRun whether random inputs may decide over shapes too
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
