/**
 * Lets contestants do the work of a suite in turns.
 *
 * @module
 */
import { join } from "node:path";
import { loadSuite } from "../support/suites.ts";
import type { Suite } from "../support/suite.ts";
import type { Work } from "../support/work.ts";
import { type ContestantProcess, startContestant } from "./contestant_process.ts";
import type { Contestant } from "./contestants.ts";
import { writeJobFolder } from "./job_folder.ts";

/** What is asked for. */
export interface Settings {
  readonly suite: string;
  readonly threads: number;
  readonly rounds: number;
  readonly contestants: readonly Contestant[];
  /** The name of the contestant whose output the others are compared with. */
  readonly reference: string;
  /** Called with what is being done. */
  progress(step: string): void;
}

/** All measurements of one suite with one number of threads. */
export interface SuiteResult {
  readonly suite: string;
  readonly threads: number;
  readonly work: Work;
  readonly contestants: readonly ContestantResult[];
  readonly measurements: readonly Measurement[];
}

/** How a contestant fared. */
export interface ContestantResult {
  readonly name: string;
  /** The engine and its version; not known of one that did not start. */
  readonly engine?: string;
  /** Why it has no times. */
  readonly problem?: string;
  /** How far its output is from that of the reference, the largest absolute difference. */
  readonly maxError?: number;
}

/** The times of one kind of work. */
export interface Measurement {
  readonly kind: Kind;
  /** In milliseconds, by contestant, one a round; a contestant that failed has none. */
  readonly times: Readonly<Record<string, readonly number[]>>;
}

/** What is timed. */
export type Kind = "build" | "first dispatch + read" | "dispatch + read" | "dispatch, pipelined";

/** The runs of a turn: enough to be long beside the clock, and short beside a round. */
const RUNS: Record<string, number> = { trivial: 2000, simple: 50, complex: 3, mobilenetv2: 10 };
/** Where the dispatch is what takes the time, it is measured without reading too. */
const PIPELINED = "trivial";

/** Someone who is taking part. */
interface Runner {
  readonly name: string;
  readonly process: ContestantProcess;
}

/** Measures one suite. A contestant that fails drops out, and its result says why. */
export async function measureSuite(settings: Settings): Promise<SuiteResult> {
  const suite = await loadSuite(settings.suite);
  const folder = await Deno.makeTempDir();
  try {
    const { work, library } = await writeJobFolder(suite, folder);
    await using field = new Field();
    for (const contestant of settings.contestants) {
      settings.progress(`starting ${contestant.name}`);
      await field.admit(contestant.name, async () => {
        const command = await contestant.prepare({ folder, library });
        return await startContestant(command, { suite: suite.name, threads: settings.threads, folder });
      });
    }
    const measurements = await measureAll(field, suite.name, settings);
    const contestants = await checkOutputs(field, suite, folder, settings.reference);
    const failed = contestants.filter(({ problem }) => problem !== undefined).map(({ name }) => name);
    return {
      suite: suite.name,
      threads: settings.threads,
      work,
      contestants,
      measurements: measurements.map((measurement) => without(measurement, failed)),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Nobody who failed, or whose numbers are wrong, is among the times. */
function without({ kind, times }: Measurement, failed: readonly string[]): Measurement {
  return { kind, times: Object.fromEntries(Object.entries(times).filter(([name]) => !failed.includes(name))) };
}

/** Who takes part, and who took part until something happened. */
class Field implements AsyncDisposable {
  readonly runners: Runner[] = [];
  readonly results: Map<string, ContestantResult> = new Map();

  /** Lets a contestant in, if it starts. */
  async admit(name: string, start: () => Promise<ContestantProcess>): Promise<void> {
    try {
      const process = await start();
      this.results.set(name, { name, engine: process.engine });
      this.runners.push({ name, process });
    } catch (error) {
      this.results.set(name, { name, problem: `did not start: ${firstLine(error)}` });
    }
  }

  /** Lets one runner do something; if it fails, it drops out. */
  async try<T>(runner: Runner, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      this.results.set(runner.name, { ...this.results.get(runner.name)!, problem: firstLine(error) });
      this.runners.splice(this.runners.indexOf(runner), 1);
      await runner.process[Symbol.asyncDispose]();
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.runners) await process[Symbol.asyncDispose]();
  }
}

async function measureAll(field: Field, suite: string, settings: Settings): Promise<Measurement[]> {
  const runs = RUNS[suite]!;
  const measurements = [
    await measureKind(field, "build", settings, (process) => process.build()),
    await measureKind(field, "first dispatch + read", settings, async (process) => {
      await process.build();
      return await process.run(1);
    }),
    await measureKind(field, "dispatch + read", settings, (process) => process.run(runs)),
  ];
  if (suite === PIPELINED) {
    measurements.push(await measureKind(field, "dispatch, pipelined", settings, (process) => process.pipeline(runs)));
  }
  return measurements;
}

/** Each round lets everybody do the same once, beginning with another one. A round before the first is not counted. */
async function measureKind(
  field: Field,
  kind: Kind,
  { rounds, progress }: Settings,
  measure: (process: ContestantProcess) => Promise<number>,
): Promise<Measurement> {
  const times: Record<string, number[]> = {};
  for (let round = 0; round <= rounds; round++) {
    progress(`${kind}, round ${round} of ${rounds}`);
    for (const runner of rotate(field.runners, round)) {
      const time = await field.try(runner, () => measure(runner.process));
      if (time !== undefined && round > 0) (times[runner.name] ??= []).push(time);
    }
  }
  return { kind, times };
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** Everybody's output is checked by the suite, and compared with that of the reference. */
async function checkOutputs(
  field: Field,
  suite: Suite,
  folder: string,
  reference: string,
): Promise<ContestantResult[]> {
  const outputs = new Map<string, Float32Array>();
  for (const runner of [...field.runners]) {
    await field.try(runner, async () => {
      const values = await runner.process.output(join(folder, `${runner.name}.bin`));
      outputs.set(runner.name, values);
      checkValues(suite, values);
    });
  }
  const expected = outputs.get(reference);
  return [...field.results.values()].map((result) => {
    const values = outputs.get(result.name);
    return values && expected ? { ...result, maxError: maxError(values, expected) } : result;
  });
}

function checkValues(suite: Suite, values: Float32Array): void {
  try {
    suite.check(values);
  } catch (error) {
    throw new Error(`its numbers are wrong: ${firstLine(error)}`, { cause: error });
  }
}

/** The largest absolute difference; NaN if there is a NaN on one side only, or lengths differ. */
export function maxError(values: Float32Array, expected: Float32Array): number {
  if (values.length !== expected.length) return NaN;
  return values.reduce((worst, value, i) => {
    const error = Object.is(value, expected[i]) ? 0 : Math.abs(value - expected[i]!);
    return Math.max(worst, error);
  }, 0);
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split("\n")[0]!;
}
