/**
 * Estimates how long a graph runs, to decide whether it may run synchronously or would block the event loop.
 *
 * @module
 */

import { costOf } from "../../graph/cost.ts";
import type { Graph } from "../../graph/graph.ts";
import { costOfNode } from "../../rewrite/fused.ts";

/** How many bytes a core reads or writes per microsecond, and how many multiply-adds it does; conservative numbers. */
const BYTES_PER_MICROSECOND = 4000;
const MULTIPLY_ADDS_PER_MICROSECOND = 5000;
/** The overhead per node. */
const MICROSECONDS_PER_NODE = 0.5;

/** The estimated run time in microseconds. */
export function estimateMicroseconds(graph: Graph<unknown>): number {
  const { multiplyAdds, bytes } = costOf(graph, costOfNode);
  return MICROSECONDS_PER_NODE * graph.nodes.length + bytes / BYTES_PER_MICROSECOND +
    multiplyAdds / MULTIPLY_ADDS_PER_MICROSECOND;
}
