/**
 * Finds the nodes on which outputs depend.
 *
 * @module
 */

import type { OnnxGraph, OnnxNode } from "./model.ts";

/** The nodes on which the wanted values depend, in the same order as in `nodes`. */
export function neededNodes(nodes: readonly OnnxNode[], wanted: readonly string[]): OnnxNode[] {
  const needed = new Set(wanted);
  const result: OnnxNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    addNames(node, needed);
    needed.delete("");
    result.push(node);
  }
  return result.reverse();
}

/** Adds the names that a node may take from its graph, and those that its bodies define: too many do no harm. */
function addNames(node: OnnxNode, names: Set<string>): void {
  for (const name of node.inputs) names.add(name);
  for (const body of bodiesOf(node)) {
    for (const inner of body.nodes) addNames(inner, names);
    for (const { name } of body.outputs) names.add(name);
  }
}

const NO_BODIES: readonly OnnxGraph[] = [];

/** The bodies of a control-flow operator. */
export function bodiesOf({ attributes }: OnnxNode): readonly OnnxGraph[] {
  if (attributes.size === 0) return NO_BODIES;
  const bodies: OnnxGraph[] = [];
  for (const attribute of attributes.values()) if (attribute.kind === "graph") bodies.push(attribute.value);
  return bodies;
}
