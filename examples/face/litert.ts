/**
 * LiteRT.js in Deno, unmodified. Its loader is written for a page or a classic worker, which Deno has not.
 *
 * @module
 */
import "@litertjs/core/package.json" with { type: "json" };
import type * as LiteRt from "@litertjs/core";

/** What LiteRT.js finds in a browser while it loads, and Deno has not. */
type Shims = Record<"window" | "process" | "importScripts" | "Module", unknown>;

/**
 * Imports LiteRT.js and starts its WebAssembly module, the build that waits for promises: only that one can use WebNN.
 * Its accelerators are "webnn", where `navigator.ml` is there, and "wasm". `log` gets its messages; by default nobody.
 *
 * While it loads, the rest of the program sees the changed globals too: load it first.
 */
export async function loadLiteRt(log: (line: string) => void = () => {}): Promise<typeof LiteRt> {
  const folder = new URL("wasm/", import.meta.resolve("@litertjs/core/package.json"));
  const wasmBinary = await Deno.readFile(new URL("litert_wasm_jspi_internal.wasm", folder));
  const litert = await import("@litertjs/core");
  const restore = define({
    // Without a window it takes Deno for no environment at all, with a process for Node.
    window: globalThis,
    process: undefined,
    // A classic script declares its variables in the global scope, which only an indirect eval does here.
    importScripts: (url: string) => (0, eval)(Deno.readTextFileSync(new URL(url))),
    // It would read a file: URL by XMLHttpRequest, which Deno has not; with the bytes it need not.
    Module: { wasmBinary, locateFile: (name: string) => new URL(name, folder).href, print: log, printErr: log },
  });
  try {
    await litert.loadLiteRt(folder.href, { jspi: true });
    return litert;
  } finally {
    restore();
  }
}

/** Sets globals, and answers how to undo that. */
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
