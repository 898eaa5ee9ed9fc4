/**
 * Measures the seeds: this module and PyTorch in turn, in two processes that go from suite to suite.
 *
 * @module
 */
import { startContestant, startContestantProcess, talkTo } from "../report/contestant_process.ts";
import { type Contestant, contestants as all, pythonProgram, WEBNN } from "../report/contestants.ts";
import type { Greeting } from "../baselines/protocol.ts";
import type { Report } from "../report/figures.ts";
import type { LineProcess } from "../report/line_process.ts";
import { type Kind, measureSuite, type SuiteResult } from "../report/measure.ts";
import { commandOf, describeMachine } from "../report/setup.ts";
import { suites } from "../support/suites.ts";
import { measureRoof, type Roof, TRIAD } from "./machine.ts";
import { RUNS, type Seed } from "./seed.ts";
import { LARGEST_ADD } from "./tensors.ts";

/** The peer. */
export const PEER = "pytorch";
/** The suite of one element: its time is the latency. */
export const LATENCY = "trivial";

/** A report that bench:report could compare, with the roofs of the machine. */
export interface SeedsReport extends Report {
  readonly roofs: readonly Roof[];
  /** The numbers of threads of all seeds that have none of their own. */
  readonly threads: readonly number[];
}

/** What to measure. */
export interface Plan {
  readonly task: string;
  readonly seeds: readonly Seed[];
  readonly threads: readonly number[];
  readonly rounds: number;
}

/** A suite with all that is measured of it. */
export interface Job {
  readonly suite: string;
  readonly threads: number;
  readonly kinds: readonly Kind[];
  /** Whether its processes run nothing else, so that their memory is its own. */
  readonly isAlone: boolean;
  readonly rounds: number;
}

/** So many that the one read at the end does not count. */
const LEAST_RUNS = 20;
/** More rounds of what takes long would take very long. */
const LONG_ROUNDS = 3;

/** The suites to run; each once for a number of threads, whatever categories it is in. */
export function jobsOf({ seeds, threads, rounds }: Omit<Plan, "task">): Job[] {
  const jobs = new Map<string, Job>();
  for (const count of threads) jobs.set(`${LATENCY} ${count}`, latencyJob(count, rounds));
  for (const seed of seeds) {
    for (const count of seed.threads ?? threads) {
      if (!jobs.has(`${LATENCY} ${count}`)) jobs.set(`${LATENCY} ${count}`, latencyJob(count, rounds));
      const key = `${seed.suite} ${count}`;
      const { kinds = [], isAlone = false } = jobs.get(key) ?? {};
      jobs.set(key, {
        suite: seed.suite,
        threads: count,
        kinds: seed.kind === "memory" ? kinds : [...new Set([...kinds, seed.kind])],
        isAlone: isAlone || seed.kind === "memory",
        rounds: seed.isLong ? Math.min(rounds, LONG_ROUNDS) : rounds,
      });
    }
  }
  return [...jobs.values()].toSorted((a, b) => a.threads - b.threads);
}

/** Its memory is the base of the others'. */
function latencyJob(threads: number, rounds: number): Job {
  return { suite: LATENCY, threads, kinds: [RUNS], isAlone: true, rounds };
}

/** This module, and the peer with calls of its own. */
function field(suite: string): Contestant[] {
  const members = all.filter(({ name }) => name === WEBNN || name === PEER).map((contestant): Contestant => {
    if (contestant.name === WEBNN) return contestant;
    const title = "PyTorch as a person would write it, eager; NumPy for decompositions";
    return { ...contestant, title, prepare: () => pythonProgram("peers_contestant.py") };
  });
  return suite === LARGEST_ADD ? [...members, TRIAD] : members;
}

/** Measures everything. Rejects if the signal is aborted; all processes have ended then. */
export async function measureSeeds(
  plan: Plan,
  signal: AbortSignal,
  progress: (step: string) => void,
): Promise<SeedsReport> {
  const machine = describeMachine();
  const missing = new Map(suites.map((entry) => [entry.name, entry.missing]));
  const jobs = jobsOf(plan);
  const [results, roofs, skipped]: [SuiteResult[], Roof[], string[]] = [[], [], []];
  for (const threads of new Set(jobs.map((job) => job.threads))) {
    progress(`the roofs of the machine, threads: ${threads}`);
    await measureRoof(threads).then((roof) => roofs.push(roof), (error) => skipped.push(`roofs: ${error.message}`));
    await using pool = openPool();
    for (const [i, job] of jobs.entries()) {
      if (job.threads !== threads) continue;
      const reason = missing.get(job.suite);
      if (reason !== undefined) skipped.push(reason);
      else {
        const told = (step: string) =>
          progress(`${i + 1} of ${jobs.length}: ${job.suite}, threads: ${threads}, ${step}`);
        const start = job.isAlone ? startContestant : pool.start;
        const settings = {
          ...job,
          device: "cpu",
          contestants: field(job.suite),
          reference: PEER,
          start,
          signal,
          leastRuns: LEAST_RUNS,
        };
        await measureSuite({ ...settings, progress: told }).then((result) => results.push(result), (error) => {
          signal.throwIfAborted();
          skipped.push(`${job.suite}: ${error.message}`);
        });
      }
    }
  }
  return {
    command: commandOf(plan.task),
    machine,
    device: "cpu",
    rounds: plan.rounds,
    reference: PEER,
    contestants: field(LARGEST_ADD).map(({ name, title, reads }) => ({ name, title, reads })),
    skipped: [...new Set(skipped)],
    builder: [],
    coldStart: [],
    suites: results,
    roofs,
    threads: plan.threads,
  };
}

/** Starts contestants; those that can go over to another suite stay. Dispose it to end them. */
function openPool(): AsyncDisposable & { readonly start: typeof startContestant } {
  const processes = new Map<string, LineProcess>();
  const take = async (
    command: readonly string[],
    { suite, folder, ...rest }: Parameters<typeof startContestant>[1],
  ) => {
    const key = command.join(" ");
    const running = processes.get(key);
    processes.delete(key); // Until it has gone over, it cannot be relied on.
    if (running === undefined) return await startContestantProcess(command, { suite, folder, ...rest });
    await running.ask(`open ${suite} ${folder}`).catch(async (error) => {
      await running[Symbol.asyncDispose]();
      throw error;
    });
    return running;
  };
  return {
    async start(command, job) {
      const process = await take(command, job);
      let hasFailed = false;
      const ask = async (line: string) => {
        try {
          return await process.ask(line);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      };
      const dispose = async () => {
        const stays = !hasFailed && (process.greeting as Greeting).opens;
        if (stays) processes.set(command.join(" "), process);
        else await process[Symbol.asyncDispose]();
      };
      return talkTo({ ...process, ask, [Symbol.asyncDispose]: dispose });
    },
    async [Symbol.asyncDispose]() {
      for (const process of processes.values()) await process[Symbol.asyncDispose]();
    },
  };
}
