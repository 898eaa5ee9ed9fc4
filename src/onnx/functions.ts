/**
 * Calls of model functions, which are inlined.
 *
 * @module
 */

import type { Attribute, ModelProto, OnnxFunction, OnnxGraph, OnnxNode } from "./model.ts";
import type { Steps } from "../event_loop.ts";
import { isUnknown, Scope, type Walking } from "./scope.ts";
import { Operand } from "./operand.ts";
import type { Value } from "./value.ts";

/** The function that a node calls, if any. */
export function functionOf({ functions }: ModelProto, { domain, operator }: OnnxNode): OnnxFunction | undefined {
  return functions.find((candidate) => candidate.name === operator && candidate.domain === domain);
}

/** Walks a function's nodes with the inputs and attributes of a call. */
export function* callFunction(
  walker: Walking,
  called: OnnxFunction,
  call: OnnxNode,
  inputs: readonly (Operand | undefined)[],
  scope: Scope,
): Steps<(Operand | undefined)[] | undefined> {
  const inner = new Scope(undefined, `${scope.prefix}${call.outputs[0]}/`, called.opsets, () => new Map());
  const missing = new Set<string>();
  called.inputs.forEach((name, i) => {
    const value = inputs[i]?.value;
    if (value === undefined) missing.add(name);
    else inner.set(name, walker.renamed(value, inner.prefix + name));
  });
  const attributes = new Map([...called.defaults, ...call.attributes]);
  const nodes = called.nodes.map((node) => bound(node, attributes, missing));
  yield* walker.within(walker.walkNodes(nodes, inner, called.outputs));
  const outputs = called.outputs.map((name) => inner.find(name));
  if (outputs.some(isUnknown)) return undefined;
  return outputs.map((value) => value && new Operand(walker.recorder, value as Value));
}

/** A node of a function, with the attributes of the call, and without inputs that the call omits. */
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
