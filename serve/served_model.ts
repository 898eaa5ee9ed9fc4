/**
 * A served model: one or more loaded instances behind a queue.
 *
 * @module
 */

import { contextInfo, type MLContext } from "@webnn/deno";
import { inspectOnnx } from "@webnn/deno/onnx";
import { mixingOperator, rowsAreIndependent } from "./independence.ts";
import { type Instances, loadInstances } from "./instances.ts";
import { type Port, portOf } from "./metadata.ts";
import type { ModelSource, RunOptions } from "./options.ts";
import { hasFreeRows } from "./rows.ts";
import { type Activity, createScheduler, type Scheduler, type SchedulerOptions } from "./scheduler.ts";
import { warmUp } from "./warm_up.ts";

/** A served model. */
export interface ServedModel extends Disposable {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly scheduler: Scheduler;
  /** The engine, device and threads, for a log line. */
  readonly engine: string;
}

/**
 * The number of concurrent runs per instance: while one computes, the inputs of the next are copied to the device.
 * Instances of few threads gain nothing from that, because others compute meanwhile.
 */
const RUNS_UNDER_WAY = 2;

/**
 * Loads a model. `activity` is that of all models of the server.
 * @returns rejects as `loadOnnx` does; with a TypeError if the model has no name, or a data type that the protocol does
 * not have
 */
export async function serveModel(
  model: string | URL | ModelSource,
  options: RunOptions,
  activity: Activity,
  onRun: (name: string, ...run: Parameters<NonNullable<SchedulerOptions["onRun"]>>) => void,
): Promise<ServedModel> {
  const { source, dimensions, ...rest } = typeof model === "string" || model instanceof URL ? { source: model } : model;
  const name = rest.name ?? nameOf(source);
  let instances: Instances | undefined;
  try {
    instances = await loadInstances(source, dimensions, options);
    const { alone, together } = instances;
    const first = alone ?? together[0]!;
    const inputs = first.inputs.map(portOf);
    const runs = together.map((instance) => instance.run.bind(instance));
    const mayStack = rest.rowsIndependent !== false && hasFreeRows([...first.inputs, ...first.outputs]);
    const batch = mayStack ? options.batch ?? 1 : 1;
    const mayShare = batch > 1 ? await sharingTest(source, rest.rowsIndependent, first.context) : undefined;
    const maxBatch = mayShare ? batch : 1;
    const known = mayShare ? await warmUp({ inputs, runs, maxBatch, mayShare }) : new Map();
    return {
      name,
      inputs,
      outputs: first.outputs.map(portOf),
      engine: describe(first.context),
      scheduler: createScheduler({
        ...alone ? { alone: alone.run.bind(alone) } : {},
        lanes: alone ? runs : Array.from({ length: RUNS_UNDER_WAY }, () => runs).flat(),
        activity,
        maxQueue: options.maxQueue ?? 256,
        maxBatch,
        batchDelay: options.batchDelay ?? 0,
        known,
        mayShare: mayShare ?? (() => Promise.resolve(false)),
        onRun: (...run) => onRun(name, ...run),
      }),
      [Symbol.dispose]: () => instances?.[Symbol.dispose](),
    };
  } catch (error) {
    instances?.[Symbol.dispose]();
    throw withModelName(source instanceof Uint8Array ? name : String(source), error);
  }
}

function describe(context: MLContext): string {
  const { backend, device, threads } = contextInfo(context);
  return `${backend}, ${device}, ${threads} thread${threads === 1 ? "" : "s"}`;
}

/** Adds the name of the model to the message of an error. Errors about files already contain it. */
function withModelName(model: string, error: unknown): unknown {
  if (error instanceof TypeError) return new TypeError(`${model}: ${error.message}`, { cause: error });
  if (error instanceof DOMException) return new DOMException(`${model}: ${error.message}`, error.name);
  return error;
}

/** The function that finds out whether requests may share a run; `undefined` if they never may. */
async function sharingTest(
  source: ModelSource["source"],
  rowsIndependent: boolean | undefined,
  context: MLContext,
): Promise<SchedulerOptions["mayShare"] | undefined> {
  if (rowsIndependent) return () => Promise.resolve(true);
  const { operators } = await inspectOnnx(source, { context });
  if (mixingOperator(Object.keys(operators)) !== undefined) return undefined;
  return (sample, run) => rowsAreIndependent(run, sample);
}

/** The name of a file without its folder and without `.onnx`. */
function nameOf(source: ModelSource["source"]): string {
  if (source instanceof Uint8Array) throw new TypeError("A model passed as bytes needs a name");
  const path = source instanceof URL || /^(https?|file):/.test(source) ? new URL(source).pathname : source;
  const file = path.replace(/^.*[\\/]/, "").replace(/\.onnx$/i, "");
  const name = path === source ? file : decodeURIComponent(file);
  if (name === "") throw new TypeError(`${source} is not the path of a file`);
  return name;
}
