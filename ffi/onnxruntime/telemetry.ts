/**
 * The telemetry of ONNX Runtime, which its builds of 2026 have on every system. By default, an environment writes a
 * machine identifier and a database to the user's cache and a log to the temporary folder, and may send information
 * about sessions to Microsoft.
 *
 * @module
 */

import { cString } from "../memory.ts";
import { libc } from "../system.ts";

const POSIX = { setenv: { parameters: ["buffer", "buffer", "i32"], result: "i32" } } as const; // name, value, overwrite

/**
 * Turns telemetry off for environments created later, unless the user has set the variable. On Windows ONNX Runtime
 * does not read the variable; there, `DisableTelemetryEvents` does the same for an environment.
 */
export function disableTelemetry(): void {
  if (Deno.build.os !== "windows") libc(POSIX).setenv(cString("ORT_DISABLE_TELEMETRY"), cString("1"), 0);
}
