/**
 * Checks the memory for a graph's intermediate values and outputs.
 *
 * @module
 */

import type { Graph } from "../../graph/graph.ts";
import { peakBytes } from "../../graph/peak_memory.ts";
import { checkWorkMemory } from "../common/memory.ts";

/**
 * Checks that there is enough memory to run a graph.
 * @throws {RangeError} if less memory is available
 */
export function checkGraphMemory(graph: Graph<unknown>): void {
  checkWorkMemory(peakBytes(graph), "the graph's intermediate values take");
}
