/**
 * This module as a contestant: WebNN's builder, dispatch, and readTensor into one buffer.
 *
 * @module
 */
import { contextInfo, createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import type { Network } from "../../examples/inference.ts";
import { deviceNamed } from "../../support/devices.ts";
import { loadSuite } from "../support/suites.ts";
import { type Engine, readJob, serve, timed } from "./protocol.ts";

const job = readJob();
const suite = await loadSuite(job.suite);
const options = { ...deviceNamed(job.device).options, threads: job.threads };
const context = await createContext(options);
const { backend, provider = "cpu", version } = contextInfo(context);
/** Not all providers support a compile cache. */
const cachingContext = await createContext({ ...options, cacheDirectory: `${job.folder}/cache` }).catch(() =>
  undefined
);

let network: Network;
let inputs: Record<string, MLTensor>;
let outputs: Record<string, MLTensor>;
let output: MLTensor;
let buffer: Float32Array<ArrayBuffer>;

const engine: Engine = {
  async build() {
    network = await suite.build(context);
  },
  ...cachingContext && {
    async cached() {
      network = await suite.build(cachingContext);
    },
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
await serve(`${provider === "cpu" ? "" : `${provider} of `}${backend} ${version}`, timed(engine));
cachingContext?.destroy();
context.destroy();

async function createTensors(shapes: Network["inputs"]): Promise<Record<string, MLTensor>> {
  const tensors = Object.entries(shapes).map(async ([name, shape]) => {
    const descriptor = { dataType: "float32", shape: [...shape], readable: true, writable: true } as const;
    return [name, await context.createTensor(descriptor)] as const;
  });
  return Object.fromEntries(await Promise.all(tensors));
}
