/**
 * Optimises a graph before it is lowered. Each rewrite replaces a pattern under exact conditions, so that the
 * replacement is the same function.
 *
 * @module
 */

import { finish, type Steps } from "../event_loop.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { activations } from "./activations.ts";
import { affineRows } from "./affine_channels.ts";
import { dynamicQuantizations } from "./dynamic_quantization.ts";
import { type ConstantStore, Editor, type GraphView, type Pass, type Replacement } from "./editor.ts";
import { integerConvolutions } from "./integer_convolutions.ts";
import { integerProducts } from "./integer_products.ts";
import { movements } from "./movements.ts";
import { normalizations } from "./normalizations.ts";
import { operandRows } from "./operands.ts";
import { quantizedConvolutions } from "./quantized_convolutions.ts";
import { quantizedElementwise } from "./quantized_elementwise.ts";
import { quantizedProducts } from "./quantized_products.ts";
import { reshapes } from "./reshapes.ts";
import type { Rewrite } from "./row.ts";
import { scaledConvolutions } from "./scaled_convolutions.ts";
import { scaledProducts } from "./scaled_products.ts";

export type { ConstantStore } from "./editor.ts";

/** All rewrites by name. */
export const rewrites = {
  ...activations,
  ...affineRows,
  ...dynamicQuantizations,
  ...integerConvolutions,
  ...integerProducts,
  ...movements,
  ...normalizations,
  ...operandRows,
  ...quantizedConvolutions,
  ...quantizedElementwise,
  ...quantizedProducts,
  ...reshapes,
  ...scaledConvolutions,
  ...scaledProducts,
} satisfies Record<string, Rewrite>;

/** The name of a rewrite. */
export type RewriteName = keyof typeof rewrites;

/**
 * Replaces the patterns of the named rewrites. Releases blocks that are no longer needed; the new graph owns the
 * others, as the old graph did.
 * @param passes the names of rewrites that the backend can lower; each pass visits the whole graph before the next one
 */
export function* rewriteInSteps<Block>(
  given: Graph<Block>,
  passes: readonly (readonly RewriteName[])[],
  store: ConstantStore<Block>,
): Steps<Graph<Block>> {
  const operators = new Set(given.nodes.map(({ operator }) => operator));
  const tables = passes.map((names) => tableOf(names, operators)).filter(({ size }) => size > 0);
  const editor = new Editor(given, store);
  return yield* editor.rewrite(tables.map((table): Pass => ({
    endsWith: (operator) => table.has(operator),
    find: (node, graph) => firstMatch(table, node, graph),
  })));
}

/** Runs {@linkcode rewriteInSteps} without pauses. */
export function rewrite<Block>(
  graph: Graph<Block>,
  passes: readonly (readonly RewriteName[])[],
  store: ConstantStore<Block>,
): Graph<Block> {
  return finish(rewriteInSteps(graph, passes, store));
}

/** The rewrites of a pass, by the last operator of their patterns. */
type Table = ReadonlyMap<string, readonly Rewrite[]>;

/** The rewrites that can match in a graph with these operators. Without the others, V8 has less code to compile. */
function tableOf(names: readonly RewriteName[], operators: ReadonlySet<string>): Table {
  const table = new Map<string, Rewrite[]>();
  for (const name of names) {
    const { ends, needs } = rewrites[name];
    if (needs.length > 0 && !needs.some((operator) => operators.has(operator))) continue;
    for (const end of ends) table.getOrInsertComputed(end, () => []).push(rewrites[name]);
  }
  return table;
}

function firstMatch(
  table: Table,
  node: Node,
  graph: GraphView,
): Replacement | undefined {
  const rows = table.get(node.operator) ?? [];
  for (let i = 0; i < rows.length; i++) {
    const found = rows[i]!.match(node, graph);
    if (found) return found;
  }
  return undefined;
}
