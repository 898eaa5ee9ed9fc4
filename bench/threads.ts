/**
 * Measures the effect of threads: networks on one and two threads that spin, spin and stop, or sleep; on an idle
 * machine and with one busy core; on the calling thread and in nonblocking calls; with a shared pool and with a pool
 * per graph. Prints Markdown.
 *
 * @module
 */
import type { Pointer } from "../ffi/memory.ts";
import { addConfiguration, createSessionOptions } from "../src/backends/onnxruntime/session_options.ts";
import type { OrtRuntime } from "../src/backends/onnxruntime/runtime.ts";
import { type CapturedGraph, captureGraph } from "./support/capture.ts";
import { namesIn, positiveInteger, runProgram } from "../support/program.ts";
import { keepCoreBusy } from "./support/busy_core.ts";
import { createRawEngine, type RawEngine, type RawSession } from "./support/raw_engine.ts";
import { median } from "../support/statistics.ts";
import { loadSuite, suites } from "./support/suites.ts";
import "@webnn/deno/polyfill";

const HELP =
  `Measures networks on one and two threads, with each kind of thread pool, on an idle machine and with one busy core.

Usage: deno task bench:threads [options]

  --suite NAME,...  networks (simple,mobilenetv2)
  --rounds N        turns of each measurement (9)
  --help            print this text`;

/** What idle threads of a session do. */
const SPINNING = {
  "spin, stop after the run": {},
  "spin": { "session.force_spinning_stop": "0" },
  "sleep": { "session.force_spinning_stop": "0", "session.intra_op.allow_spinning": "0" },
};
/** Runs of a turn; the first ones, which wake the threads, do not count. */
const RUNS = 8;
const WAKING_RUNS = 2;
/** The number of graphs in a program with many. */
const GRAPHS = 50;

/** A network with one setting of threads. */
interface Variant {
  readonly threads: number;
  readonly pool: string;
  readonly spinning: string;
  readonly session: RawSession;
}

type Run = (session: RawSession) => void | Promise<void>;
const RUN: Readonly<Record<string, Run>> = {
  "calling thread": (session) => session.run(),
  "nonblocking": (session) => session.runAsync(),
};

const OPTIONS = { string: ["suite", "rounds"], default: { suite: "simple,mobilenetv2", rounds: "9" } } as const;

await runProgram("bench:threads", HELP, OPTIONS, async ({ suite, rounds }) => {
  const names = namesIn(suite, suites.map(({ name }) => name), "--suite");
  for (const { missing } of suites.filter(({ name }) => names.includes(name))) if (missing) throw new Error(missing);
  for (const name of names) await study(name, positiveInteger(rounds, "--rounds"));
});

async function study(name: string, rounds: number): Promise<void> {
  const suite = await loadSuite(name);
  const captured = await captureGraph((context) => suite.build(context));
  const engine = (options: Pointer) => createRawEngine(captured, suite.inputs, options);
  console.log(`\n## ${name}\n`);
  await compareVariants(await openVariants(captured, engine), rounds);
  await comparePools(captured, engine, rounds);
}

async function openVariants(
  { runtime }: CapturedGraph,
  engine: (options: Pointer) => Promise<RawEngine>,
): Promise<Variant[]> {
  const open = async (options: Pointer) => bound(await engine(options));
  const variants: Variant[] = [
    { threads: 1, pool: "none", spinning: "", session: await open(ownPool(runtime, 1)) },
    { threads: 2, pool: "shared", spinning: "spin", session: await open(sharedPool(runtime)) },
  ];
  for (const [spinning, entries] of Object.entries(SPINNING)) {
    variants.push({ threads: 2, pool: "own", spinning, session: await open(ownPool(runtime, 2, entries)) });
  }
  return variants;
}

async function compareVariants(variants: readonly Variant[], rounds: number): Promise<void> {
  const columns: { title: string; times: number[] }[] = [];
  for (const busy of [false, true]) {
    await using _ = busy ? keepCoreBusy() : undefined;
    for (const [title, run] of Object.entries(RUN)) {
      columns.push({
        title: `${title}, ${busy ? "one core busy" : "alone"}`,
        times: await measure(variants, run, rounds),
      });
    }
  }
  const titles = ["threads", "pool", "idle threads", ...columns.map(({ title }) => `${title} (ms)`)];
  printRow(titles);
  printRow(titles.map(() => "---"));
  variants.forEach(({ threads, pool, spinning }, i) =>
    printRow([threads, pool, spinning, ...columns.map(({ times }) => times[i]!.toFixed(2))])
  );
  for (const { session } of variants) session.release();
}

/**
 * The median time of a run for each variant. In each round all variants run in turn, with pauses to let threads stop.
 */
async function measure(variants: readonly Variant[], run: Run, rounds: number): Promise<number[]> {
  const times: number[][] = variants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { session }] of variants.entries()) {
      for (let j = 0; j < RUNS; j++) {
        const began = performance.now();
        await run(session);
        if (j >= WAKING_RUNS) times[i]!.push(performance.now() - began);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  return times.map(median);
}

/** Many graphs, and two that run at once, with the shared pool and with a pool per graph. */
async function comparePools(
  { runtime }: CapturedGraph,
  engine: (options: Pointer) => Promise<RawEngine>,
  rounds: number,
): Promise<void> {
  const titles = ["pools", "graphs", "threads of the process", "a run, one graph at a time (ms)", "two at once (ms)"];
  console.log();
  printRow(titles);
  printRow(titles.map(() => "---"));
  for (const [pools, options] of [["shared", sharedPool(runtime)], ["own", ownPool(runtime, 2)]] as const) {
    const rawEngine = await engine(options);
    for (const graphs of [1, GRAPHS]) {
      const sessions = await Promise.all(Array.from({ length: graphs + 1 }, () => bound(rawEngine)));
      const inTurn = await timeEach(rounds, graphs, (i) => sessions[i]!.runAsync());
      const pair = () => Promise.all([sessions[0]!.runAsync(), sessions[1]!.runAsync()]);
      const atOnce = await timeEach(rounds, RUNS, pair);
      printRow([pools, graphs, await countThreads(), inTurn.toFixed(2), atOnce.toFixed(2)]);
      for (const session of sessions) session.release();
    }
  }
}

async function timeEach(rounds: number, count: number, act: (i: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await act(i);
      times.push(performance.now() - began);
    }
  }
  return median(times);
}

async function bound(engine: RawEngine): Promise<RawSession> {
  const session = await engine.createSession();
  session.bind();
  return session;
}

/** Session options for the shared pool, with its number of threads. */
function sharedPool(runtime: OrtRuntime): Pointer {
  return createSessionOptions(runtime, { threads: runtime.poolThreads });
}

function ownPool(runtime: OrtRuntime, threads: number, entries: Record<string, string> = {}): Pointer {
  const options = createSessionOptions({ ...runtime, poolThreads: 0 }, { threads });
  addConfiguration(runtime, options, entries);
  return options;
}

/** The number of threads of this process; empty if the system does not provide it. */
async function countThreads(): Promise<string> {
  try {
    return (await Deno.readTextFile("/proc/self/status")).match(/^Threads:\s*(\d+)/m)?.[1] ?? "";
  } catch {
    return "";
  }
}

function printRow(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(" | ")} |`);
}
