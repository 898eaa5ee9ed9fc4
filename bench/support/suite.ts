/**
 * Benchmarks a network: build, first run and later runs, against ONNX Runtime alone on the same graph.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import type { Network } from "../../examples/inference.ts";
import { captureGraph } from "./capture.ts";
import { createRawEngine, type RawEngine, type RawSession } from "./raw_engine.ts";
import { describeRun, type Work, workOf } from "./work.ts";

/** A network to measure. Its inputs and outputs are float32. */
export interface Suite {
  readonly name: string;
  /** Builds the network with plain WebNN. */
  build(context: MLContext): Promise<Network>;
  readonly inputs: Record<string, Float32Array>;
  /** The output to read and check. All others are computed too. */
  readonly output: string;
  /** Throws if the values of that output are wrong. */
  check(values: Float32Array): void;
}

/** Registers a bench that fails, in place of one that cannot run, so that `deno bench` exits with status 1. */
export function benchMissing(reason: string): void {
  Deno.bench(reason, () => {
    throw new Error(reason);
  });
}

/** Shared by the measurements of a suite. */
interface Bench {
  readonly suite: Suite;
  readonly work: Work;
  readonly raw: RawEngine;
  readonly context: MLContext;
  readonly tensors: { readonly inputs: Record<string, MLTensor>; readonly outputs: Record<string, MLTensor> };
  /** The buffer of all reads that do not create their own. */
  readonly buffer: Float32Array<ArrayBuffer>;
}

const WEBNN = "WebNN";
const RAW = "ONNX Runtime alone";

/** Runs a network once with WebNN and once on the engine alone, checks the results, and registers the measurements. */
export async function benchSuite(suite: Suite): Promise<void> {
  const bench = await prepare(suite);
  const graph = await buildGraph(bench);
  const session = await bench.raw.createSession();
  session.bind();
  for (const run of [() => runWebNN(bench, graph), () => runRaw(bench, session)]) {
    bench.buffer.fill(NaN);
    await run();
    suite.check(bench.buffer);
  }
  measureBuild(bench);
  measureFirst(bench);
  measureWarm(bench, graph, session);
}

async function prepare(suite: Suite): Promise<Bench> {
  const captured = await captureGraph((context) => suite.build(context));
  const context = await navigator.ml.createContext();
  const { graph, inputs, outputs } = await suite.build(context);
  graph.destroy();
  const tensors = {
    inputs: await createTensors(context, inputs, { writable: true }),
    outputs: await createTensors(context, outputs, { readable: true }),
  };
  for (const [name, tensor] of Object.entries(tensors.inputs)) context.writeTensor(tensor, suite.inputs[name]!);
  return {
    suite,
    work: workOf(captured.graph),
    raw: await createRawEngine(captured, suite.inputs),
    context,
    tensors,
    buffer: new Float32Array(outputs[suite.output]!.reduce((product, size) => product * size, 1)),
  };
}

/**
 * WebNN: from the first builder call to the finished graph. ONNX Runtime alone: from a finished model to the session.
 */
function measureBuild(bench: Bench): void {
  const { suite, work, raw } = bench;
  const weights = `${(work.weightBytes / 1e6).toFixed(1)} MB of weights`;
  const group = `${suite.name}: build (${work.operators} operators, ${weights})`;
  Deno.bench({ name: `${WEBNN}, builder calls and build()`, group }, async (b) => {
    b.start();
    const graph = await buildGraph(bench);
    b.end();
    graph.destroy();
  });
  Deno.bench({ name: `${RAW}, session of the finished model`, group, baseline: true }, async (b) => {
    b.start();
    const session = await raw.createSession();
    b.end();
    session.release();
  });
}

/** The first run of a new graph, without its build. */
function measureFirst(bench: Bench): void {
  const group = `${bench.suite.name}: first dispatch + read of a new graph (${describeRun(bench.work)})`;
  Deno.bench({ name: WEBNN, group }, async (b) => {
    const graph = await buildGraph(bench);
    b.start();
    await runWebNN(bench, graph);
    b.end();
    graph.destroy();
  });
  Deno.bench({ name: RAW, group, baseline: true }, async (b) => {
    const session = await bench.raw.createSession();
    b.start();
    session.bind();
    runRaw(bench, session);
    b.end();
    session.release();
  });
}

/** Later runs. */
function measureWarm(bench: Bench, graph: MLGraph, session: RawSession): void {
  const { context, suite, tensors } = bench;
  const group = `${suite.name}: dispatch + read (${describeRun(bench.work)})`;
  // Deno.bench awaits only functions that are declared async.
  Deno.bench({ name: `${WEBNN}, readTensor(tensor, out)`, group }, async () => {
    await runWebNN(bench, graph);
  });
  Deno.bench({ name: `${WEBNN}, readTensor(tensor)`, group }, async () => {
    context.dispatch(graph, tensors.inputs, tensors.outputs);
    await context.readTensor(tensors.outputs[suite.output]!);
  });
  Deno.bench({ name: `${RAW}, one copy`, group, baseline: true }, () => runRaw(bench, session));
}

async function buildGraph({ suite, context }: Bench): Promise<MLGraph> {
  const { graph } = await suite.build(context);
  return graph;
}

function runWebNN({ suite, context, tensors, buffer }: Bench, graph: MLGraph): Promise<undefined> {
  context.dispatch(graph, tensors.inputs, tensors.outputs);
  return context.readTensor(tensors.outputs[suite.output]!, buffer);
}

function runRaw({ suite, buffer }: Bench, session: RawSession): void {
  session.run();
  session.read(suite.output, buffer);
}

async function createTensors(
  context: MLContext,
  shapes: Network["inputs"],
  usage: { readable?: boolean; writable?: boolean },
): Promise<Record<string, MLTensor>> {
  const tensors: Record<string, MLTensor> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    tensors[name] = await context.createTensor({ dataType: "float32", shape: [...shape], ...usage });
  }
  return tensors;
}
