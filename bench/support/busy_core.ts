/**
 * Another process that takes a core.
 *
 * @module
 */

/** Another process computes until this is disposed. */
export function keepCoreBusy(): AsyncDisposable {
  const process = new Deno.Command(Deno.execPath(), { args: ["eval", "for (;;);"] }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await process.status;
    },
  };
}
