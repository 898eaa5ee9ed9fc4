/**
 * The number of processors, without prompting for a permission.
 *
 * @module
 */

import { libc, systemFunctions } from "./system.ts";

const POSIX = {
  sysconf: { parameters: ["i32"], result: "i64" }, // name
} as const;

/** `_SC_NPROCESSORS_ONLN` */
const ONLINE = { linux: 84, darwin: 58 };

const WINDOWS = {
  GetActiveProcessorCount: { parameters: ["u16"], result: "u32" }, // GroupNumber
} as const;
const ALL_PROCESSOR_GROUPS = 0xffff;

/** The number of processors that the system can use now; 1 if it does not say. */
export function onlineProcessors(): number {
  const count = Deno.build.os === "windows"
    ? systemFunctions("kernel32.dll", WINDOWS).GetActiveProcessorCount(ALL_PROCESSOR_GROUPS)
    : Number(libc(POSIX).sysconf(Deno.build.os === "darwin" ? ONLINE.darwin : ONLINE.linux));
  return Math.max(1, count);
}

/** Whether this program runs on an x64 processor. */
export const isX64: boolean = Deno.build.arch === "x86_64";
