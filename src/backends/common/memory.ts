/**
 * Checks that the machine has enough memory before an allocation. Most systems grant nearly every request, and kill the
 * process when it uses the memory.
 *
 * @module
 */

import { availableMemory } from "../../../ffi/available_memory.ts";
import { offerCollection } from "../../../ffi/reservation.ts";

/** Bytes that may be allocated between two queries of the available memory; a query takes about 60 µs. */
const CHECK_INTERVAL = 8 * 2 ** 20;
/** Bytes to leave for the rest of the process. */
const MARGIN = 64 * 2 ** 20;

let unchecked = 0;

/**
 * Checks that `bytes` can be allocated. Call it before each allocation of elements.
 * @throws {RangeError} if less memory is available
 */
export function checkMemory(bytes: number): void {
  offerCollection();
  unchecked += bytes;
  if (unchecked < CHECK_INTERVAL) return;
  unchecked = 0;
  checkAvailable(bytes, (needed) => `${needed} are needed`);
}

/**
 * Checks that there is enough memory for some work. Does not check small amounts.
 * @param what subject and verb of the message: `"the graph's intermediate values take"`
 * @throws {RangeError} if less memory is available
 */
export function checkWorkMemory(bytes: number, what: string): void {
  if (bytes >= CHECK_INTERVAL) checkAvailable(bytes, (needed) => `${what} ${needed}`);
}

function checkAvailable(bytes: number, describe: (needed: string) => string): void {
  const available = availableMemory() - MARGIN;
  if (bytes <= available) return;
  const mebibytes = (value: number) => `${Math.max(Math.ceil(value / 2 ** 20), 0)} MiB`;
  throw new RangeError(`${describe(mebibytes(bytes))}, but only ${mebibytes(available)} are available`);
}
