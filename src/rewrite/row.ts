/**
 * What a rewrite is.
 *
 * @module
 */

import type { Node } from "../graph/graph.ts";
import type { Replacement, Surroundings } from "./editor.ts";
import type { AnyName, AnyNode } from "./fused.ts";

/** A row of the table of rewrites. */
export interface Rewrite {
  /** The operators with which its pattern ends. */
  readonly ends: readonly AnyName[];
  /** What the last node of the pattern becomes; `undefined` if the pattern is not there, or is another function. */
  match(node: Node, graph: Surroundings): Replacement | undefined;
}

/** Writes a row; the type of the node follows from the operators with which its pattern ends. */
export function row<const Name extends AnyName>(
  ends: readonly Name[],
  match: (node: AnyNode<Name>, graph: Surroundings) => Replacement | undefined,
): Rewrite {
  return { ends, match: match as Rewrite["match"] };
}
