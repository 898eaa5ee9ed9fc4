/**
 * Core ML with each of the standard's power preferences, beside ONNX Runtime on the CPU: suites, built from nothing and
 * from the cache of compiled models, and the ways of data into the arrays of Core ML and back.
 *
 * Where there is no macOS, all of it runs on the fake framework of native/fake_coreml/: that shows that the programs are
 * right, and says nothing about time, so that no time is kept.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { type ContextOptions, createContext, graphInfo } from "@webnn/deno";
import { join } from "node:path";
import { type Conversion, measureConversions } from "./conversions.ts";
import type { Network } from "../../examples/inference.ts";
import { readEnvironment } from "../../ffi/library.ts";
import type { Suite } from "../../bench/support/suite.ts";
import { loadSuite, type SuiteEntry } from "../../bench/support/suites.ts";
import type { Machine } from "../../bench/report/figures.ts";
import { maxError } from "../../bench/report/measure.ts";

/** All that is found. */
export interface CoreMLReport {
  readonly command: string;
  readonly machine: Machine;
  readonly rounds: number;
  /** Whether it was the fake framework. It has no times. */
  readonly isFake: boolean;
  readonly suites: readonly CoreMLSuite[];
  readonly conversions: readonly Conversion[];
  /** What was asked for and could not be measured, with the reason. */
  readonly skipped: readonly string[];
}

/** A suite, and how each choice fared. */
export interface CoreMLSuite {
  readonly suite: string;
  readonly results: readonly CoreMLResult[];
}

/** How a choice fared. */
export interface CoreMLResult {
  readonly choice: string;
  /** The devices that run the graph, as `graphInfo()` tells. */
  readonly devices: readonly string[];
  /** The largest absolute difference from what the CPU computes; not known without one of the two. */
  readonly maxError?: number;
  /** Why it has no times, or its results are wrong. */
  readonly problem?: string;
  /** In milliseconds, one a round. */
  readonly times: Readonly<Record<Step, readonly number[]>>;
}

/** What is timed. */
export type Step = typeof STEPS[number];
/** From nothing to a graph; from a compiled model to a graph; its first run; later ones, each with a read. */
export const STEPS = ["cold build", "warm build", "first run", "dispatch + read"] as const;

/** ONNX Runtime on the CPU; it has no cache here, so that both of its builds are the same. */
export const CPU = "cpu";

interface Choice {
  readonly name: string;
  readonly options: ContextOptions;
}

/** Whoever takes part. Graphs that Core ML cannot take are not measured on something else. */
export const CHOICES: readonly Choice[] = [
  { name: CPU, options: { device: "cpu" } },
  ...(["default", "low-power", "high-performance"] as const).map((powerPreference) => ({
    name: powerPreference,
    options: { backend: "coreml", powerPreference, fallback: false } as const,
  })),
];

/** A turn of later runs shall take so many milliseconds. */
const TURN = 20;
const MAX_RUNS = 2000;

/** What is asked for. */
export interface CoreMLSettings {
  readonly command: string;
  readonly machine: Machine;
  readonly suites: readonly SuiteEntry[];
  readonly rounds: number;
  readonly signal?: AbortSignal;
  progress(step: string): void;
}

/** Measures everything; on the fake framework, each thing once. */
export async function measureCoreML(settings: CoreMLSettings): Promise<CoreMLReport> {
  const folder = await Deno.makeTempDir();
  try {
    const isFake = await findFramework(folder);
    const rounds = isFake ? 0 : settings.rounds;
    const suites: CoreMLSuite[] = [];
    for (const { name, missing } of settings.suites) {
      if (missing === undefined) suites.push(await measureSuite(name, { ...settings, rounds }, folder));
    }
    settings.progress("conversions");
    const conversions = await measureConversions(rounds, join(folder, "conversions"));
    const skipped = settings.suites.map(({ missing }) => missing).filter((missing) => missing !== undefined);
    const { command, machine } = settings;
    return { command, machine, rounds, isFake, suites, conversions, skipped };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Sees to it that there is a framework, and answers whether it is a fake. */
async function findFramework(folder: string): Promise<boolean> {
  if (readEnvironment("WEBNN_COREML_FRAMEWORK")) return true;
  if (Deno.build.os === "darwin") return false;
  const { installFakeFramework } = await import("../../tests/coreml/fake_framework.ts");
  await installFakeFramework(folder);
  return true;
}

/** Each round lets everybody do the same once, beginning with another one. A round before the first is not counted. */
async function measureSuite(name: string, settings: CoreMLSettings, folder: string): Promise<CoreMLSuite> {
  const { rounds, signal, progress } = settings;
  const suite = await loadSuite(name);
  const runners = CHOICES.map((choice) => new Runner(choice, suite, folder));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < runners.length; turn++) {
      signal?.throwIfAborted();
      const runner = runners[(turn + round) % runners.length]!;
      progress(`${name}, ${runner.choice.name}, round ${round} of ${rounds}`);
      await runner.take(round > 0);
    }
  }
  const expected = runners[0]!.output;
  return { suite: name, results: runners.map((runner) => runner.result(expected)) };
}

