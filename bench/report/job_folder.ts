/**
 * Writes the files of a suite for contestants: its model and its inputs.
 *
 * @module
 */
import { join } from "node:path";
import "@webnn/deno/polyfill";
import { lower } from "../../src/backends/onnxruntime/lower.ts";
import { encodeModel } from "../../src/backends/onnxruntime/model_proto.ts";
import { captureGraph } from "../support/capture.ts";
import type { Suite } from "../support/suite.ts";
import { type Work, workOf } from "../support/work.ts";
import { writeGraph } from "./graph_file.ts";

/** Facts about a suite, known once its graph is built. */
export interface SuiteFacts {
  readonly work: Work;
  /** The path of the ONNX Runtime library. */
  readonly library: string;
}

/** Writes the model and the inputs of a suite, as the protocol defines them. */
export async function writeJobFolder(suite: Suite, folder: string): Promise<SuiteFacts> {
  const captured = await captureGraph((context) => suite.build(context));
  const { inputs, outputs } = captured.graph;
  if (outputs[0]!.name !== suite.output) throw new Error(`${suite.name}: ${suite.output} must be the first output`);
  await writeGraph(captured.graph, folder); // First, because a lowering may take over the bytes of a constant.
  const work = workOf(captured.graph);
  await Deno.writeFile(join(folder, "model.onnx"), encodeModel(lower(captured.graph)));
  const values = suite.inputs;
  for (const [i, { name }] of inputs.entries()) {
    await Deno.writeFile(join(folder, `input_${i}.bin`), new Uint8Array(values[name]!.buffer));
  }
  return { work, library: captured.runtime.path };
}
