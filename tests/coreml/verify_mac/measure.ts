/**
 * What `deno task verify:mac` finds out: numbers against what is expected, times, and whether the cache works.
 *
 * @module
 */

import { join } from "node:path";
import { type MLContext, MLGraphBuilder } from "../../../mod.ts";
import { createInference } from "../../../examples/inference.ts";
import { buildMobileNetV2 } from "../../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../../examples/safetensors.ts";
import { buildSqueezeNet } from "../../../examples/squeezenet.ts";
import { createMLContext } from "../../../src/api/ml_context.ts";
import { type CoreMLOptions, openCoreML } from "../../../src/backends/coreml/mod.ts";
import { messageOf } from "../../../src/errors.ts";
import { testData } from "../../support/test_data.ts";
import { loadCases } from "../../wpt_cases/cases.ts";
import type { Limits } from "../../wpt_cases/limits.ts";
import { CASES } from "../../wpt_cases/main.ts";
import type { CaseResult } from "../../wpt_cases/report.ts";
import { runCase } from "../../wpt_cases/run_case.ts";

/** Compute units and precision of a context. */
export interface Setting {
  readonly title: string;
  readonly device: "cpu" | "npu" | "gpu";
  readonly float16: boolean;
}

/** The settings: WPT's cases run with those that keep float32. */
export const SETTINGS: readonly Setting[] = [
  { title: "CPU only", device: "cpu", float16: false },
  { title: "CPU and Neural Engine", device: "npu", float16: false },
  { title: "all", device: "gpu", float16: false },
  { title: "CPU and Neural Engine, float16", device: "npu", float16: true },
];

/** The networks. Where float32 is kept, outputs must be this close to the reference; in float16, the best class counts. */
export const TOLERANCE = 1e-3;
export const NETWORKS = [
  { name: "squeezenet1.1", build: buildSqueezeNet, outputs: ["logits", "probabilities"] },
  { name: "mobilenetv2", build: buildMobileNetV2, outputs: ["features", "logits"] },
] as const;

const SIZE = 224;
const RUNS = 20;

/** A network in one setting; times in milliseconds. */
export interface NetworkResult {
  readonly network: string;
  readonly setting: string;
  readonly passed: boolean;
  /** The largest distance of an output from the reference, or why there is none. */
  readonly error: number | string;
  /** The kinds of devices that the graph runs on. */
  readonly devices: readonly string[];
  /** A build that compiles. */
  readonly cold: number;
  /** The same build in another context, which finds the compiled model in the cache. */
  readonly warm: number;
  readonly firstRun: number;
  /** The median of the runs that follow. */
  readonly run: number;
}

/** A statement about the cache and whether it holds. */
export interface CacheResult {
  readonly statement: string;
  readonly passed: boolean;
}

/** The files in the test data that a network needs. */
export function filesOf({ name }: { readonly name: string }): readonly [weights: string, reference: string] {
  return [`models/${name}.safetensors`, `models/${name}.reference.json`];
}

/** Opens a context and destroys it when `use` has come to its end. */
async function withContext<T>(options: CoreMLOptions, use: (context: MLContext) => Promise<T>): Promise<T> {
  const device = openCoreML(options);
  const closed = Promise.withResolvers<void>();
  const close = device.close.bind(device);
  device.close = () => {
    close();
    closed.resolve();
  };
  const context = createMLContext(device);
  try {
    return await use(context);
  } finally {
    context.destroy();
    await closed.promise;
  }
}

/** Runs WPT's cases, or those of one operator. */
export function measureCases(
  options: CoreMLOptions,
  filter: string | undefined,
  progress: (done: number, all: number) => void,
): Promise<CaseResult[]> {
  return withContext(options, async (context) => {
    const cases = await loadCases(testData(CASES), filter);
    const limits = context.opSupportLimits() as unknown as Limits;
    const results: CaseResult[] = [];
    for (const wptCase of cases) {
      results.push(await runCase(context, limits, wptCase));
      progress(results.length, cases.length);
    }
    return results;
  });
}

