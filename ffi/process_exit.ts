/**
 * The end of the process while native calls are in flight. A process that exits runs the destructors of its libraries
 * first, and a call that is in flight on another thread ends in a signal when the objects that it uses are destroyed.
 *
 * @module
 */

import { systemAddresses, systemFunctions } from "./system.ts";

const GLIBC = "libc.so.6";

/**
 * Leaves out the exit handlers and destructors that have been registered until now, in every library of the process:
 * later ones still run, C's streams are flushed, and the exit code stays what it is. For the GNU C library only: Windows
 * stops all other threads before any destructor, and neither macOS nor musl tells a handler the exit code.
 */
export function skipExitHandlers(): void {
  if (Deno.build.os !== "linux") return;
  try {
    const { __cxa_atexit, on_exit } = systemFunctions(GLIBC, {
      __cxa_atexit: { parameters: ["pointer", "pointer", "pointer"], result: "i32" }, // func(arg), arg, dso_handle
      on_exit: { parameters: ["pointer", "pointer"], result: "i32" }, // func(status, arg), arg
    });
    const { _exit, fflush } = systemAddresses(GLIBC, ["_exit", "fflush"]);
    // What is registered last is called first.
    on_exit(_exit, null);
    __cxa_atexit(fflush, null, null);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}
