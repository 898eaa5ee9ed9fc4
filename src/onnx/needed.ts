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
    for (const name of namesOf(node)) needed.add(name);
    needed.delete("");
    result.push(node);
  }
  return result.reverse();
}

/** The names that a node may take from its graph. They include names that its bodies define: too many do no harm. */
function* namesOf(node: OnnxNode): Generator<string> {
  yield* node.inputs;
  for (const body of bodiesOf(node)) {
    for (const inner of body.nodes) yield* namesOf(inner);
    for (const { name } of body.outputs) yield name;
  }
}

/** The bodies of a control-flow operator. */
export function bodiesOf({ attributes }: OnnxNode): OnnxGraph[] {
  return Array.from(attributes.values()).flatMap((attribute) => attribute.kind === "graph" ? [attribute.value] : []);
}
