/**
 * Runs the models with onnxruntime-web on WebNN and on its own WebAssembly engine. Prints one line of JSON per model, a
 * {@linkcode Result}. onnxruntime-web's log of the placement goes to standard error. With an argument N, measures each
 * engine N times.
 *
 * @module
 */
import { createContext } from "@webnn/deno";
import "@webnn/deno/polyfill";
import { env, InferenceSession, Tensor } from "onnxruntime-web/jspi";
import { median } from "../../../support/statistics.ts";
import { random } from "../../../support/random.ts";
import { type Model, MODELS } from "./models.ts";

/** The result of one model. */
export interface Result {
  /** The largest difference between the outputs of the engines. */
  readonly error: number;
  /** The largest magnitude in the output of WebAssembly. */
  readonly largest: number;
  /** The median duration of a run, in milliseconds; absent if not measured. */
  readonly times?: { readonly wasm: number; readonly webnn: number; readonly webnnOneThread: number };
}

/** Enough runs for WebAssembly to be compiled to optimised code. */
const UNTIMED = 10;

/** onnxruntime-web logs the placement at this level (information). */
const PLACEMENT_LOG = 1;

// Deno does not allow onnxruntime-web's way of starting threads: workers from blob: URLs.
env.wasm.numThreads = 1;
const repeat = Number(Deno.args[0] ?? 0);
const context = await navigator.ml.createContext();
const oneThread = await createContext({ threads: 1 });
for (const model of MODELS) console.log(JSON.stringify(await compare(model)));
context.destroy();
oneThread.destroy();

async function compare(model: Model): Promise<Result> {
  const bytes = await Deno.readFile(model.path);
  const open = (options: InferenceSession.SessionOptions) =>
    InferenceSession.create(bytes, { logSeverityLevel: 3, ...options });
  const onWebNN = (context: MLContext, freeDimensionOverrides: Record<string, number>, logSeverityLevel: 1 | 3) =>
    open({
      executionProviders: [{ name: "webnn", deviceType: "cpu", context }],
      freeDimensionOverrides,
      logSeverityLevel,
    });

  const wasm = await open({ executionProviders: ["wasm"] });
  const dimensions = openDimensions(wasm, model);
  const webnn = await onWebNN(context, dimensions, PLACEMENT_LOG);
  const input = new Tensor("float32", randomElements(model), model.shape);
  const [expected, actual] = [await run(wasm, input), await run(webnn, input)];
  const result = { error: largestDifference(expected, actual), largest: largestMagnitude(expected) };
  if (repeat === 0) {
    await Promise.all([wasm.release(), webnn.release()]);
    return result;
  }
  const webnnOneThread = await onWebNN(oneThread, dimensions, 3);
  const times = {
    wasm: await time(wasm, input),
    webnn: await time(webnn, input),
    webnnOneThread: await time(webnnOneThread, input),
  };
  await Promise.all([wasm.release(), webnn.release(), webnnOneThread.release()]);
  return { ...result, times };
}

/** The sizes of the dimensions for which the model has only a name. */
function openDimensions(session: InferenceSession, { shape }: Model): Record<string, number> {
  const [metadata] = session.inputMetadata;
  if (!metadata?.isTensor) throw new Error("the model has no tensor as its first input");
  const named = metadata.shape.map((dimension, axis) => [dimension, shape[axis]!] as const);
  return Object.fromEntries(named.filter(([dimension]) => typeof dimension === "string"));
}

async function run(session: InferenceSession, input: Tensor): Promise<Float32Array> {
  const outputs = await session.run({ [session.inputNames[0]!]: input });
  return outputs[session.outputNames[0]!]!.data as Float32Array;
}

async function time(session: InferenceSession, input: Tensor): Promise<number> {
  const times: number[] = [];
  for (let round = -UNTIMED; round < repeat; round++) {
    const start = performance.now();
    await run(session, input);
    if (round >= 0) times.push(performance.now() - start);
  }
  return median(times);
}

function randomElements({ shape, range: [from, to] }: Model): Float32Array {
  const next = random(1);
  const length = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length }, () => from + (to - from) * next());
}

function largestMagnitude(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  // If one side has a NaN, the result is NaN, because Math.max passes it on.
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0);
}
