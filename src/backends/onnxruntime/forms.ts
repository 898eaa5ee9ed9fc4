/**
 * The forms of a graph on its way to the engine. Traces the engine's nodes back to those of the original graph.
 *
 * @module
 */

import type { Graph, Node } from "../../graph/graph.ts";
import { originsOf } from "../../graph/origins.ts";
import type { LoweredGraph, OnnxGraph } from "./onnx.ts";

/** The forms of a graph: as the builder made it, after the rewrites, and after the lowering. */
export interface Forms {
  readonly given: Graph<unknown>;
  readonly rewritten: Graph<unknown>;
  readonly onnx: LoweredGraph;
}

/**
 * Returns a function that finds the position of a lowered node by the name of a node in the engine's graph. That name
 * is equal to or derived from the name of the lowered node or of its output.
 */
export function nodeFinder({ nodes }: OnnxGraph): (name: string) => number | undefined {
  const byName = new Map(nodes.map(({ name }, i) => [name, i]));
  const byOutput = new Map(nodes.flatMap(({ outputs }, i) => outputs.map((output) => [output, i] as const)));
  return (name) => {
    const index = byName.get(name) ?? byOutput.get(name.replace(/_nchwc$/, ""));
    if (index !== undefined) return index;
    // "matmul #74/MatMulAddFusion": a name ends with the position of its node.
    return [...name.matchAll(/#(\d+)/g)].map(([, position]) => Number(position)).find((position) =>
      nodes[position] && name.includes(nodes[position].name)
    );
  };
}

/** The nodes of the original graph that the engine's nodes with these names belong to. */
export function originsOfNames(names: readonly string[], { given, rewritten, onnx }: Forms): Set<Node> {
  if (names.length === 0) return new Set();
  const origins = originsOf(given, rewritten);
  const find = nodeFinder(onnx);
  return new Set(names.flatMap((name) => {
    const index = find(name);
    return index === undefined ? [] : origins.get(onnx.origins[index]!) ?? [];
  }));
}
