/**
 * Measures Core ML with each power preference, against ONNX Runtime on the CPU: suites, with cold and warm builds, and
 * copies to and from Core ML's arrays.
 *
 * On systems other than macOS, everything runs on the fake framework of native/fake_coreml/. That shows that the
 * programs are correct; times would mean nothing, so it records none.
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

/** All results. */
export interface CoreMLReport {
  readonly command: string;
  readonly machine: Machine;
  readonly rounds: number;
  /** Whether it ran on the fake framework, which has no times. */
  readonly isFake: boolean;
  readonly suites: readonly CoreMLSuite[];
  readonly conversions: readonly Conversion[];
  /** What was requested but could not be measured, with the reason. */
  readonly skipped: readonly string[];
}

/** A suite, with the results of each choice. */
export interface CoreMLSuite {
  readonly suite: string;
  readonly results: readonly CoreMLResult[];
}

/** The results of a choice. */
export interface CoreMLResult {
  readonly choice: string;
  /** The devices that run the graph, from `graphInfo()`. */
  readonly devices: readonly string[];
  /** The largest absolute difference from the result of the CPU; unknown if one of the two is missing. */
  readonly maxError?: number;
  /** Why it has no times, or its results are wrong. */
  readonly problem?: string;
  /** In milliseconds, one per round. */
  readonly times: Readonly<Record<Step, readonly number[]>>;
}

/** A measured step. */
export type Step = typeof STEPS[number];
/** A build with an empty cache; a build with the model in the cache; the first run; later runs, each with a read. */
export const STEPS = ["cold build", "warm build", "first run", "dispatch + read"] as const;

/** ONNX Runtime on the CPU. It has no cache here, so its cold and warm builds are the same. */
export const CPU = "cpu";

interface Choice {
  readonly name: string;
  readonly options: ContextOptions;
}

/** The contestants. Graphs that Core ML does not support are not measured on another engine. */
export const CHOICES: readonly Choice[] = [
  { name: CPU, options: { device: "cpu" } },
  ...(["default", "low-power", "high-performance"] as const).map((powerPreference) => ({
    name: powerPreference,
    options: { backend: "coreml", powerPreference, fallback: false } as const,
  })),
];

/** The target duration of a turn of later runs, in milliseconds. */
const TURN = 20;
const MAX_RUNS = 2000;

/** The settings of a measurement. */
export interface CoreMLSettings {
  readonly command: string;
  readonly machine: Machine;
  readonly suites: readonly SuiteEntry[];
  readonly rounds: number;
  readonly signal?: AbortSignal;
  progress(step: string): void;
}

/** Measures everything. On the fake framework, runs everything once. */
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

/** Makes sure that there is a framework. Returns whether it is the fake one. */
async function findFramework(folder: string): Promise<boolean> {
  if (readEnvironment("WEBNN_COREML_FRAMEWORK")) return true;
  if (Deno.build.os === "darwin") return false;
  const { installFakeFramework } = await import("../../tests/coreml/fake_framework.ts");
  await installFakeFramework(folder);
  return true;
}

/**
 * In each round, all choices run once; each round starts with a different one. One round before the first is not
 * counted.
 */
async function measureSuite(name: string, settings: CoreMLSettings, folder: string): Promise<CoreMLSuite> {
  const { rounds, signal, progress } = settings;
  const suite = await loadSuite(name);
  const runners = CHOICES.map((choice) => new Runner(choice, suite, folder));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < runners.length; turn++) {
      signal?.throwIfAborted();
      const runner = runners[(turn + round) % runners.length]!;
      progress(`${name}, ${runner.choice.name}, round ${round} of ${rounds}`);
      await runner.takeTurn(round > 0);
    }
  }
  const expected = runners[0]!.output;
  return { suite: name, results: runners.map((runner) => runner.result(expected)) };
}

/** Runs one choice on one suite. */
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

  /** Runs a turn. A choice that has failed once gets no more turns. */
  async takeTurn(counts: boolean): Promise<void> {
    if (this.#problem !== undefined) return;
    try {
      const empty = join(this.folder, crypto.randomUUID());
      const cold = await this.#open(empty, (context) => this.#build(context));
      if (this.choice.name !== CPU) await Deno.remove(empty, { recursive: true });
      const cache = join(this.folder, `${this.choice.name} ${this.suite.name}`);
      if (!counts) await this.#open(cache, (context) => this.#build(context)); // Puts it into the cache.
      const others = await this.#open(cache, (context) => this.#run(context, counts));
      const times = { "cold build": cold.time, ...others };
      if (counts) { for (const step of STEPS) this.#times[step].push(times[step]); }
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** @param expected the result of the CPU */
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

  /** Builds, runs once, and then as often as fits into a turn. If the turn does not count, runs only once. */
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

  /** Creates the tensors. Returns a function that runs the graph and reads its first output. */
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

/** The mean duration of an action, in milliseconds. */
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
