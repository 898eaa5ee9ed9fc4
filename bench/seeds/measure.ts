/**
 * Measures the seeds: this module and PyTorch in turn, in two processes that open one suite after the other.
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
import { type MachineLimits, measureLimits, TRIAD } from "./machine.ts";
import { RUNS, type Seed } from "./seed.ts";
import { LARGEST_ADD } from "./tensors.ts";

/** The name of the contestant to compare with. */
export const PEER = "pytorch";
/** The suite with one element, whose time is the latency. */
export const LATENCY = "trivial";

/** A report in the format of bench:report, with the limits of the machine. */
export interface SeedsReport extends Report {
  readonly limits: readonly MachineLimits[];
  /** The numbers of threads for seeds without their own. */
  readonly threads: readonly number[];
}

/** What to measure. */
export interface Plan {
  readonly task: string;
  readonly seeds: readonly Seed[];
  readonly threads: readonly number[];
  readonly rounds: number;
}

/** A suite, and what to measure of it. */
export interface Job {
  readonly suite: string;
  readonly threads: number;
  readonly kinds: readonly Kind[];
  /** Whether it gets its own processes, so that their memory can be measured. */
  readonly isAlone: boolean;
  readonly rounds: number;
}

/** The minimum number of runs per measurement, so that the read at the end has little effect on the time per run. */
const LEAST_RUNS = 20;
/** The number of rounds for seeds that take long. */
const LONG_ROUNDS = 3;

/** The suites to run: each once per number of threads, even if several categories use it. */
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

/** The job whose time is the latency, and whose memory is the base that is subtracted from others. */
function latencyJob(threads: number, rounds: number): Job {
  return { suite: LATENCY, threads, kinds: [RUNS], isAlone: true, rounds };
}

/** The contestants of a suite: this module, the peer with its own functions, and for one suite STREAM's triad. */
function contestantsOf(suite: string): Contestant[] {
  const members = all.filter(({ name }) => name === WEBNN || name === PEER).map((contestant): Contestant => {
    if (contestant.name === WEBNN) return contestant;
    const title = "eager PyTorch with its usual functions; NumPy for decompositions";
    return { ...contestant, title, prepare: () => pythonProgram("peers_contestant.py") };
  });
  return suite === LARGEST_ADD ? [...members, TRIAD] : members;
}

/** Measures the whole plan. If the signal is aborted, rejects after all processes have ended. */
export async function measureSeeds(
  plan: Plan,
  signal: AbortSignal,
  progress: (step: string) => void,
): Promise<SeedsReport> {
  const machine = describeMachine();
  const missing = new Map(suites.map((entry) => [entry.name, entry.missing]));
  const jobs = jobsOf(plan);
  const [results, limits, skipped]: [SuiteResult[], MachineLimits[], string[]] = [[], [], []];
  for (const threads of new Set(jobs.map((job) => job.threads))) {
    progress(`the limits of the machine, threads: ${threads}`);
    await measureLimits(threads).then(
      (measured) => limits.push(measured),
      (error) => skipped.push(`the limits of the machine: ${error.message}`),
    );
    await using pool = openPool();
    for (const [i, job] of jobs.entries()) {
      if (job.threads !== threads) continue;
      const reason = missing.get(job.suite);
      if (reason !== undefined) skipped.push(reason);
      else {
        const onStep = (step: string) =>
          progress(`${i + 1} of ${jobs.length}: ${job.suite}, threads: ${threads}, ${step}`);
        const start = job.isAlone ? startContestant : pool.start;
        const settings = {
          ...job,
          device: "cpu",
          contestants: contestantsOf(job.suite),
          reference: PEER,
          start,
          signal,
          minRuns: LEAST_RUNS,
        };
        await measureSuite({ ...settings, progress: onStep }).then((result) => results.push(result), (error) => {
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
    contestants: contestantsOf(LARGEST_ADD).map(({ name, title, reads }) => ({ name, title, reads })),
    skipped: [...new Set(skipped)],
    builder: [],
    coldStart: [],
    suites: results,
    limits,
    threads: plan.threads,
  };
}

/** Starts contestants, and reuses the processes of those that can open another suite. Dispose it to end them. */
function openPool(): AsyncDisposable & { readonly start: typeof startContestant } {
  const processes = new Map<string, LineProcess>();
  const take = async (
    command: readonly string[],
    { suite, folder, ...rest }: Parameters<typeof startContestant>[1],
  ) => {
    const key = command.join(" ");
    const running = processes.get(key);
    processes.delete(key); // `dispose` puts it back if the suite did not fail.
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
