/**
 * A child process of `webnn install`: lists the devices with the library that the environment names. It is a process of
 * its own because a process can only load one library, and a broken library may crash it.
 *
 * @module
 */
import { type DeviceEntry, devices } from "@webnn/deno";
import { messageOf } from "../errors.ts";
import { MARK } from "../child.ts";

/** The answer of the process. */
export interface DeviceList {
  readonly entries: readonly DeviceEntry[];
}

if (import.meta.main) {
  const answer = await devices().then((entries) => ({ entries }), (error) => ({ failed: messageOf(error) }));
  console.log(`\n${MARK}${JSON.stringify(answer)}`);
}
