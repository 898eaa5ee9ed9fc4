/**
 * The type of a rewrite.
 *
 * @module
 */

import type { Node } from "../graph/graph.ts";
import type { OperatorName } from "../ops/operators.ts";
import type { GraphView, Replacement } from "./editor.ts";
import type { AnyName, AnyNode } from "./fused.ts";

/** A row of the table of rewrites: a pattern and its replacement. */
export interface Rewrite {
  /** The operators that can end the pattern. */
  readonly ends: readonly AnyName[];
  /** The pattern cannot match in a graph that was built with none of these operators; empty if others will do. */
  readonly needs: readonly OperatorName[];
  /** The replacement of the last node; `undefined` if the pattern does not match, or is a different function. */
  match(node: Node, graph: GraphView): Replacement | undefined;
}

/** Defines a rewrite. The type of the node follows from `ends`. */
export function row<const Name extends AnyName>(
  ends: readonly Name[],
  needs: readonly OperatorName[],
  match: (node: AnyNode<Name>, graph: GraphView) => Replacement | undefined,
): Rewrite {
  return { ends, needs, match: match as Rewrite["match"] };
}
