/**
 * The telemetry of ONNX Runtime, which its builds of 2026 have on every system. Where nobody says otherwise, an
 * environment writes an identifier of the machine and a database into the user's cache and a log into the folder for
 * temporary files, and may send what sessions are made of to its makers.
 *
 * @module
 */

import { cString } from "../memory.ts";
import { libc } from "../system.ts";

const POSIX = { setenv: { parameters: ["buffer", "buffer", "i32"], result: "i32" } } as const; // name, value, overwrite

/**
 * Turns telemetry off for environments that are made later, unless the user's own environment has the variable. On
 * Windows ONNX Runtime does not read it: there `DisableTelemetryEvents` does the same for an environment.
 */
export function disableTelemetry(): void {
  if (Deno.build.os !== "windows") libc(POSIX).setenv(cString("ORT_DISABLE_TELEMETRY"), cString("1"), 0);
}
