/**
 * Keeps a core busy with another process.
 *
 * @module
 */

/** Starts a process that keeps a core busy until the result is disposed. */
export function keepCoreBusy(): AsyncDisposable {
  const process = new Deno.Command(Deno.execPath(), { args: ["eval", "for (;;);"] }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await process.status;
    },
  };
}
