/**
 * The work of a graph, by the costs in its operators' rows. It does not depend on the engine.
 *
 * @module
 */
import { bytesOf, costOf } from "../../src/graph/cost.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { costOfNode } from "../../src/rewrite/fused.ts";

/** The work of one run. */
export interface Work {
  readonly operators: number;
  /** Floating-point operations; a multiply-add counts as two. */
  readonly flop: number;
  /** Bytes read and written, each operand and result once, without the savings of an engine that fuses operators. */
  readonly bytes: number;
  /** The size of the constants, in bytes. */
  readonly weightBytes: number;
}

/** The total work of a graph. */
export function workOf(graph: Graph<unknown>): Work {
  const { multiplyAdds, bytes } = costOf(graph, costOfNode);
  return {
    operators: graph.nodes.length,
    flop: 2 * multiplyAdds,
    bytes,
    weightBytes: bytesOf(graph.constants.map(({ value }) => value)),
  };
}

/** The work of a run as text: `3.0 MFLOP, 30.1 MB`. */
export function describeRun({ flop, bytes }: Work): string {
  return `${(flop / 1e6).toFixed(1)} MFLOP, ${(bytes / 1e6).toFixed(1)} MB`;
}
