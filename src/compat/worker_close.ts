/**
 * Releases native objects when a worker closes itself, as a browser does. Deno fires no `unload` event in a worker and
 * ends it at once, so its native objects would otherwise stay until the process ends.
 *
 * @module
 */

/** Makes `self.close()` of a worker wait for `release`. */
export function releaseOnClose(release: () => Promise<void>): void {
  if (!("WorkerGlobalScope" in globalThis)) return;
  const { close } = globalThis;
  const value = { close: () => void release().finally(() => close.call(globalThis)) }.close;
  Object.defineProperty(globalThis, "close", { value, writable: true, configurable: true, enumerable: true });
}
