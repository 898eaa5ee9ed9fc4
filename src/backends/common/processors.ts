/**
 * The number of processors.
 *
 * @module
 */

import { onlineProcessors } from "../../../ffi/processors.ts";

/** A larger number is not plausible. */
const MAX_THREADS = 4096;

/**
 * The number of hardware threads: `navigator.hardwareConcurrency` if that is a plausible number, else the number that
 * the system reports. Test environments replace the navigator by objects without that property, or with any value.
 */
export function hardwareThreads(): number {
  const { hardwareConcurrency: count } = (globalThis.navigator ?? {}) as { hardwareConcurrency?: unknown };
  return typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= MAX_THREADS
    ? count
    : onlineProcessors();
}
