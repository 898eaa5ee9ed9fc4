/**
 * Runs a suite on all contestants, in turn.
 *
 * @module
 */
import { join } from "node:path";
import { deviceNamed } from "../../support/devices.ts";
import { loadSuite } from "../support/suites.ts";
import type { Suite } from "../support/suite.ts";
import type { Work } from "../support/work.ts";
import { type ContestantProcess, startContestant } from "./contestant_process.ts";
import type { Contestant, Workplace } from "./contestants.ts";
import { writeJobFolder } from "./job_folder.ts";

/** The settings of a measurement. */
export interface Settings {
  readonly suite: string;
  readonly threads: number;
  readonly device: string;
  readonly rounds: number;
  readonly contestants: readonly Contestant[];
  /** The name of the contestant that outputs are compared with. */
  readonly reference: string;
  /** What to measure: {@linkcode COMPARED} by default. */
  readonly kinds?: readonly Kind[];
  /** The smallest number of runs in a turn, unless they take longer than {@linkcode LONGEST_TURN}; 1 by default. */
  readonly minRuns?: number;
  /** Starts a contestant; by default in a process of its own. */
  readonly start?: typeof startContestant;
  /** Cancels the measurement; everything it started is cleaned up. */
  readonly signal?: AbortSignal;
  /** Reports the progress. */
  progress(step: string): void;
}

/** All measurements of a suite with a number of threads. */
export interface SuiteResult {
  readonly suite: string;
  readonly threads: number;
  readonly work: Work;
  /** The number of runs in a turn. */
  readonly runs: number;
  readonly contestants: readonly ContestantResult[];
  readonly measurements: readonly Measurement[];
}

/** The results of a contestant. */
export interface ContestantResult {
  readonly name: string;
  /** The engine and its version; unknown if it did not start. */
  readonly engine?: string;
  /** Why it has no times. */
  readonly problem?: string;
  /** The largest absolute difference from the output of the reference. */
  readonly maxError?: number;
  /** The peak memory of its process, in bytes, after building the graph and running it. */
  readonly peakMemory?: number;
  /** The share of its turns that succeeded; `undefined` if its numbers are wrong. */
  readonly success: number;
}

/** The times of one kind of work. */
export interface Measurement {
  readonly kind: Kind;
  /** In milliseconds, by contestant, one per round. A contestant that failed has none. */
  readonly times: Readonly<Record<string, readonly number[]>>;
}

/** A measured kind of work. */
export type Kind = keyof typeof KINDS;

/** How to measure each kind. `runs` is the number of runs in a turn. */
const KINDS = {
  "build": (process: ContestantProcess) => process.build(),
  "build, cached": (process: ContestantProcess) => process.cached(), // The next kind builds again before it runs.
  "first dispatch + read": async (process: ContestantProcess) => {
    await process.build();
    return await process.run(1);
  },
  "dispatch + read": (process: ContestantProcess, runs: number) => process.run(runs),
  "dispatch + read into a new buffer": (process: ContestantProcess, runs: number) => process.fresh(runs),
  "dispatch, pipelined": (process: ContestantProcess, runs: number) => process.pipeline(runs),
  "write": (process: ContestantProcess, runs: number) => process.write(runs),
  "read": (process: ContestantProcess, runs: number) => process.read(runs),
};

/** The kinds that all contestants are compared by. */
export const COMPARED: readonly Kind[] = [
  "build",
  "build, cached",
  "first dispatch + read",
  "dispatch + read",
  "dispatch + read into a new buffer",
  "dispatch, pipelined",
];

/**
 * The target duration of a turn, in milliseconds: long compared with the clock's resolution, and short compared with a
 * round.
 */
const TURN = 20;
const LONGEST_TURN = 200;
const MAX_RUNS = 2000;

const WRONG_NUMBERS = "its numbers are wrong";

/** A contestant that has not failed. */
interface Runner {
  readonly name: string;
  readonly process: ContestantProcess;
}