/** One choice at one suite. */
class Runner {
  output: Float32Array<ArrayBuffer> | undefined;
  #problem: string | undefined;
  #devices: readonly string[] = [];
  readonly #times: Record<Step, number[]> = {
    "cold build": [],
    "warm build": [],
    "first run": [],
    "dispatch + read": [],
  };

  constructor(readonly choice: Choice, readonly suite: Suite, readonly folder: string) {}

  /** A turn. Whoever has failed once takes no more of them. */
  async take(counts: boolean): Promise<void> {
    if (this.#problem !== undefined) return;
    try {
      const empty = join(this.folder, crypto.randomUUID());
      const cold = await this.#open(empty, (context) => this.#build(context));
      if (this.choice.name !== CPU) await Deno.remove(empty, { recursive: true });
      const cache = join(this.folder, `${this.choice.name} ${this.suite.name}`);
      if (!counts) await this.#open(cache, (context) => this.#build(context)); // So that it is in the cache.
      const others = await this.#open(cache, (context) => this.#run(context, counts));
      const times = { "cold build": cold.time, ...others };
      if (counts) { for (const step of STEPS) this.#times[step].push(times[step]); }
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** `expected` is what the CPU has computed. */
  result(expected: Float32Array | undefined): CoreMLResult {
    const problem = this.#problem;
    return {
      choice: this.choice.name,
      devices: this.#devices,
      ...(problem === undefined ? {} : { problem }),
      ...(expected && this.output ? { maxError: maxError(this.output, expected) } : {}),
      times: this.#times,
    };
  }

  async #open<T>(cacheDirectory: string, use: (context: MLContext) => Promise<T>): Promise<T> {
    const isCpu = this.choice.name === CPU;
    const context = await createContext({ ...this.choice.options, ...isCpu ? {} : { cacheDirectory } });
    try {
      return await use(context);
    } finally {
      context.destroy();
    }
  }

  async #build(context: MLContext): Promise<{ network: Network; time: number }> {
    const start = performance.now();
    const network = await this.suite.build(context);
    return { network, time: performance.now() - start };
  }

  /** Builds, runs for the first time, and then as often as fills a turn; where nothing counts, no more than once. */
  async #run(context: MLContext, counts: boolean) {
    const { network, time: build } = await this.#build(context);
    this.#devices = graphInfo(network.graph).devices;
    const once = await this.#prepare(context, network);
    const first = await timed(1, once);
    const runs = counts ? Math.max(1, Math.min(MAX_RUNS, Math.round(TURN / await timed(3, once)))) : 0;
    const later = await timed(runs, once);
    this.suite.check(this.output!);
    return { "warm build": build, "first run": first, "dispatch + read": later };
  }

  /** Makes the tensors, and answers what runs the graph and reads its first output. */
  async #prepare(context: MLContext, { graph, inputs, outputs }: Network): Promise<() => Promise<unknown>> {
    const [inputTensors, outputTensors] = [await createTensors(context, inputs), await createTensors(context, outputs)];
    for (const [name, tensor] of Object.entries(inputTensors)) context.writeTensor(tensor, this.suite.inputs[name]!);
    const output = outputTensors[this.suite.output]!;
    const buffer = this.output = new Float32Array(output.shape.reduce((product, size) => product * size, 1));
    return () => {
      context.dispatch(graph, inputTensors, outputTensors);
      return context.readTensor(output, buffer);
    };
  }
}

/** The mean time of an action in milliseconds. */
async function timed(count: number, action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i++) await action();
  return (performance.now() - start) / count;
}

async function createTensors(context: MLContext, shapes: Network["inputs"]): Promise<Record<string, MLTensor>> {
  const tensors = Object.entries(shapes).map(async ([name, shape]) => {
    const descriptor = { dataType: "float32", shape: [...shape], readable: true, writable: true } as const;
    return [name, await context.createTensor(descriptor)] as const;
  });
  return Object.fromEntries(await Promise.all(tensors));
}
