/**
 * The number of processors.
 *
 * @module
 */

import { onlineProcessors } from "../../../ffi/processors.ts";

/** No machine has more; a larger number is made up. */
const MOST = 4096;

/**
 * The number of hardware threads: `navigator.hardwareConcurrency` if it is a plausible number, else what the system
 * says. Test environments replace the navigator by objects that lack it or return anything.
 */
export function hardwareThreads(): number {
  const { hardwareConcurrency: count } = (globalThis.navigator ?? {}) as { hardwareConcurrency?: unknown };
  return typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= MOST
    ? count
    : onlineProcessors();
}
