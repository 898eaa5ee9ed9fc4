/**
 * Refuses requests for memory that the machine does not have, before an allocator or the kernel sees them: most systems
 * grant nearly every request, and end the process when the memory is used.
 *
 * @module
 */

import { availableMemory } from "../../../ffi/available_memory.ts";
import { offerCollection } from "../../../ffi/reservation.ts";

/** Bytes that may be asked for between two looks at the memory that is left; a look takes about 60 µs. */
const CHECK_INTERVAL = 8 * 2 ** 20;
/** Bytes that are left to the rest of the process. */
const MARGIN = 64 * 2 ** 20;

let unchecked = 0;

/**
 * Refuses to allocate more than there is. To be called before each allocation of elements.
 * @throws {RangeError} if less is left
 */
export function checkMemory(bytes: number): void {
  offerCollection();
  unchecked += bytes;
  if (unchecked < CHECK_INTERVAL) return;
  unchecked = 0;
  checkAvailable(bytes, (needed) => `${needed} are asked for`);
}

/**
 * Refuses work that takes more memory than there is; what takes little is not looked at.
 * @param what the work, as in `"the graph's intermediate values take"`
 * @throws {RangeError} if less is left
 */
export function checkWorkMemory(bytes: number, what: string): void {
  if (bytes >= CHECK_INTERVAL) checkAvailable(bytes, (needed) => `${what} ${needed}`);
}

function checkAvailable(bytes: number, describe: (needed: string) => string): void {
  const available = availableMemory() - MARGIN;
  if (bytes <= available) return;
  const mebibytes = (value: number) => `${Math.max(Math.ceil(value / 2 ** 20), 0)} MiB`;
  throw new RangeError(`${describe(mebibytes(bytes))}, and ${mebibytes(available)} are left`);
}