/** Builds a network twice, cold and warm, and runs it. `options` must name a folder for the cache that is empty. */
export async function measureNetwork(
  network: typeof NETWORKS[number],
  { title, float16 }: Setting,
  options: CoreMLOptions,
  runs = RUNS,
): Promise<NetworkResult> {
  const result = { network: network.name, setting: title, devices: [], cold: NaN, warm: NaN, firstRun: NaN, run: NaN };
  try {
    const [weightsFile, referenceFile] = filesOf(network);
    const weights = parseSafetensors(await Deno.readFile(testData(weightsFile)));
    const reference = JSON.parse(await Deno.readTextFile(testData(referenceFile)));
    const cold = await withContext(options, (context) => timed(() => network.build(context, weights)));
    return await withContext(options, async (context) => {
      const warm = await timed(() => network.build(context, weights));
      const inference = await createInference(context, warm.value);
      const inputs = { [Object.keys(warm.value.inputs)[0]!]: deterministicInput() };
      const first = await timed(() => inference.run(inputs));
      const times: number[] = [];
      for (let i = 0; i < runs; i++) times.push((await timed(() => inference.run(inputs))).time);
      const error = Math.max(...network.outputs.map((name) => distance(first.value[name]!, reference[name])));
      const sameClass = best(first.value.logits!) === best(reference.logits);
      return {
        ...result,
        passed: float16 ? sameClass : error <= TOLERANCE,
        error,
        devices: warm.value.graph.devices,
        cold: cold.time,
        warm: warm.time,
        firstRun: first.time,
        run: times.sort((a, b) => a - b)[times.length >> 1] ?? NaN,
      };
    });
  } catch (error) {
    return { ...result, passed: false, error: messageOf(error) };
  }
}

/** Checks the cache with a small graph. `options` must name a folder for it that is empty. */
export async function checkCache(options: CoreMLOptions & { readonly cacheDirectory: string }): Promise<CacheResult[]> {
  const { cacheDirectory } = options;
  const results: CacheResult[] = [];
  const check = (statement: string, passed: boolean) => void results.push({ statement, passed });
  const first = await runSmallGraph(options);
  const [entry, ...others] = await entriesOf(cacheDirectory);
  check("a build leaves one compiled model, and nothing else", first && entry !== undefined && others.length === 0);
  if (entry === undefined) return results;
  const second = await runSmallGraph(options);
  const after = await entriesOf(cacheDirectory);
  check("a second build loads it", second && after.length === 1 && after[0]!.ino === entry.ino);
  for await (const { name } of Deno.readDir(entry.path)) await Deno.remove(join(entry.path, name), { recursive: true });
  const third = await runSmallGraph(options);
  const [renewed] = await entriesOf(cacheDirectory);
  check("a damaged one is compiled anew", third && renewed?.path === entry.path && !await isEmpty(renewed.path));
  return results;
}

async function entriesOf(folder: string) {
  const paths = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => join(folder, name));
  return await Promise.all(paths.map(async (path) => ({ path, ino: (await Deno.stat(path)).ino })));
}

async function isEmpty(folder: string): Promise<boolean> {
  return (await Array.fromAsync(Deno.readDir(folder))).length === 0;
}

/** Whether 2x + 1 is right. */
function runSmallGraph(options: CoreMLOptions): Promise<boolean> {
  return withContext(options, async (context) => {
    const descriptor = { dataType: "float32", shape: [3] } as const;
    const builder = new MLGraphBuilder(context);
    const graph = await builder.build({ y: builder.linear(builder.input("x", descriptor), { alpha: 2, beta: 1 }) });
    const inference = await createInference(context, { graph, inputs: { x: [3] }, outputs: { y: [3] } });
    const { y } = await inference.run({ x: Float32Array.of(1, 2, 3) });
    return y!.join() === "3,5,7";
  });
}

async function timed<T>(action: () => Promise<T>): Promise<{ value: T; time: number }> {
  const start = performance.now();
  const value = await action();
  return { value, time: performance.now() - start };
}

/** x[i] = sin(0.01 i) over [1, 3, 224, 224]: the input of the references. */
function deterministicInput(): Float32Array {
  return Float32Array.from({ length: 3 * SIZE * SIZE }, (_, index) => Math.sin(index * 0.01));
}

/** The largest absolute difference; infinite if one is NaN or the lengths differ. */
function distance(actual: Float32Array, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Infinity;
  const largest = Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value)));
  return Number.isNaN(largest) ? Infinity : largest;
}

function best(values: ArrayLike<number>): number {
  const list = Array.from(values);
  return list.indexOf(Math.max(...list));
}
