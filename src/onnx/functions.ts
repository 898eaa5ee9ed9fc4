/**
 * Inlines the functions that a model defines.
 *
 * @module
 */

import type { Attribute, ModelProto, OnnxFunction, OnnxGraph, OnnxNode } from "./model.ts";
import type { Steps } from "../event_loop.ts";
import type { Operand } from "./operand.ts";
import { Scope, type Walking } from "./scope.ts";

/** The function that a node calls, if any. */
export function functionOf({ functions }: ModelProto, { domain, operator }: OnnxNode): OnnxFunction | undefined {
  return functions.find((candidate) => candidate.name === operator && candidate.domain === domain);
}

/** Walks the nodes of a function, with the inputs and attributes of the node that calls it. */
export function* callFunction(
  walker: Walking,
  called: OnnxFunction,
  call: OnnxNode,
  inputs: readonly (Operand | undefined)[],
  scope: Scope,
): Steps<(Operand | undefined)[] | undefined> {
  const inner = new Scope(undefined, `${scope.prefix}${call.outputs[0]}/`, called.opsets, () => new Map());
  const missing = new Set(called.inputs.filter((_, i) => inputs[i] === undefined));
  const attributes = new Map([...called.defaults, ...call.attributes]);
  const nodes = called.nodes.map((node) => bound(node, attributes, missing));
  return yield* walker.walkInner({ nodes }, inner, called, inputs);
}

/** A node of a function, with attribute values from the call, and without the inputs that the call omits. */
function bound(node: OnnxNode, call: ReadonlyMap<string, Attribute>, missing: ReadonlySet<string>): OnnxNode {
  const attributes = new Map<string, Attribute>();
  for (const [name, attribute] of node.attributes) {
    const value = attribute.kind === "reference" ? call.get(attribute.value) : attribute;
    if (value?.kind === "graph") attributes.set(name, { kind: "graph", value: boundGraph(value.value, call, missing) });
    else if (value !== undefined) attributes.set(name, value);
  }
  return { ...node, attributes, inputs: node.inputs.map((input) => missing.has(input) ? "" : input) };
}

function boundGraph(graph: OnnxGraph, call: ReadonlyMap<string, Attribute>, missing: ReadonlySet<string>): OnnxGraph {
  return { ...graph, nodes: graph.nodes.map((node) => bound(node, call, missing)) };
}
