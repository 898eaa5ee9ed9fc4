/**
 * The web build of transformers.js in Deno, unmodified: the one that knows WebNN. By itself Deno takes the build for
 * Node.
 *
 * @module
 */

/** The library. The import is never made for Deno's choice, but it tells Deno to fetch the package. */
type Transformers = Awaited<ReturnType<typeof importBuildForNode>>;
const importBuildForNode = () => import("@huggingface/transformers");

/**
 * Imports transformers.js so that it finds `navigator.ml`: import `@webnn/deno/polyfill` first. Models come from a hub, over
 * HTTP and Deno's `caches`; set `env.localModelPath` to a folder's URL to read them from files.
 *
 * While it loads, the rest of the program misses the hidden globals too: load it first.
 */
export async function loadTransformers(): Promise<Transformers> {
  const url = new URL("transformers.web.js", import.meta.resolve("@huggingface/transformers"));
  // With a process it takes Deno for Node; with caches it imports WebAssembly's glue from a blob, which npm packages may
  // not do in Deno.
  const restore = hide("process", "caches");
  try {
    const transformers: Transformers = await import(url.href);
    const { env } = transformers;
    env.useBrowserCache = true;
    // By default from a content network; without a path it takes the files of its own dependency.
    delete env.backends.onnx.wasm!.wasmPaths;
    env.backends.onnx.wasm!.numThreads = 1;
    return transformers;
  } finally {
    restore();
  }
}

/** Removes globals, and answers how to bring them back. */
function hide(...names: string[]): () => void {
  const hidden = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const name of names) Reflect.deleteProperty(globalThis, name);
  return () => {
    for (const [name, descriptor] of hidden) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    }
  };
}
