/**
 * A small graph that tests whether a provider works: y = relu(x · x), a product and an element-wise operator.
 *
 * @module
 */

import { cString, type Pointer } from "../../../../ffi/memory.ts";
import { createSession } from "../model.ts";
import type { OnnxGraph } from "../onnx.ts";
import { createValue } from "../value.ts";
import { readPlacement } from "./placement.ts";
import type { DeviceRuntime, Provider } from "./provider.ts";

type Float = "float16" | "float32";

const SHAPE = [2, 2];
const INPUT = [1, 2, -3, 4];
const OUTPUT = [0, 10, 0, 10];
const ARRAYS = { float16: Float16Array, float32: Float32Array };

/**
 * Runs the test graph.
 * @returns its session, which the caller releases
 * @throws if it cannot be built or run, runs elsewhere, or returns wrong results
 */
export async function prove(
  runtime: DeviceRuntime,
  provider: Provider,
  createOptions: () => Pointer,
  dataType: Float,
): Promise<Pointer> {
  const session = await makeSession(runtime, graphOf(dataType), createOptions);
  try {
    const nodes = readPlacement(runtime.deviceApi, session);
    if (nodes.some((node) => node.provider !== provider.engineName)) {
      throw new Error(`${provider.name} does not support all nodes of a small graph`);
    }
    const output = await run(runtime, session, dataType);
    if (`${output}` !== `${OUTPUT}`) throw new Error(`${provider.name} computed [${output}], not [${OUTPUT}]`);
    return session;
  } catch (error) {
    runtime.api.ReleaseSession(session);
    throw error;
  }
}

function graphOf(dataType: Float): OnnxGraph {
  const common = { domain: "", attributes: {} };
  return {
    inputs: [{ name: "x", dataType, shape: SHAPE }],
    outputs: [{ name: "y", dataType, shape: SHAPE }],
    initializers: [],
    nodes: [
      { ...common, op: "MatMul", name: "proof #0", inputs: ["x", "x"], outputs: ["p"] },
      { ...common, op: "Relu", name: "proof #1", inputs: ["p"], outputs: ["y"] },
    ],
  };
}

async function makeSession(runtime: DeviceRuntime, graph: OnnxGraph, createOptions: () => Pointer): Promise<Pointer> {
  const options = createOptions();
  try {
    return await createSession(runtime, graph, options);
  } finally {
    runtime.api.ReleaseSessionOptions(options);
  }
}

async function run(runtime: DeviceRuntime, session: Pointer, dataType: Float): Promise<number[]> {
  const { api } = runtime;
  const create = () => createValue(runtime, dataType, SHAPE, INPUT.length * ARRAYS[dataType].BYTES_PER_ELEMENT);
  const x = create();
  const y = create();
  const binding = api.CreateIoBinding(session);
  try {
    x.bytes.set(new Uint8Array(ARRAYS[dataType].from(INPUT).buffer));
    api.BindInput(binding, cString("x"), x.value);
    api.BindOutput(binding, cString("y"), y.value);
    await api.RunWithBindingAsync(session, null, binding);
    return [...new ARRAYS[dataType](y.bytes.slice().buffer)];
  } finally {
    api.ReleaseIoBinding(binding);
    for (const { value } of [x, y]) api.ReleaseValue(value);
  }
}
