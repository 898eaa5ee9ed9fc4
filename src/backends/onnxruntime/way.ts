/**
 * The forms of a graph on its way to the engine, and how to trace the engine's nodes back to those of the graph.
 *
 * @module
 */

import type { Graph, Node } from "../../graph/graph.ts";
import { originsOf } from "../../graph/origins.ts";
import type { LoweredGraph, OnnxGraph } from "./onnx.ts";

/** The forms of a graph. */
export interface Way {
  readonly given: Graph<unknown>;
  readonly rewritten: Graph<unknown>;
  readonly onnx: LoweredGraph;
}

/**
 * Returns a function that finds the position of a given node by a name in the engine's graph, which is that of the node
 * or derived from it or from an output's.
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

/** The nodes of the graph that the engine's nodes belong to, which are given by name. */
export function originsOfNames(names: readonly string[], { given, rewritten, onnx }: Way): Set<Node> {
  if (names.length === 0) return new Set();
  const origins = originsOf(given, rewritten);
  const find = nodeFinder(onnx);
  return new Set(names.flatMap((name) => {
    const index = find(name);
    return index === undefined ? [] : origins.get(onnx.origins[index]!) ?? [];
  }));
}
