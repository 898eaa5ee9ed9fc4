/**
 * The work of a graph, as the rows of its operators count it: the same whoever does it, and however.
 *
 * @module
 */
import { bytesOf, costOf } from "../../src/graph/cost.ts";
import type { Graph } from "../../src/graph/graph.ts";

/** What one run of a graph has to do. */
export interface Work {
  readonly operators: number;
  /** Floating-point operations; a multiply-add is two. */
  readonly flop: number;
  /** Bytes that the operators read and write, each operand and result once. An engine that fuses them moves fewer. */
  readonly bytes: number;
  /** Bytes of the constants. */
  readonly weightBytes: number;
}

/** Adds up the work of a graph. */
export function workOf(graph: Graph<unknown>): Work {
  const { multiplyAdds, bytes } = costOf(graph);
  return {
    operators: graph.nodes.length,
    flop: 2 * multiplyAdds,
    bytes,
    weightBytes: bytesOf(graph.constants.map(({ value }) => value)),
  };
}

/** The work of a run in words: `3.0 MFLOP, 30.1 MB`. */
export function describeRun({ flop, bytes }: Work): string {
  return `${(flop / 1e6).toFixed(1)} MFLOP, ${(bytes / 1e6).toFixed(1)} MB`;
}
