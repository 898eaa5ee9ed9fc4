/**
 * This module as a contestant: WebNN's builder, dispatch, and readTensor into one buffer.
 *
 * @module
 */
import { contextInfo, createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import type { Network } from "../../examples/inference.ts";
import { loadSuite } from "../support/suites.ts";
import { type Engine, readJob, serve, timed } from "./protocol.ts";

type DeviceType = NonNullable<NonNullable<Parameters<typeof createContext>[0]>["device"]>;

const job = readJob();
const suite = await loadSuite(job.suite);
const context = await createContext({ threads: job.threads, device: job.device as DeviceType });
const { backend, version } = contextInfo(context);

let network: Network;
let inputs: Record<string, MLTensor>;
let outputs: Record<string, MLTensor>;
let output: MLTensor;
let buffer: Float32Array<ArrayBuffer>;

const engine: Engine = {
  async build() {
    network = await suite.build(context);
  },
  async prepare() {
    inputs = await createTensors(network.inputs);
    outputs = await createTensors(network.outputs);
    const values = suite.inputs;
    for (const [name, tensor] of Object.entries(inputs)) context.writeTensor(tensor, values[name]!);
    output = outputs[suite.output]!;
    buffer = new Float32Array(output.shape.reduce((product, size) => product * size, 1));
  },
  release: () => network.graph.destroy(),
  run() {
    context.dispatch(network.graph, inputs, outputs);
    return context.readTensor(output, buffer);
  },
  fresh() {
    context.dispatch(network.graph, inputs, outputs);
    return context.readTensor(output);
  },
  pipeline(count) {
    for (let i = 0; i < count; i++) context.dispatch(network.graph, inputs, outputs);
    return context.readTensor(output, buffer);
  },
  output: () => buffer,
};
await serve(`${backend} ${version}`, timed(engine));
context.destroy();

async function createTensors(shapes: Network["inputs"]): Promise<Record<string, MLTensor>> {
  const tensors = Object.entries(shapes).map(async ([name, shape]) => {
    const descriptor = { dataType: "float32", shape: [...shape], readable: true, writable: true } as const;
    return [name, await context.createTensor(descriptor)] as const;
  });
  return Object.fromEntries(await Promise.all(tensors));
}
