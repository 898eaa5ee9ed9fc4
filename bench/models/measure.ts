/**
 * Measures one model: the contestants load and run it in turn.
 *
 * @module
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { median } from "../../support/statistics.ts";
import { type LineProcess, startProcess } from "../report/line_process.ts";
import type { Contestant, Job, OutputFile } from "./engine.ts";
import { fetchModel } from "./fetch.ts";
import { encodeInput, errorOf } from "./encoded.ts";
import type { Model } from "./model.ts";

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));
/** The job file, in the contestants' folder. */
const JOB = "job.json";

/** How many bursts of runs each contestant does per round. */
const BURSTS = 3;
/** The target duration of a burst, in milliseconds: hundreds of runs of a short model, at least one of a slow one. */
const BURST_TIME = 100;
/** The pause before a burst or a load: threads of the engine before may spin for about 30 milliseconds after its last run. */
const PAUSE = 50;

/** A measurement. */
export interface Task {
  readonly model: Model;
  readonly contestants: readonly Contestant[];
  /** The contestant whose outputs the others are compared with. */
  readonly reference: string;
  readonly threads: number;
  readonly rounds: number;
  /** Whether contestants keep their processes for all rounds, and load the model only once. */
  readonly runsOnly: boolean;
  readonly signal: AbortSignal;
  progress(step: string): void;
}

/** The results of a contestant. Times are in milliseconds; memory is in bytes, above that of the process before. */
export interface Result {
  readonly contestant: string;
  readonly engine: string;
  /** The reason why it did not finish. */
  readonly failed?: string;
  /** The first load of a process, one per round. */
  readonly loads: readonly number[];
  /** The run after that load, one per round. */
  readonly firsts: readonly number[];
  /** The second load of the same process, one per round. */
  readonly reloads: readonly number[];
  /** The median run of each burst: {@linkcode BURSTS} per round. */
  readonly runs: readonly number[];
  /** The peak during the first load and run. */
  readonly peak?: number;
  /** The memory after the first load and run. */
  readonly after?: number;
  /** The largest difference from the reference's outputs, relative to the largest magnitude in that output. */
  readonly error?: number;
}

/** The results of a model. */
export interface ModelResult {
  readonly model: string;
  readonly task: string;
  readonly data: string;
  /** The size of its file, in bytes. */
  readonly size: number;
  readonly results: readonly Result[];
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly number[] ? number[] : T[Key] };

/** A contestant that has not failed yet. */
interface Player {
  readonly process: LineProcess;
  readonly result: Mutable<Result>;
  /** Whether the engine runs in another process. */
  readonly isElsewhere: boolean;
  /** The number of runs in a burst. */
  count: number;
}

/** Downloads the model, and measures it. */
export async function measureModel(task: Task): Promise<ModelResult> {
  const { model, contestants, threads, progress } = task;
  progress("fetching");
  const file = await fetchModel(model);
  const inputs = (await model.inputs(join(file, ".."))).map(encodeInput);
  const job: Job = { file, threads, dimensions: model.dimensions, inputs };
  const results = contestants.map(({ name }): Mutable<Result> => ({
    contestant: name,
    engine: "",
    loads: [],
    firsts: [],
    reloads: [],
    runs: [],
  }));
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, JOB), JSON.stringify(job));
    await playRounds(task, results, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return { model: model.name, task: model.task, data: model.data, size: (await Deno.stat(file)).size, results };
}

/** Plays all rounds, each with new processes unless only runs are measured. */
async function playRounds(task: Task, results: readonly Mutable<Result>[], folder: string): Promise<void> {
  const { rounds, runsOnly, reference, signal, progress } = task;
  let players: readonly Player[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted();
      progress(`round ${round + 1} of ${rounds}`);
      if (round === 0 || !runsOnly) {
        await endAll(players);
        players = await startAll(results, join(folder, JOB));
      }
      await playRound(players, round, runsOnly);
      if (round === 0) await compareOutputs(players, reference, folder);
    }
    signal.throwIfAborted(); // An interrupt also ends the contestants' processes, which must not count as failures.
  } finally {
    await endAll(players);
  }
}

