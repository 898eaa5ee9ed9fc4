/**
 * What a browser does when a worker closes itself: its native objects are released. Deno fires no `unload` event in a
 * worker and ends it at once, so that nobody else could release them: they would stay until the end of the process.
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
