/**
 * Refuses requests for memory that the machine does not have, before the allocator or the kernel sees them: Linux grants
 * nearly every request, and ends the process when the memory is used.
 *
 * @module
 */

import { availableMemory } from "../../../ffi/available_memory.ts";
import { offerCollection } from "../../../ffi/reservation.ts";
import { type Graph, operandsOf, type Value } from "../../graph/graph.ts";
import { byteLength } from "../../shape.ts";

/** Bytes that may be asked for between two looks at the memory that is left; a look takes about 60 µs. */
const CHECK_INTERVAL = 8 * 2 ** 20;
/** Bytes that are left to the rest of the process. */
const MARGIN = 64 * 2 ** 20;

let unchecked = 0;

/** Refuses to allocate more than there is. To be called before each allocation of elements. */
export function checkMemory(bytes: number): void {
  offerCollection();
  unchecked += bytes;
  if (unchecked < CHECK_INTERVAL) return;
  unchecked = 0;
  checkAvailable(bytes, "");
}

/** Refuses a graph that cannot run in the memory that is left. */
export function checkGraphMemory(graph: Graph<unknown>): void {
  const bytes = peakBytes(graph);
  if (bytes >= CHECK_INTERVAL) checkAvailable(bytes, "the graph's intermediate values take ");
}

function checkAvailable(bytes: number, what: string): void {
  const available = availableMemory() - MARGIN;
  if (bytes <= available) return;
  const mebibytes = (value: number) => `${Math.max(Math.ceil(value / 2 ** 20), 0)} MiB`;
  throw new RangeError(
    `${what}${mebibytes(bytes)}${what === "" ? " are asked for" : ""}, and ${mebibytes(available)} are left`,
  );
}

/**
 * The most bytes of computed values that are alive at one time: each is freed after its last use, but for outputs, and
 * for what follows from constants alone, which the engine computes when the session is created, and keeps.
 */
export function peakBytes({ constants, nodes, outputs }: Graph<unknown>): number {
  const lastUse = new Map<Value, number>();
  nodes.forEach((node, i) => {
    for (const operand of operandsOf(node)) lastUse.set(operand, i);
  });
  for (const { value } of outputs) lastUse.set(value, nodes.length);
  const fixed = new Set(constants.map(({ value }) => value));
  const freed = new Map<number, Value[]>();
  let alive = 0;
  let peak = 0;
  nodes.forEach((node, i) => {
    const isFixed = operandsOf(node).every((operand) => fixed.has(operand));
    for (const output of node.outputs) {
      alive += byteLength(output);
      if (isFixed) fixed.add(output);
      else getOrInsert(freed, lastUse.get(output) ?? i).push(output);
    }
    peak = Math.max(peak, alive);
    for (const value of freed.get(i) ?? []) alive -= byteLength(value);
  });
  return peak;
}

function getOrInsert(lists: Map<number, Value[]>, key: number): Value[] {
  const known = lists.get(key);
  if (known) return known;
  const list: Value[] = [];
  lists.set(key, list);
  return list;
}
