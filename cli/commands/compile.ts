import { join } from "node:path";
import { compileOnnx, NotStored } from "@webnn/deno/onnx";
import { command, onlyArgument, type Result } from "../command.ts";
import { Failure, fileError, UsageError } from "../errors.ts";
import { INPUT_OPTIONS, type InputOptions, isGiven, readInputs } from "../inputs/read.ts";
import { contextOptions, DEVICE_OPTIONS, openContext } from "../model/device.ts";
import { missingElements } from "../model/graph.ts";
import { openModel } from "../model/load.ts";
import { isModule, MODEL_HELP } from "../model/module.ts";
import { dimensionsOf } from "../shapes.ts";
import { bytes } from "../table.ts";

/** The files of a folder: the modification time of each, by name, and the total size. */
interface Contents {
  readonly modified: ReadonlyMap<string, number>;
  readonly bytes: number;
}

/** The size of the file that tests whether a folder can be written: larger than most graphs without weights. */
const PROBE_BYTES = 2 ** 20;

/** `webnn compile`. */
export const compileCommand = command({
  name: "compile",
  summary: "Compiles a model into a cache folder, so that programs start faster",
  usage: "MODEL",
  help: `${MODEL_HELP}
Programs use the folder with the option cacheDirectory of createContext, or with WEBNN_CACHE_DIR=DIR. The result is
valid for this version of the module and of the engine, this processor, and the shapes: see docs/cache.md. The model
does not run.`,
  options: {
    cache: { kind: "text", value: "DIR", help: "the cache folder; it is created if missing" },
    ...INPUT_OPTIONS,
    ...DEVICE_OPTIONS,
  },
  async run(invocation): Promise<Result> {
    const { terminal, options } = invocation;
    const path = onlyArgument(invocation, "MODEL");
    if (options.cache === undefined) throw new UsageError("--cache DIR is missing");
    const before = await contentsOf(options.cache);
    terminal.progress(`compiling ${path} ...`);
    const start = performance.now();
    await compile(path, options.cache, options);
    const duration = performance.now() - start;
    const after = await contentsOf(options.cache);
    const added = [...after.modified.keys()].filter((name) => !before.modified.has(name));
    const isUsed = [...after.modified].some(([name, time]) => before.modified.get(name)! < time);
    if (added.length === 0 && !isUsed) throw new Failure(await reasonFor(path, options.cache));
    const size = after.bytes - before.bytes;
    const text = added.length === 0
      ? `${path} is already in ${options.cache}`
      : `${path} is in ${options.cache}: ${added.length} file${added.length === 1 ? "" : "s"}, ${bytes(size)}`;
    return { data: { model: path, cache: options.cache, files: added, bytes: size, ms: duration }, text };
  },
});

async function compile(
  path: string,
  cacheDirectory: string,
  options: InputOptions & { readonly device: string | undefined; readonly threads: string | undefined },
): Promise<void> {
  const context = await openContext(options, { cacheDirectory });
  try {
    const opened = await openModel(path, context);
    const inputs = await readInputs(opened.inputs, options);
    const shapes = new Map(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
    if (isModule(path)) return (await opened.load(shapes))[Symbol.dispose]();
    const dimensions = dimensionsOf(opened.inputs, shapes);
    // Without random elements: a graph that depends on them would be of no use to other programs.
    const given = Object.fromEntries(Object.entries(inputs).filter(([name]) => isGiven(name, options)));
    await compileOnnx(path, { cacheDirectory, contextOptions: contextOptions(options), dimensions, inputs: given });
  } catch (error) {
    if (error instanceof NotStored) throw new Failure(await reasonFor(path, cacheDirectory));
    throw fileError(path, missingElements(error) ?? error);
  } finally {
    context.destroy();
  }
}

/** Lists the files in a folder and its subfolders. Engines for devices other than the CPU create subfolders. */
async function contentsOf(folder: string): Promise<Contents> {
  const modified = new Map<string, number>();
  let bytes = 0;
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const { size, mtime } = await Deno.stat(join(folder, name));
      if (isDirectory) {
        const inner = await contentsOf(join(folder, name));
        for (const [file, time] of inner.modified) modified.set(join(name, file), time);
        bytes += inner.bytes;
      } else {
        modified.set(name, mtime?.getTime() ?? 0);
        bytes += size;
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw fileError(folder, error);
  }
  return { modified, bytes };
}

/** Finds out why nothing was stored: a graph is built without an error even if the cache folder cannot be written. */
async function reasonFor(path: string, folder: string): Promise<string> {
  const probe = join(folder, `.${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(probe, new Uint8Array(PROBE_BYTES));
  } catch (error) {
    throw fileError(folder, error);
  } finally {
    await Deno.remove(probe).catch(() => {});
  }
  return `${path}: nothing was stored in ${folder}; docs/cache.md lists the graphs and devices that can be cached`;
}
