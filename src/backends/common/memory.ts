/**
 * Checks that the machine has enough memory before an allocation. Most systems grant nearly every request, and kill the
 * process when it uses the memory.
 *
 * @module
 */

import { availableMemory } from "../../../ffi/available_memory.ts";
import { offerCollection } from "../../../ffi/reservation.ts";

/**
 * At least this many bytes may be allocated between two queries of the available memory, each of 60 to 400 µs; the first
 * takes 2 to 4 ms. It is less than the margin.
 */
const CHECK_INTERVAL = 32 * 2 ** 20;
/** The part of the available memory that may be allocated before the next query, if it is more. */
const UNCHECKED_PART = 1 / 128;
/** Bytes to leave for the rest of the process. */
const MARGIN = 64 * 2 ** 20;

/** The bytes that may still be allocated before the next query. */
let unchecked = CHECK_INTERVAL;

/**
 * Checks that `bytes` can be allocated. Call it before each allocation of elements.
 * @throws {RangeError} if less memory is available
 */
export function checkMemory(bytes: number): void {
  offerCollection();
  unchecked -= bytes;
  if (unchecked > 0) return;
  unchecked = CHECK_INTERVAL;
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
  if (bytes <= available) return void (unchecked = Math.max(CHECK_INTERVAL, (available - bytes) * UNCHECKED_PART));
  const mebibytes = (value: number) => `${Math.max(Math.ceil(value / 2 ** 20), 0)} MiB`;
  throw new RangeError(`${describe(mebibytes(bytes))}, but only ${mebibytes(available)} are available`);
}
