/**
 * This module as a contestant: WebNN's builder, dispatch, and readTensor into one buffer.
 *
 * @module
 */
import { contextInfo, createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import type { Network } from "../../examples/inference.ts";
import { loadSuite } from "../support/suites.ts";
import { readJob, serve } from "./protocol.ts";

const job = readJob();
const suite = await loadSuite(job.suite);
const context = await createContext({ threads: job.threads });
const { backend, version } = contextInfo(context);

let { graph, inputs: inputShapes, outputs: outputShapes } = await suite.build(context);
const inputs = await createTensors(inputShapes);
const outputs = await createTensors(outputShapes);
for (const [name, tensor] of Object.entries(inputs)) context.writeTensor(tensor, suite.inputs[name]!);
const output = outputs[suite.output]!;
const buffer = new Float32Array(output.shape.reduce((product, size) => product * size, 1));
graph.destroy();

await serve(`${backend} ${version}`, {
  buffer,
  async build() {
    ({ graph } = await suite.build(context));
  },
  release: () => graph.destroy(),
  run() {
    context.dispatch(graph, inputs, outputs);
    return context.readTensor(output, buffer);
  },
  pipeline(count) {
    for (let i = 0; i < count; i++) context.dispatch(graph, inputs, outputs);
    return context.readTensor(output, buffer);
  },
});
context.destroy();

async function createTensors(shapes: Network["inputs"]): Promise<Record<string, MLTensor>> {
  const tensors = Object.entries(shapes).map(async ([name, shape]) => {
    const descriptor = { dataType: "float32", shape: [...shape], readable: true, writable: true } as const;
    return [name, await context.createTensor(descriptor)] as const;
  });
  return Object.fromEntries(await Promise.all(tensors));
}
