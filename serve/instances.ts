/**
 * Instances of a model: copies on contexts of their own, which run concurrently.
 *
 * Threads of one run wait for each other, and more of them wait for the slowest. So a run that has all cores for itself
 * is fastest with all threads, while many runs at once are fastest with one thread each. A model on a CPU has instances
 * of both kinds.
 *
 * @module
 */

import { contextInfo, type ContextOptions, createContext, type MLContext } from "@webnn/deno";
import { loadOnnxInstances, type OnnxModel } from "@webnn/deno/onnx";
import type { ModelSource, RunOptions } from "./options.ts";

/** The instances of a model. */
export interface Instances extends Disposable {
  /** For a request while there is no other: it has all threads. */
  readonly alone: OnnxModel | undefined;
  /** For requests while others run. There is at least one. */
  readonly together: readonly OnnxModel[];
}

/** The number of contexts for requests while others run, and of the threads of each. */
interface Plan {
  readonly instances: number;
  readonly threads: number;
}

/** More instances would take more time to build their graphs than they save. */
const MAX_INSTANCES = 8;

/** The instances that concurrent requests use, if the user does not set their number. */
export function planFor(threads: number, cores: number): Plan {
  const instances = Math.min(threads === 1 ? cores : threads, MAX_INSTANCES);
  return { instances, threads: threads === 1 ? 1 : Math.floor(threads / instances) };
}

/**
 * Loads the instances of a model, which share its weights.
 * @returns rejects as `loadOnnx` does
 */
export async function loadInstances(
  source: ModelSource["source"],
  dimensions: ModelSource["dimensions"],
  options: RunOptions,
): Promise<Instances> {
  const { batch = 1 } = options;
  const { contexts, hasAlone } = await createContexts(options);
  try {
    // One graph for each number of rows in a batch, plus some for single requests with other shapes.
    const maxGraphs = 4 + Math.ceil(Math.log2(batch));
    const models = await loadOnnxInstances(source, contexts, { maxGraphs, ...dimensions ? { dimensions } : {} });
    return {
      alone: hasAlone ? models[0] : undefined,
      together: hasAlone ? models.slice(1) : models,
      [Symbol.dispose]() {
        for (const model of models) model.dispose();
        destroyAll(contexts);
      },
    };
  } catch (error) {
    destroyAll(contexts);
    throw error;
  }
}

/**
 * How long a run that is alone may block the event loop, in milliseconds. Another thread would take 0.7 ms longer, a
 * tenth of a run of SqueezeNet, and requests that come meanwhile would wait for cores anyway.
 */
const BLOCKING_LIMIT = 15;

/** Creates the contexts. With `hasAlone`, the first is the one with all threads. */
async function createContexts({ context: options, instances, batch = 1 }: RunOptions) {
  const contexts = [await createContext(options)];
  const add = async (count: number, more?: ContextOptions) => {
    for (let i = 0; i < count; i++) contexts.push(await createContext({ ...options, ...more }));
  };
  try {
    const { device, provider, threads } = contextInfo(contexts[0]!);
    const isPlanned = instances === undefined && device === "cpu" && batch === 1;
    const hasAlone = isPlanned && threads > 1;
    const plan = planFor(threads, navigator.hardwareConcurrency);
    if (hasAlone && provider === "cpu" && options?.blockingLimit === undefined) {
      contexts.pop()!.destroy();
      await add(1, { blockingLimit: BLOCKING_LIMIT });
    }
    if (hasAlone) await add(plan.instances, { threads: plan.threads });
    else await add((isPlanned ? plan.instances : instances ?? 1) - 1);
    return { contexts, hasAlone };
  } catch (error) {
    destroyAll(contexts);
    throw error;
  }
}

function destroyAll(contexts: readonly MLContext[]): void {
  for (const context of contexts) context.destroy();
}
