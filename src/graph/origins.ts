/**
 * Finds the original nodes behind each node of a graph that was rewritten, for example by fusing nodes.
 *
 * @module
 */

import { type Graph, type Node, operandsOf, type Value } from "./graph.ts";

/** For each node of a rewritten graph, the nodes of the given graph whose work it does, in their order. */
export type Origins = ReadonlyMap<Node, readonly Node[]>;

/**
 * Finds the origins of the nodes of a rewritten graph. A given node is an origin of the rewritten
 * node that produces one of its outputs. If there is none, follow the uses of its outputs to the next given node that
 * has one. A node that the rewrite inserted shares the origins of the first node that uses it.
 */
export function originsOf(given: Graph<unknown>, rewritten: Graph<unknown>): Origins {
  const producers = producersOf(rewritten.nodes);
  const users = usersOf(given.nodes);
  const homes = new Map<Node, Node>();
  for (const node of given.nodes.toReversed()) {
    const home = first(node.outputs, (output) => producers.get(output)) ??
      first(node.outputs, (output) => first(users.get(output) ?? [], (user) => homes.get(user)));
    if (home) homes.set(node, home);
  }
  const origins = new Map<Node, Node[]>(rewritten.nodes.map((node) => [node, []]));
  for (const node of given.nodes) if (homes.has(node)) origins.get(homes.get(node)!)!.push(node);
  return shareWithInserted(rewritten, origins);
}

function shareWithInserted({ nodes }: Graph<unknown>, origins: Map<Node, readonly Node[]>): Origins {
  const users = usersOf(nodes);
  for (const node of nodes.toReversed()) {
    if (origins.get(node)!.length > 0) continue;
    const user = first(node.outputs, (output) => users.get(output)?.[0]);
    if (user) origins.set(node, origins.get(user)!);
  }
  return origins;
}

function producersOf(nodes: readonly Node[]): Map<Value, Node> {
  return new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
}

function usersOf(nodes: readonly Node[]): Map<Value, Node[]> {
  const users = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const operand of operandsOf(node)) users.getOrInsertComputed(operand, () => []).push(node);
  }
  return users;
}

/** The first result that is not `undefined`. */
function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