/** Measures one suite. A contestant that fails drops out; its result says why. */
export async function measureSuite(settings: Settings): Promise<SuiteResult> {
  const suite = await loadSuite(settings.suite);
  const folder = await Deno.makeTempDir();
  try {
    const { work, library } = await writeJobFolder(suite, folder);
    await using field = new Field(settings);
    for (const contestant of settings.contestants) {
      settings.progress(`starting ${contestant.name}`);
      await field.admit(contestant.name, () => start(contestant, { folder, library }, settings));
    }
    const runs = await warmUp(field, settings);
    const measurements: Measurement[] = [];
    for (const kind of field.kinds) measurements.push(await measureKind(field, kind, runs, settings));
    await checkOutputs(field, suite, folder, settings.reference);
    const failed = field.results().filter(({ problem }) => problem !== undefined).map(({ name }) => name);
    return {
      suite: suite.name,
      threads: settings.threads,
      work,
      runs,
      contestants: field.results(),
      measurements: measurements.map((measurement) => without(measurement, failed)),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function start(contestant: Contestant, place: Workplace, settings: Settings): Promise<ContestantProcess> {
  const { suite, threads, start = startContestant } = settings;
  const { always, devices } = contestant;
  const device = always ?? settings.device;
  if (devices !== "any" && !devices.includes(device)) {
    throw new Error(`it does not support the device ${device}, only ${devices.join(", ")}`);
  }
  const { library = place.library } = deviceNamed(device).options;
  const command = await contestant.prepare({ ...place, library: `${library}` });
  return await start(command, { suite, threads, device, folder: place.folder });
}

/** Each contestant builds and runs once, and its memory is recorded. Returns the number of runs in a turn. */
async function warmUp(field: Field, { reference, minRuns = 1 }: Settings): Promise<number> {
  const times = new Map<string, number>();
  for (const runner of [...field.runners]) {
    await field.try(runner, async ({ build, run, memory }) => {
      await build();
      const first = await run(1);
      const peak = memory()?.peak;
      if (peak !== undefined) field.note(runner.name, { peakMemory: peak });
      times.set(runner.name, first > LONGEST_TURN ? first : await run(3));
    });
  }
  const time = times.get(reference) ?? Math.min(...times.values());
  const runs = Math.max(Math.round(TURN / time), Math.min(minRuns, Math.floor(LONGEST_TURN / time)));
  return Math.max(1, Math.min(MAX_RUNS, runs));
}

/** Removes contestants that failed or whose numbers are wrong. */
function without({ kind, times }: Measurement, failed: readonly string[]): Measurement {
  return { kind, times: Object.fromEntries(Object.entries(times).filter(([name]) => !failed.includes(name))) };
}

/** The contestants, and their results so far. */
class Field implements AsyncDisposable {
  readonly runners: Runner[] = [];
  readonly #results = new Map<string, ContestantResult>();
  readonly #turns = new Map<string, number>();

  readonly kinds: readonly Kind[];

  constructor(readonly settings: Settings) {
    this.kinds = settings.kinds ?? COMPARED;
  }

  /** The results of all contestants. */
  results(): ContestantResult[] {
    return [...this.#results.values()];
  }

  /** Adds facts to a result. */
  note(name: string, facts: Partial<ContestantResult>): void {
    this.#results.set(name, { ...this.#results.get(name)!, ...facts });
  }

  /** Starts a contestant; if that fails, its result says why. */
  async admit(name: string, start: () => Promise<ContestantProcess>): Promise<void> {
    this.settings.signal?.throwIfAborted();
    try {
      const process = await start();
      this.#results.set(name, { name, engine: process.engine, success: 0 });
      this.runners.push({ name, process });
    } catch (error) {
      this.#results.set(name, { name, problem: `did not start: ${firstLine(error)}`, success: 0 });
    }
  }

  /** Runs an action of a contestant; if it fails, the contestant drops out. */
  async try<T>(runner: Runner, act: (process: ContestantProcess) => Promise<T>): Promise<T | undefined> {
    try {
      return await act(runner.process);
    } catch (error) {
      const problem = firstLine(error);
      this.note(runner.name, { problem, ...(problem.startsWith(WRONG_NUMBERS) ? { success: 0 } : {}) });
      this.runners.splice(this.runners.indexOf(runner), 1);
      await runner.process[Symbol.asyncDispose]();
      return undefined;
    } finally {
      this.settings.signal?.throwIfAborted(); // An interrupted contestant must not count as one that failed.
    }
  }

  /** Counts a successful turn. */
  countTurn(name: string): void {
    const turns = (this.#turns.get(name) ?? 0) + 1;
    this.#turns.set(name, turns);
    this.note(name, { success: turns / (this.settings.rounds * this.kinds.length) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.runners) await process[Symbol.asyncDispose]();
  }
}

/**
 * In each round, all contestants run once; each round starts with a different one. One round before the first is not
 * counted.
 */
async function measureKind(field: Field, kind: Kind, runs: number, settings: Settings): Promise<Measurement> {
  const { rounds, progress } = settings;
  const times: Record<string, number[]> = {};
  for (let round = 0; round <= rounds; round++) {
    progress(`${kind}, round ${round} of ${rounds}`);
    for (const runner of rotate(field.runners, round)) {
      const time = await field.try(runner, (process) => KINDS[kind](process, runs));
      if (time === undefined || round === 0) continue;
      (times[runner.name] ??= []).push(time);
      field.countTurn(runner.name);
    }
  }
  return { kind, times };
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** Checks all outputs with the suite's check, and compares them with the reference's output. */
async function checkOutputs(field: Field, suite: Suite, folder: string, reference: string): Promise<void> {
  const outputs = new Map<string, Float32Array>();
  for (const runner of [...field.runners]) {
    await field.try(runner, async ({ output, run }) => {
      await run(1);
      const values = await output(join(folder, `${runner.name}.bin`));
      outputs.set(runner.name, values);
      checkValues(suite, values);
    });
  }
  const expected = outputs.get(reference);
  for (const [name, values] of outputs) {
    if (expected) field.note(name, { maxError: maxError(values, expected) });
  }
}

function checkValues(suite: Suite, values: Float32Array): void {
  try {
    suite.check(values);
  } catch (error) {
    throw new Error(`${WRONG_NUMBERS}: ${firstLine(error)}`, { cause: error });
  }
}

/** The largest absolute difference; NaN if only one side has a NaN, or lengths differ. */
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
