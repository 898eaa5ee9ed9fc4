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
import { type Engine, readJob, serve, timed, type Worker } from "./protocol.ts";

const job = readJob();
let suite = await loadSuite(job.suite);
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
/** A tensor of one element. Once it has been read, all writes before that are done. */
const [fence, element] = [await createTensor([1]), new Float32Array(1)];

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
  write(count) {
    const [[name, values]] = Object.entries(suite.inputs) as [[string, Float32Array]];
    for (let i = 0; i < count; i++) context.writeTensor(inputs[name]!, values);
    return context.readTensor(fence, element);
  },
  read: () => context.readTensor(output, buffer),
  output: () => buffer,
};
const worker: Worker = {
  ...timed(engine),
  async open(name) {
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.destroy();
    suite = await loadSuite(name);
    return worker;
  },
};
await serve(`${provider === "cpu" ? "" : `${provider} of `}${backend} ${version}`, worker);
cachingContext?.destroy();
context.destroy();

async function createTensors(shapes: Network["inputs"]): Promise<Record<string, MLTensor>> {
  const tensors = Object.entries(shapes).map(async ([name, shape]) => [name, await createTensor(shape)] as const);
  return Object.fromEntries(await Promise.all(tensors));
}

function createTensor(shape: readonly number[]): Promise<MLTensor> {
  return context.createTensor({ dataType: "float32", shape: [...shape], readable: true, writable: true });
}
