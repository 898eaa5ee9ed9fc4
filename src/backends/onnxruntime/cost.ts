/**
 * An estimate of how long a graph runs: enough to tell a graph that may run at once on the calling thread from one that
 * would block the event loop.
 *
 * @module
 */

import { costOf } from "../../graph/cost.ts";
import type { Graph } from "../../graph/graph.ts";

/** Bytes that one core reads or writes in a microsecond, and multiply-adds that it does: cautious figures. */
const BYTES_PER_MICROSECOND = 4000;
const MULTIPLY_ADDS_PER_MICROSECOND = 5000;
/** What the engine spends on a node that has nothing to do. */
const MICROSECONDS_PER_NODE = 0.5;

/** The estimated run time in microseconds. */
export function estimateMicroseconds(graph: Graph<unknown>): number {
  const { multiplyAdds, bytes } = costOf(graph);
  return MICROSECONDS_PER_NODE * graph.nodes.length + bytes / BYTES_PER_MICROSECOND +
    multiplyAdds / MULTIPLY_ADDS_PER_MICROSECOND;
}
