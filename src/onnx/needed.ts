/**
 * Finds the nodes on which outputs depend.
 *
 * @module
 */

import type { OnnxGraph, OnnxNode } from "./model.ts";

/** The nodes on which the wanted values depend, in their order. */
export function neededNodes(nodes: readonly OnnxNode[], wanted: readonly string[]): OnnxNode[] {
  const needed = new Set(wanted);
  const result: OnnxNode[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.outputs.some((name) => needed.has(name))) continue;
    for (const name of node.inputs) needed.add(name);
    for (const attribute of node.attributes.values()) {
      if (attribute.kind === "graph") { for (const name of outerNames(attribute.value)) needed.add(name); }
    }
    needed.delete("");
    result.push(node);
  }
  return result.reverse();
}

/** Names that a body may take from enclosing graphs; includes some that it defines itself. */
export function* outerNames(graph: OnnxGraph): Generator<string> {
  for (const node of graph.nodes) {
    yield* node.inputs;
    for (const attribute of node.attributes.values()) {
      if (attribute.kind === "graph") yield* outerNames(attribute.value);
    }
  }
  for (const { name } of graph.outputs) yield name;
}
