/**
 * Overlapping requests: loops that each write 4 MB, dispatch and read, and sometimes build and destroy graphs. All
 * results are checked.
 *
 * @module
 */

import { createContext, type MLContext, type MLGraph, MLGraphBuilder, type MLTensor } from "@webnn/deno";
import { type Random, random } from "../../support/random.ts";

/** The tensors of a loop: 4 MB. */
const LARGE = { dataType: "float32", shape: [1024, 1024] } as const;
const LARGE_ELEMENTS = 1024 * 1024;
/** Short-lived tensors and weights. They are small, so that they do not change memory noticeably. */
const SMALL = { dataType: "float32", shape: [16, 1024] } as const;
const SMALL_ELEMENTS = 16 * 1024;

/** Counters that isolates share: the number of finished requests, and whether to stop. */
export interface Shared {
  readonly counters: Int32Array<SharedArrayBuffer>;
}

/** Creates counters for isolates to share. */
export function createShared(): Shared {
  return { counters: new Int32Array(new SharedArrayBuffer(8)) };
}

/** The number of finished requests. */
export function requestsDone({ counters }: Shared): number {
  return Atomics.load(counters, 0);
}

/** Makes all loops end after their current request. */
export function stop({ counters }: Shared): void {
  Atomics.store(counters, 1, 1);
}

/** Runs concurrent loops on one context until they are stopped. */
export async function runLoops(inFlight: number, seed: number, shared: Shared): Promise<void> {
  using context = await createContext();
  const graph = await buildIncrement(context, LARGE);
  const data = new Float32Array(LARGE_ELEMENTS);
  const loops = Array.from({ length: inFlight }, async (_, i) => {
    const tensors = await createTensors(context, LARGE);
    const loop: Loop = {
      context,
      graph,
      data,
      result: new Float32Array(LARGE_ELEMENTS),
      random: random(seed * 1000 + i),
    };
    await runLoop(loop, tensors, shared);
  });
  await Promise.all(loops);
}

interface Loop {
  readonly context: MLContext;
  /** Adds 1 to {@linkcode LARGE} tensors. */
  readonly graph: MLGraph;
  /** The data to write. All loops share it, and change it right before each write. */
  readonly data: Float32Array<ArrayBuffer>;
  readonly result: Float32Array<ArrayBuffer>;
  readonly random: Random;
}

interface Tensors {
  readonly input: MLTensor;
  readonly output: MLTensor;
}

async function createTensors(context: MLContext, descriptor: typeof LARGE | typeof SMALL): Promise<Tensors> {
  const input = await context.createTensor({ ...descriptor, writable: true });
  const output = await context.createTensor({ ...descriptor, readable: true });
  return { input, output };
}

function destroyAll({ input, output }: Tensors): void {
  input.destroy();
  output.destroy();
}

/** About 16 of 20 requests only write, dispatch and read. */
async function runLoop(loop: Loop, tensors: Tensors, shared: Shared): Promise<void> {
  while (Atomics.load(shared.counters, 1) === 0) {
    const kind = loop.random.integer(0, 19);
    if (kind === 0) await useNewGraph(loop);
    if (kind === 1) await destroyBeforeRead(loop);
    if (kind === 2) await loseContext();
    if (kind === 3) {
      destroyAll(tensors);
      tensors = await createTensors(loop.context, LARGE);
    }
    await writeAndRead(loop, tensors);
    Atomics.add(shared.counters, 0, 1);
  }
}

async function writeAndRead({ context, data, graph, random, result }: Loop, tensors: Tensors): Promise<void> {
  const value = random.integer(1, 1e6);
  send(context, graph, tensors, data, value);
  if (random.integer(0, 1) === 0) await context.readTensor(tensors.output, result);
  else result.set(new Float32Array(await context.readTensor(tensors.output)));
  checkResult(result, value);
}

/** Writes and dispatches, then overwrites the data, which writeTensor must have copied. */
function send(
  context: MLContext,
  graph: MLGraph,
  { input, output }: Tensors,
  data: Float32Array<ArrayBuffer>,
  value: number,
): void {
  data[0] = value;
  data[data.length - 1] = -value;
  context.writeTensor(input, data);
  context.dispatch(graph, { x: input }, { y: output });
  data[0] = data[data.length - 1] = NaN;
}

function checkResult(result: Float32Array, value: number): void {
  if (result[0] === value + 1 && result.at(-1) === 1 - value) return;
  throw new Error(`the results for ${value} and ${-value} are ${result[0]} and ${result.at(-1)}`);
}

async function useNewGraph({ context }: Loop): Promise<void> {
  const graph = await buildIncrement(context, SMALL);
  const tensors = await createTensors(context, SMALL);
  send(context, graph, tensors, new Float32Array(SMALL_ELEMENTS), 7);
  checkResult(new Float32Array(await context.readTensor(tensors.output)), 7);
  graph.destroy();
  destroyAll(tensors);
}

async function destroyBeforeRead({ context }: Loop): Promise<void> {
  const graph = await buildIncrement(context, SMALL);
  const tensors = await createTensors(context, SMALL);
  send(context, graph, tensors, new Float32Array(SMALL_ELEMENTS), 7);
  const reading = context.readTensor(tensors.output);
  destroyAll(tensors);
  graph.destroy();
  await expectInvalidState(reading);
}

async function loseContext(): Promise<void> {
  const context = await createContext();
  const graph = await buildIncrement(context, SMALL);
  const tensors = await createTensors(context, SMALL);
  send(context, graph, tensors, new Float32Array(SMALL_ELEMENTS), 7);
  const reading = context.readTensor(tensors.output);
  context.destroy();
  await expectInvalidState(reading);
}

async function expectInvalidState(reading: Promise<unknown>): Promise<void> {
  const error = await reading.then(() => undefined, (error) => error);
  if (!(error instanceof DOMException) || error.name !== "InvalidStateError") {
    throw error ?? new Error("the read did not fail");
  }
}

/** A graph that adds 1. It has 64 KB of weights and uses one row of them. */
async function buildIncrement(context: MLContext, descriptor: typeof LARGE | typeof SMALL): Promise<MLGraph> {
  const builder = new MLGraphBuilder(context);
  const weights = builder.constant(SMALL, new Float32Array(SMALL_ELEMENTS).fill(1));
  const row = builder.slice(weights, [3, 0], [1, 1024]);
  return await builder.build({ y: builder.add(builder.input("x", descriptor), row) });
}
