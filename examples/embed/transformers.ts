/**
 * Loads the web build of transformers.js in Deno, unmodified: the one that supports WebNN. By default, Deno takes the
 * build for Node.
 *
 * @module
 */

/** The library. This import never runs; it makes Deno download the package. */
type Transformers = Awaited<ReturnType<typeof importBuildForNode>>;
const importBuildForNode = () => import("@huggingface/transformers");

/**
 * Imports transformers.js so that it finds `navigator.ml`: import `@webnn/deno/polyfill` first. Models come from a hub,
 * over HTTP and Deno's `caches`. To read them from files, set `env.localModelPath` to the URL of a folder.
 *
 * While it loads, the hidden globals are missing for the rest of the program too, so load it first.
 */
export async function loadTransformers(): Promise<Transformers> {
  const url = new URL("transformers.web.js", import.meta.resolve("@huggingface/transformers"));
  // With `process`, it takes Deno for Node; with `caches`, it imports WebAssembly's glue from a blob, which Deno does
  // not allow in npm packages.
  const restore = hide("process", "caches");
  try {
    const transformers: Transformers = await import(url.href);
    const { env } = transformers;
    env.useBrowserCache = true;
    // The default is a CDN. Without a path, it takes the files of its own dependency.
    delete env.backends.onnx.wasm!.wasmPaths;
    env.backends.onnx.wasm!.numThreads = 1;
    return transformers;
  } finally {
    restore();
  }
}

/** Hides globals. Returns a function that restores them. */
function hide(...names: string[]): () => void {
  const hidden = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const name of names) Reflect.deleteProperty(globalThis, name);
  return () => {
    for (const [name, descriptor] of hidden) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    }
  };
}