/** Starts a process for each contestant that has not failed, one after the other. */
async function startAll(results: readonly Mutable<Result>[], job: string): Promise<Player[]> {
  const players: Player[] = [];
  for (const result of results) {
    if (result.failed !== undefined) continue;
    await attempt(result, async () => void players.push(await startPlayer(result, job)));
  }
  return players;
}

async function startPlayer(result: Mutable<Result>, job: string): Promise<Player> {
  const args = ["run", "--quiet", "--no-check", "-A", CHILD, result.contestant, job];
  const process = await startProcess([Deno.execPath(), ...args]);
  const { engine, isElsewhere = false } = process.greeting as { engine: string; isElsewhere?: boolean };
  result.engine = engine;
  return { process, result, isElsewhere, count: 1 };
}

async function endAll(players: readonly Player[]): Promise<void> {
  for (const { process } of players) await process[Symbol.asyncDispose]();
}

/**
 * In turn, each contestant loads and runs once; then they run in bursts; then they load again. If only runs are
 * measured, they load in the first round only, and not again. Each round starts with a different contestant.
 */
async function playRound(players: readonly Player[], round: number, runsOnly: boolean): Promise<void> {
  const order = players.map((_, i) => players[(i + round) % players.length]!);
  const inTurn = async (work: (player: Player) => Promise<void>) => {
    for (const player of order) {
      if (player.result.failed === undefined) await attempt(player.result, () => work(player));
    }
  };
  if (round === 0 || !runsOnly) {
    await inTurn((player) => loadAndRun(player, round === 0));
    await inTurn(chooseCount);
  }
  for (let burst = 0; burst < BURSTS; burst++) await inTurn(runBurst);
  if (!runsOnly) await inTurn(loadAgain);
}

async function loadAndRun({ process, result, isElsewhere }: Player, isFirst: boolean): Promise<void> {
  await delay(PAUSE);
  const measuresMemory = isFirst && !isElsewhere;
  const before = process.memory();
  if (measuresMemory) process.resetPeak();
  result.loads.push(await ask<number>(process, "load"));
  result.firsts.push((await ask<number[]>(process, "run 1"))[0]!);
  const memory = process.memory();
  if (!measuresMemory || !before || !memory) return;
  result.peak = memory.peak - before.resident;
  result.after = memory.resident - before.resident;
}

/** Runs a few times without recording the times. */
async function chooseCount(player: Player): Promise<void> {
  const time = median(await ask<number[]>(player.process, "run 3"));
  player.count = Math.max(Math.ceil(BURST_TIME / time), 1);
}

async function runBurst({ process, result, count }: Player): Promise<void> {
  await delay(PAUSE);
  result.runs.push(median(await ask<number[]>(process, `run ${count}`)));
}

async function loadAgain({ process, result }: Player): Promise<void> {
  await delay(PAUSE);
  result.reloads.push(await ask<number>(process, "load"));
}

async function compareOutputs(players: readonly Player[], name: string, folder: string): Promise<void> {
  const reference = players.find(({ result }) => result.contestant === name && result.failed === undefined);
  if (!reference) return;
  const expected = await outputsOf(reference, folder);
  for (const player of players) {
    if (player === reference || player.result.failed !== undefined) continue;
    await attempt(player.result, async () => {
      player.result.error = errorOf(await outputsOf(player, folder), expected);
    });
  }
}

async function outputsOf({ process }: Player, folder: string): Promise<OutputFile> {
  const file = join(folder, "output.json");
  await process.ask(`output ${file}`);
  return JSON.parse(await Deno.readTextFile(file));
}

async function ask<T extends number | number[]>(process: LineProcess, command: string): Promise<T> {
  const { milliseconds, error } = await process.ask(command) as { milliseconds: T; error?: string };
  if (error !== undefined) throw new Error(error);
  return milliseconds;
}

/** Records the failure of a contestant; the others continue. */
async function attempt(result: Mutable<Result>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const [line = ""] = (error instanceof Error ? error.message : String(error)).trim().split("\n");
    result.failed = line || "the process ended";
  }
}
