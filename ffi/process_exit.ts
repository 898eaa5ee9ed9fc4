/**
 * Ends the process safely while native calls are in flight. On exit, a process runs the destructors of its libraries; a
 * call on another thread then crashes because the objects it uses are destroyed.
 *
 * @module
 */

import { systemAddresses, systemFunctions } from "./system.ts";

const GLIBC = "libc.so.6";

/**
 * Skips the exit handlers and destructors registered so far, in all libraries of the process. Later ones still run, C's
 * streams are flushed, and the exit code stays the same. Only for the GNU C library: Windows stops all other threads
 * before destructors run, and macOS and musl do not tell a handler the exit code.
 */
export function skipExitHandlers(): void {
  if (Deno.build.os !== "linux") return;
  try {
    const { __cxa_atexit, on_exit } = systemFunctions(GLIBC, {
      __cxa_atexit: { parameters: ["pointer", "pointer", "pointer"], result: "i32" }, // func(arg), arg, dso_handle
      on_exit: { parameters: ["pointer", "pointer"], result: "i32" }, // func(status, arg), arg
    });
    const { _exit, fflush } = systemAddresses(GLIBC, ["_exit", "fflush"]);
    // Handlers run in reverse order of registration.
    on_exit(_exit, null);
    __cxa_atexit(fflush, null, null);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}
