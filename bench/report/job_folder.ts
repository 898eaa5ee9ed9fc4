/**
 * What contestants find of a suite: its model as a file, and its inputs.
 *
 * @module
 */
import { join } from "node:path";
import "@webnn/deno/polyfill";
import { pathString } from "../../ffi/memory.ts";
import { LoggingLevel, OptimizationLevel } from "../../ffi/onnxruntime/enums.ts";
import { lower } from "../../src/backends/onnxruntime/lower.ts";
import { createModel } from "../../src/backends/onnxruntime/model.ts";
import { type CapturedGraph, captureGraph } from "../support/capture.ts";
import type { Suite } from "../support/suite.ts";
import { type Work, workOf } from "../support/work.ts";
import { writeGraph } from "./graph_file.ts";

/** What is known of a suite once its graph has been seen. */
export interface SuiteFacts {
  readonly work: Work;
  /** The path of ONNX Runtime's library. */
  readonly library: string;
}

/** Writes the model and the inputs of a suite as the protocol has them. */
export async function writeJobFolder(suite: Suite, folder: string): Promise<SuiteFacts> {
  const captured = await captureGraph((context) => suite.build(context));
  const { inputs, outputs } = captured.graph;
  if (outputs[0]!.name !== suite.output) throw new Error(`${suite.name}: ${suite.output} must be the first output`);
  await writeGraph(captured.graph, folder); // First: a lowering may take the bytes of a constant.
  const work = workOf(captured.graph);
  writeModel(captured, join(folder, "model.onnx"));
  const values = suite.inputs;
  for (const [i, { name }] of inputs.entries()) {
    await Deno.writeFile(join(folder, `input_${i}.bin`), new Uint8Array(values[name]!.buffer));
  }
  return { work, library: captured.runtime.path };
}

/** ONNX Runtime writes a model as it stands after its optimisations: here, of which none is made, as it was lowered. */
function writeModel({ runtime, graph }: CapturedGraph, path: string): void {
  const { api, env, modelEditor } = runtime;
  const options = api.CreateSessionOptions();
  try {
    api.SetSessionLogSeverityLevel(options, LoggingLevel.FATAL);
    api.SetSessionGraphOptimizationLevel(options, OptimizationLevel.DISABLE_ALL);
    api.SetOptimizedModelFilePath(options, pathString(path));
    const model = createModel(runtime, lower(graph));
    try {
      api.ReleaseSession(modelEditor.CreateSessionFromModel(env, model, options));
    } finally {
      api.ReleaseModel(model);
    }
  } finally {
    api.ReleaseSessionOptions(options);
  }
}
