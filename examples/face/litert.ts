/**
 * Loads LiteRT.js in Deno, unmodified. Its loader expects a page or a classic worker, which Deno does not have.
 *
 * @module
 */
import "@litertjs/core/package.json" with { type: "json" };
import type * as LiteRt from "@litertjs/core";

/** Globals that LiteRT.js expects in a browser while it loads. */
type Shims = Record<"window" | "process" | "importScripts" | "Module", unknown>;

/**
 * Imports LiteRT.js and starts its WebAssembly module, in the build with JSPI (which can await promises), because only
 * that one supports WebNN. Its accelerators are "webnn", if `navigator.ml` exists, and "wasm".
 *
 * While it loads, changed globals are visible in the whole program, so load it first.
 *
 * @param log gets the messages of LiteRT.js; by default they are dropped
 */
export async function loadLiteRt(log: (line: string) => void = () => {}): Promise<typeof LiteRt> {
  const folder = new URL("wasm/", import.meta.resolve("@litertjs/core/package.json"));
  const wasmBinary = await Deno.readFile(new URL("litert_wasm_jspi_internal.wasm", folder));
  const litert = await import("@litertjs/core");
  const restore = define({
    // Without `window`, LiteRT.js does not recognise the environment; with `process`, it takes Deno for Node.
    window: globalThis,
    process: undefined,
    // A classic script declares its variables in the global scope. In a module, only an indirect eval does that.
    importScripts: (url: string) => (0, eval)(Deno.readTextFileSync(new URL(url))),
    // Without the bytes, it would read the file with XMLHttpRequest, which Deno does not have.
    Module: { wasmBinary, locateFile: (name: string) => new URL(name, folder).href, print: log, printErr: log },
  });
  try {
    await litert.loadLiteRt(folder.href, { jspi: true });
    return litert;
  } finally {
    restore();
  }
}

/** Defines globals. Returns a function that undoes it. */
function define(shims: Shims): () => void {
  const before = Object.keys(shims).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(shims)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  };
}
