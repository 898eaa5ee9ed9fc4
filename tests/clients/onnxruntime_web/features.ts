/**
 * Tests features of onnxruntime-web's WebNN provider. The argument names a feature; a wrong result throws.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { assert, assertEquals } from "@std/assert";
import { env, InferenceSession, Tensor } from "onnxruntime-web/jspi";
import { MODELS } from "../../../bench/clients/onnxruntime_web/models.ts";

type Options = InferenceSession.SessionOptions;
type WebNNOptions = Omit<InferenceSession.WebNNContextOptions, "context"> & { context?: MLContext };

/** A network of one input [1, 16, 96] and one output [1, 1]. */
const ALEXA = model("openWakeWord alexa");
const ALEXA_SHAPE = [1, 16, 96];

/** A network with computed values between graphs on WebNN and nodes of WebAssembly. */
const RECOGNITION = model("PP-OCRv4 recognition");

const FEATURES: Record<string, () => Promise<void>> = {
  deviceTypes,
  sharedContext,
  outputTensors,
  inputTensors,
  severalSessions,
  dynamicShapes,
  valuesBetweenEngines,
};

// Deno does not allow onnxruntime-web's way of starting threads: workers from blob: URLs.
env.wasm.numThreads = 1;
await FEATURES[Deno.args[0]!]!();
console.log("ok");

/** Every kind of device runs the model, even without such hardware, as in a browser. */
async function deviceTypes(): Promise<void> {
  const expected = await run(await open(ALEXA, ["wasm"]), alexaInput(0));
  for (const deviceType of ["cpu", "gpu", "npu"] as const) {
    for (const powerPreference of [undefined, "default", "low-power", "high-performance"] as const) {
      const session = await openOnWebNN(ALEXA, { deviceType, ...powerPreference && { powerPreference } });
      assertClose(await run(session, alexaInput(0)), expected);
      await session.release();
    }
  }
}

/** A session uses the context that it gets, and does not destroy it. */
async function sharedContext(): Promise<void> {
  const context = await navigator.ml.createContext();
  const createContext = navigator.ml.createContext;
  let created = 0;
  navigator.ml.createContext = (...options) => {
    created++;
    return createContext.apply(navigator.ml, options);
  };
  const session = await openOnWebNN(ALEXA, { context });
  await run(session, alexaInput(0));
  await session.release();
  assertEquals(created, 0);
  const tensor = await context.createTensor({ dataType: "float32", shape: [2], readable: true });
  assertEquals(new Float32Array(await context.readTensor(tensor)), new Float32Array(2));
  context.destroy();
}

/** Outputs stay on the device until the program reads them. */
async function outputTensors(): Promise<void> {
  const expected = await run(await open(ALEXA, ["wasm"]), alexaInput(0));
  const session = await openOnWebNN(ALEXA, {}, { preferredOutputLocation: "ml-tensor" });
  const { [session.outputNames[0]!]: output } = await session.run({ [session.inputNames[0]!]: alexaInput(0) });
  assert(output !== undefined && output.location === "ml-tensor");
  assert(output.mlTensor instanceof MLTensor);
  assertEquals([...output.mlTensor.shape as readonly number[]], [1, 1]);
  assertClose(await output.getData() as Float32Array, expected);
  output.dispose();
  await session.release();
}

/** Inputs and outputs may be the program's own tensors. */
async function inputTensors(): Promise<void> {
  const expected = await run(await open(ALEXA, ["wasm"]), alexaInput(3));
  const context = await navigator.ml.createContext();
  const session = await openOnWebNN(ALEXA, { context });
  const input = await context.createTensor({ dataType: "float32", shape: ALEXA_SHAPE, writable: true });
  const output = await context.createTensor({ dataType: "float32", shape: [1, 1], readable: true });
  context.writeTensor(input, alexaInput(3).data as Float32Array<ArrayBuffer>);
  await session.run(
    { [session.inputNames[0]!]: fromMLTensor(input, ALEXA_SHAPE) },
    { [session.outputNames[0]!]: fromMLTensor(output, [1, 1]) },
  );
  assertClose(new Float32Array(await context.readTensor(output)), expected);
  await session.release();
  context.destroy();
}

