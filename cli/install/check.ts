/**
 * A process of `webnn install`: lists the devices with the library that the environment names. A library can be loaded
 * once a process, and one that is broken may end it.
 *
 * @module
 */
import { type DeviceEntry, devices } from "@webnn/deno";
import { messageOf } from "../errors.ts";
import { MARK } from "../child.ts";

/** What the process answers. */
export interface DeviceList {
  readonly entries: readonly DeviceEntry[];
}

if (import.meta.main) {
  const answer = await devices().then((entries) => ({ entries }), (error) => ({ failed: messageOf(error) }));
  console.log(`\n${MARK}${JSON.stringify(answer)}`);
}
