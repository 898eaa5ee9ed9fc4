/**
 * A model that is served: loaded, as often as it may run at a time, behind a queue.
 *
 * @module
 */

import { contextInfo, type ContextOptions, createContext } from "@webnn/deno";
import { inspectOnnx, loadOnnx, type OnnxModel } from "@webnn/deno/onnx";
import { mixingOperator, rowsAreIndependent } from "./independence.ts";
import { type Port, portOf } from "./metadata.ts";
import { hasFreeRows } from "./rows.ts";
import { createScheduler, type Scheduler, type SchedulerOptions } from "./scheduler.ts";
import { warmUp } from "./warm_up.ts";

/** A model to serve. */
export interface ModelSource {
  /** The file: its path, its URL or its bytes. */
  readonly source: string | URL | Uint8Array;
  /** What clients call it; by default the name of the file without `.onnx`. */
  readonly name?: string;
  /** Sizes of free dimensions by name; the others come with the requests. */
  readonly dimensions?: Readonly<Record<string, number>>;
  /**
   * Whether the rows along the first dimension have nothing to do with each other, so that requests may share a run. By
   * default it is found out: by runs of two rows against one by one.
   */
  readonly rowsIndependent?: boolean;
}

/** How models are run. */
export interface RunOptions {
  /** The options of `createContext`: the device, the threads. */
  readonly context?: ContextOptions;
  /**
   * How often each model is loaded, so that as many runs of it go on at a time. By default 2 on a CPU with several cores,
   * whose threads wait for each other in a single run; 1 on other devices, and with batches.
   */
  readonly instances?: number;
  /** How many rows of several requests may share a run; 1, which is none, by default. */
  readonly batch?: number;
  /** For how many milliseconds a request waits for others to share a run; 0 by default: only while the model is busy. */
  readonly batchDelay?: number;
  /** How many requests may wait for each model; 256 by default. */
  readonly maxQueue?: number;
}

/** A model that is served. */
export interface ServedModel extends Disposable {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly scheduler: Scheduler;
  /** The engine, the device and the threads, for a line of the log. */
  readonly engine: string;
}

/** Runs of an instance that are under way at a time: while one computes, the next is copied to its device. */
const RUNS_UNDER_WAY = 2;

/**
 * Loads a model.
 * @returns rejects as `loadOnnx` does, and with a TypeError for a model without a name, or with a data type that the
 * protocol lacks
 */
export async function serveModel(
  model: string | URL | ModelSource,
  options: RunOptions,
  onRun: (name: string, ...run: Parameters<NonNullable<SchedulerOptions["onRun"]>>) => void,
): Promise<ServedModel> {
  const { source, dimensions, ...rest } = typeof model === "string" || model instanceof URL ? { source: model } : model;
  const name = rest.name ?? nameOf(source);
  const instances: OnnxModel[] = [];
  const dispose = () => {
    for (const instance of instances) {
      instance.dispose();
      instance.context.destroy();
    }
  };
  try {
    const first = await loadInstance(source, dimensions, options);
    instances.push(first);
    while (instances.length < (options.instances ?? defaultInstances(first, options))) {
      instances.push(await loadInstance(source, dimensions, options));
    }
    const mayStack = rest.rowsIndependent !== false && hasFreeRows([...first.inputs, ...first.outputs]);
    const mayShare = mayStack ? await proofOf(source, rest.rowsIndependent) : undefined;
    const { backend, device, threads } = contextInfo(first.context);
    const inputs = first.inputs.map(portOf);
    const runs = instances.map((instance) => instance.run.bind(instance));
    const maxBatch = mayShare ? options.batch ?? 1 : 1;
    const known = mayShare && maxBatch > 1 ? await warmUp({ inputs, runs, maxBatch, mayShare }) : new Map();
    return {
      name,
      inputs,
      outputs: first.outputs.map(portOf),
      engine: `${backend}, ${device}, ${threads} thread${threads === 1 ? "" : "s"}`,
      scheduler: createScheduler({
        lanes: Array.from({ length: RUNS_UNDER_WAY }, () => runs).flat(),
        maxQueue: options.maxQueue ?? 256,
        maxBatch,
        batchDelay: options.batchDelay ?? 0,
        known,
        mayShare: mayShare ?? (() => Promise.resolve(false)),
        onRun: (...run) => onRun(name, ...run),
      }),
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw naming(source instanceof Uint8Array ? name : String(source), error);
  }
}

/** The same error with the model in its message: of several models one cannot be served. Errors of files name them. */
function naming(model: string, error: unknown): unknown {
  if (error instanceof TypeError) return new TypeError(`${model}: ${error.message}`, { cause: error });
  if (error instanceof DOMException) return new DOMException(`${model}: ${error.message}`, error.name);
  return error;
}

async function loadInstance(
  source: ModelSource["source"],
  dimensions: ModelSource["dimensions"],
  { context: contextOptions, batch = 1 }: RunOptions,
): Promise<OnnxModel> {
  const context = await createContext(contextOptions);
  try {
    // A graph for each number of rows of a batch, beside those of single requests in other shapes.
    const maxGraphs = 4 + Math.ceil(Math.log2(batch));
    return await loadOnnx(source, { context, maxGraphs, ...dimensions ? { dimensions } : {} });
  } catch (error) {
    context.destroy();
    throw error;
  }
}

function defaultInstances({ context }: OnnxModel, { batch = 1 }: RunOptions): number {
  return contextInfo(context).device === "cpu" && batch === 1 ? Math.min(2, navigator.hardwareConcurrency) : 1;
}

/** How it is shown that requests may share a run; `undefined` if it cannot be. */
async function proofOf(
  source: ModelSource["source"],
  rowsIndependent: boolean | undefined,
): Promise<SchedulerOptions["mayShare"] | undefined> {
  if (rowsIndependent) return () => Promise.resolve(true);
  const { operators } = await inspectOnnx(source);
  if (mixingOperator(Object.keys(operators)) !== undefined) return undefined;
  return (sample, run) => rowsAreIndependent(run, sample);
}

/** The name of a file without its folder and without `.onnx`. */
function nameOf(source: ModelSource["source"]): string {
  if (source instanceof Uint8Array) throw new TypeError("A model that comes as bytes needs a name");
  const path = source instanceof URL || /^(https?|file):/.test(source) ? new URL(source).pathname : source;
  const file = path.replace(/^.*[\\/]/, "").replace(/\.onnx$/i, "");
  const name = path === source ? file : decodeURIComponent(file);
  if (name === "") throw new TypeError(`${source} names no file`);
  return name;
}
