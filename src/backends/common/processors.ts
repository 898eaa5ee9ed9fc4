/**
 * How many processors there are.
 *
 * @module
 */

import { onlineProcessors } from "../../../ffi/processors.ts";

/** No machine has more; a navigator that says so makes it up. */
const MOST = 4096;

/**
 * The threads of the hardware: what the navigator says, if that is a number of processors. Another object may stand in
 * its place, and lack it or say anything.
 */
export function hardwareThreads(): number {
  const { hardwareConcurrency: said } = (globalThis.navigator ?? {}) as { hardwareConcurrency?: unknown };
  return typeof said === "number" && Number.isInteger(said) && said >= 1 && said <= MOST ? said : onlineProcessors();
}
