/**
 * Captures the graph that a builder passes to the backend, to measure the engine without the API.
 *
 * @module
 */
import { createMLContext } from "../../src/api/ml_context.ts";
import type { OrtDevice } from "../../src/backends/onnxruntime/device.ts";
import { openCpu } from "../../src/backends/onnxruntime/mod.ts";
import type { NativeBlock } from "../../src/backends/onnxruntime/native_block.ts";
import type { OrtRuntime } from "../../src/backends/onnxruntime/runtime.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { DEFAULTS } from "../../src/options.ts";

/** A graph as the backend gets it, with the engine and the number of threads. */
export interface CapturedGraph {
  readonly runtime: OrtRuntime;
  readonly threads: number;
  readonly graph: Graph<NativeBlock>;
}

/** Opens a context as `ml.createContext()` does, and also returns its device. */
export async function openVisibleContext(): Promise<{ context: MLContext; device: OrtDevice }> {
  const device = await openCpu(DEFAULTS) as OrtDevice;
  return { context: createMLContext(device), device };
}

/**
 * Runs `build` and captures its graph without compiling it. The graph's constants stay for the life of the process;
 * executables only borrow them.
 */
export async function captureGraph(build: (context: MLContext) => Promise<unknown>): Promise<CapturedGraph> {
  const { context, device } = await openVisibleContext();
  let graph: Graph<NativeBlock> | undefined;
  device.compile = (given) => {
    for (const { block } of given.constants) block.retain();
    graph = given;
    return Promise.reject(new Error("the graph was captured, not compiled"));
  };
  try {
    await build(context);
  } catch (error) {
    if (graph === undefined) throw error;
  } finally {
    context.destroy();
  }
  if (graph === undefined) throw new Error("captureGraph: the program built no graph");
  return { runtime: device.runtime, threads: device.info.threads, graph };
}
