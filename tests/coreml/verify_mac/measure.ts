/**
 * The checks of `deno task verify:mac` with small graphs: numbers, the cache, and the choice of engines.
 *
 * @module
 */

import { createContext, graphInfo, type MLContext, MLGraphBuilder } from "@webnn/deno";
import { join } from "node:path";
import { createInference } from "../../../examples/inference.ts";
import { createMLContext } from "../../../src/api/ml_context.ts";
import { type CoreMLOptions, openCoreML } from "../../../src/backends/coreml/mod.ts";
import { testData } from "../../support/test_data.ts";
import { loadCases } from "../../wpt_cases/cases.ts";
import type { Limits } from "../../wpt_cases/limits.ts";
import { CASES } from "../../wpt_cases/main.ts";
import type { CaseResult } from "../../wpt_cases/report.ts";
import { runCase } from "../../wpt_cases/run_case.ts";

/** The compute units and precision of a context. */
export interface Setting {
  readonly title: string;
  readonly device: "cpu" | "npu" | "gpu";
  readonly float16: boolean;
}

/** The settings. WPT's cases run with those that keep float32. */
export const SETTINGS: readonly Setting[] = [
  { title: "CPU only", device: "cpu", float16: false },
  { title: "CPU and Neural Engine", device: "npu", float16: false },
  { title: "all", device: "gpu", float16: false },
  { title: "CPU and Neural Engine, float16", device: "npu", float16: true },
];

/** A statement about the cache or the choice of engines, and whether it is true. */
export interface Statement {
  readonly statement: string;
  readonly passed: boolean;
}

/** Opens a context, and destroys it after `use`. */
export async function withContext<T>(options: CoreMLOptions, use: (context: MLContext) => Promise<T>): Promise<T> {
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

/** Checks the cache with a small graph. The folder must be empty. */
export async function checkCache(cacheDirectory: string): Promise<Statement[]> {
  const results: Statement[] = [];
  const check = (statement: string, passed: boolean) => void results.push({ statement, passed });
  const first = await runSmallGraph(cacheDirectory);
  const [entry, ...others] = await entriesOf(cacheDirectory);
  check("a build leaves one compiled model, and nothing else", first && entry !== undefined && others.length === 0);
  if (entry === undefined) return results;
  const second = await runSmallGraph(cacheDirectory);
  const after = await entriesOf(cacheDirectory);
  check("a second build loads it", second && after.length === 1 && after[0]!.ino === entry.ino);
  for await (const { name } of Deno.readDir(entry.path)) await Deno.remove(join(entry.path, name), { recursive: true });
  const third = await runSmallGraph(cacheDirectory);
  const [renewed] = await entriesOf(cacheDirectory);
  check("a damaged one is compiled again", third && renewed?.path === entry.path && !await isEmpty(renewed.path));
  return results;
}

/** Checks which engine runs a graph that Core ML supports, and one that it does not, with int64. */
export async function checkChoice(cacheDirectory: string): Promise<Statement[]> {
  const context = await createContext({ backend: "coreml", cacheDirectory });
  try {
    const native = await runCasts(context, "int32");
    const other = await runCasts(context, "int64");
    return [
      {
        statement: `a graph of int32 runs on Core ML: ${native.where}`,
        passed: native.correct && native.backend === "coreml",
      },
      {
        statement: `a graph of int64 runs on ONNX Runtime, with the reasons: ${other.where}`,
        passed: other.correct && other.backend === "onnxruntime" && other.refusals.length === 2,
      },
    ];
  } finally {
    context.destroy();
  }
}

/** Casts 1.5, −2.5 and 3 to an integer type and back. Returns whether the result is correct, and what ran it. */
async function runCasts(context: MLContext, dataType: "int32" | "int64") {
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", { dataType: "float32", shape: [3] });
  const graph = await builder.build({ y: builder.cast(builder.relu(builder.cast(x, dataType)), "float32") });
  const inference = await createInference(context, { graph, inputs: { x: [3] }, outputs: { y: [3] } });
  const { y } = await inference.run({ x: Float32Array.of(1.5, -2.5, 3) });
  const { backend, provider, devices, refusals } = graphInfo(graph);
  const reasons = refusals.map((refusal) => `; ${refusal.backend} (${refusal.provider}): ${refusal.reason}`).join("");
  return {
    correct: y!.join() === "1,0,3",
    backend,
    refusals,
    where: `${backend} (${provider}) on ${devices}${reasons}`,
  };
}

async function entriesOf(folder: string) {
  const paths = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => join(folder, name));
  return await Promise.all(paths.map(async (path) => ({ path, ino: (await Deno.stat(path)).ino })));
}

async function isEmpty(folder: string): Promise<boolean> {
  return (await Array.fromAsync(Deno.readDir(folder))).length === 0;
}

/** Computes 2x + 1. Returns whether the result is correct. */
function runSmallGraph(cacheDirectory: string): Promise<boolean> {
  return withContext({ cacheDirectory }, async (context) => {
    const descriptor = { dataType: "float32", shape: [3] } as const;
    const builder = new MLGraphBuilder(context);
    const graph = await builder.build({ y: builder.linear(builder.input("x", descriptor), { alpha: 2, beta: 1 }) });
    const inference = await createInference(context, { graph, inputs: { x: [3] }, outputs: { y: [3] } });
    const { y } = await inference.run({ x: Float32Array.of(1, 2, 3) });
    return y!.join() === "3,5,7";
  });
}