/**
 * Two sessions on one context run alternately and concurrently; releasing one does not affect the other. Concurrent runs
 * of the same session are not tested, because onnxruntime-web then blocks forever (docs/clients.md).
 */
async function severalSessions(): Promise<void> {
  const context = await navigator.ml.createContext();
  const sessions = [await openOnWebNN(ALEXA, { context }), await openOnWebNN(ALEXA, { context })] as const;
  const wasm = await open(ALEXA, ["wasm"]);
  for (const phase of [0, 1, 2, 3]) {
    assertClose(await run(sessions[phase % 2]!, alexaInput(phase)), await run(wasm, alexaInput(phase)));
  }
  const atOnce = await Promise.all(sessions.map((session, phase) => run(session, alexaInput(phase))));
  for (const [phase, output] of atOnce.entries()) assertClose(output, await run(wasm, alexaInput(phase)));
  await sessions[0].release();
  assertClose(await run(sessions[1], alexaInput(5)), await run(wasm, alexaInput(5)));
  await sessions[1].release();
  context.destroy();
}

/** A model with free dimensions runs in two sizes. */
async function dynamicShapes(): Promise<void> {
  const wasm = await open(RECOGNITION, ["wasm"]);
  for (const width of [160, 320]) {
    const session = await openOnWebNN(RECOGNITION, {}, { freeDimensionOverrides: lineOfWidth(width) });
    assertClose(await run(session, lineInput(width)), await run(wasm, lineInput(width)));
    await session.release();
  }
}

/** In each run, values pass between WebNN and nodes on WebAssembly through WebAssembly's memory. */
async function valuesBetweenEngines(): Promise<void> {
  const wasm = await open(RECOGNITION, ["wasm"]);
  const session = await openOnWebNN(RECOGNITION, {}, { freeDimensionOverrides: lineOfWidth(160) });
  for (const seed of [1, 2, 3]) {
    assertClose(await run(session, lineInput(160, seed)), await run(wasm, lineInput(160, seed)));
  }
  await session.release();
}

function model(name: string): Uint8Array {
  return Deno.readFileSync(MODELS.find((model) => model.name === name)!.path);
}

function open(
  bytes: Uint8Array,
  executionProviders: InferenceSession.ExecutionProviderConfig[],
  options: Options = {},
) {
  // The log level hides warnings about nodes that stay on WebAssembly.
  return InferenceSession.create(bytes, { executionProviders, logSeverityLevel: 3, ...options });
}

function openOnWebNN(bytes: Uint8Array, webnn: WebNNOptions, options: Options = {}): Promise<InferenceSession> {
  const provider = { name: "webnn", deviceType: "cpu", ...webnn } as InferenceSession.WebNNExecutionProviderOption;
  return open(bytes, [provider], options);
}

async function run(session: InferenceSession, input: Tensor): Promise<Float32Array> {
  const outputs = await session.run({ [session.inputNames[0]!]: input });
  return await outputs[session.outputNames[0]!]!.getData() as Float32Array;
}

function fromMLTensor(tensor: MLTensor, dims: readonly number[]): Tensor {
  return Tensor.fromMLTensor(tensor as Parameters<typeof Tensor.fromMLTensor>[0], { dataType: "float32", dims });
}

function alexaInput(phase: number): Tensor {
  return new Tensor("float32", Float32Array.from({ length: 16 * 96 }, (_, i) => Math.sin(i + phase)), ALEXA_SHAPE);
}

function lineInput(width: number, seed = 1): Tensor {
  const length = 3 * 48 * width;
  return new Tensor("float32", Float32Array.from({ length }, (_, i) => Math.sin(seed * i)), [1, 3, 48, width]);
}

function lineOfWidth(width: number): Record<string, number> {
  return { "p2o.DynamicDimension.0": 1, "p2o.DynamicDimension.1": width };
}

/** Compares with a tolerance for float32, relative to the largest element. */
function assertClose(actual: Float32Array, expected: Float32Array): void {
  assertEquals(actual.length, expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const error = actual.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0);
  assert(error <= 1e-4 * largest, `differs by ${error}, of ${largest}`);
}
