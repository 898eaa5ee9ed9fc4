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
 * Imports transformers.js so that it finds `navigator.ml`; import `@webnn/deno/polyfill` first. Models are downloaded
 * from the hub and kept in Deno's `caches`. To read them from files, set `env.localModelPath` to the URL of a folder.
 *
 * While it loads, `process` and `caches` are missing in the whole program, so load it first.
 */
export async function loadTransformers(): Promise<Transformers> {
  const url = new URL("transformers.web.js", import.meta.resolve("@huggingface/transformers"));
  // If `process` exists, transformers.js takes Deno for Node. If `caches` exists, it imports its WebAssembly loader from
  // a blob: URL, which Deno does not allow in npm packages.
  const restore = hide("process", "caches");
  try {
    const transformers: Transformers = await import(url.href);
    const { env } = transformers;
    env.useBrowserCache = true;
    // The default is a CDN. Without a path, onnxruntime-web uses the files of its npm package.
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
