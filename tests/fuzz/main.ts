/**
 * `deno task fuzz [--seed S] [--count N] [--calls N] [--minutes M]`: random graphs against the reference, and hostile
 * calls. Exits with 1 if anything went wrong.
 *
 * @module
 */

import { createContext } from "../../mod.ts";
import { type Ending, runChild } from "../../support/child.ts";
import { runProgram } from "../../support/program.ts";
import { callProgram } from "./arena.ts";
import type { Batch, Failure, Message } from "./batch.ts";
import { shrink, withoutSteps } from "./graphs.ts";
import { randomProgram, sourceOf, type Types, typesOf } from "./programs.ts";

const HELP = `Compares random graphs with the reference, and makes hostile calls.

Usage: deno task fuzz [options]

  --seed S     the first seed; the time of day by default
  --count N    how many random graphs to compare with the reference (10000)
  --calls N    how many hostile calls to make (100000)
  --minutes M  stop after so many minutes
  --help       show this text

A failing seed is shrunk and printed as a program. To repeat one: --seed S --count 1 --calls 0, or --count 0 --calls 1.`;

type Kind = Batch["kind"];

/** How much is done in one process. */
const BATCH: Readonly<Record<Kind, number>> = { graphs: 250, calls: 5000 };

/** What a run is to do. */
export interface Plan extends Readonly<Record<Kind, number>> {
  readonly seed: number;
  readonly minutes?: number;
}

/** The program of a batch's process. */
const BATCH_PROGRAM = new URL("batch.ts", import.meta.url);

/** What a run has done. */
export interface Outcome {
  readonly tallies: Readonly<Record<Kind, Record<string, number>>>;
  readonly failures: Failure[];
}

/** Runs the batches of a plan, those of graphs and of calls in turn. */
export async function fuzz(
  plan: Plan,
  progress: (text: string) => void = () => {},
  program: URL = BATCH_PROGRAM,
): Promise<Outcome> {
  const outcome: Outcome = { tallies: { graphs: {}, calls: {} }, failures: [] };
  const done = { graphs: 0, calls: 0 };
  let shown = 0;
  const start = performance.now();
  const isLate = () => performance.now() - start > (plan.minutes ?? Infinity) * 60_000;
  while ((done.graphs < plan.graphs || done.calls < plan.calls) && !isLate()) {
    for (const kind of ["graphs", "calls"] as const) {
      const count = Math.min(BATCH[kind], plan[kind] - done[kind]);
      if (count <= 0) continue;
      await runBatch(program, { kind, from: plan.seed + done[kind], count, removed: [] }, outcome);
      done[kind] += count;
    }
    const seconds = Math.round((performance.now() - start) / 1000);
    const counts = `${done.graphs}/${plan.graphs} graphs, ${done.calls}/${plan.calls} calls`;
    for (const { seed, text, source } of outcome.failures.slice(shown)) {
      progress(`\nFAILED, seed ${seed}: ${text}\n\n${source}\n`);
    }
    shown = outcome.failures.length;
    progress(`fuzz: ${counts}, ${shown} failures, ${seconds} s`);
  }
  return outcome;
}

/** Runs consecutive seeds in a process of their own; after one that ends it, in another one. */
async function runBatch(program: URL, batch: Batch, outcome: Outcome): Promise<void> {
  const { kind, from, count } = batch;
  const tally = outcome.tallies[kind];
  const ending = await runProcess(program, batch);
  const lines = ending.stdout.split("\n").filter((line) => line.startsWith("{"));
  let last = from;
  let isComplete = false;
  for (const message of lines.map((line) => JSON.parse(line) as Message)) {
    if ("started" in message) last = message.started;
    else if ("failure" in message) outcome.failures.push(message.failure);
    else {
      isComplete = true;
      for (const [name, value] of Object.entries(message.tally)) tally[name] = (tally[name] ?? 0) + value;
    }
  }
  if (isComplete && ending.code === 0) return;
  outcome.failures.push(await crashOf(program, kind, last, ending));
  const rest = from + count - last - 1;
  if (rest > 0) await runBatch(program, { ...batch, from: last + 1, count: rest }, outcome);
}

function runProcess(program: URL, { kind, from, count, removed }: Batch): Promise<Ending> {
  const flags = ["--allow-ffi", "--allow-read", "--allow-env", "--allow-run"];
  return runChild(program, [kind, `${from}`, `${count}`, removed.join()], flags);
}

/** A seed that ended its process, with the smallest program that does. */
async function crashOf(program: URL, kind: Kind, from: number, { code, signal, stderr }: Ending): Promise<Failure> {
  const text = `the process was ended by ${signal ?? `code ${code}`} ${stderr.trim().slice(-1000)}`.trimEnd();
  const types = await supportedTypes();
  if (kind === "calls") return { seed: from, text, source: callProgram(from, types) };
  const whole = randomProgram(from, types);
  const crashes = async (removed: readonly number[]) =>
    (await runProcess(program, { kind, from, count: 1, removed })).code !== 0;
  return { seed: from, text, source: sourceOf(withoutSteps(whole, await shrink(whole, crashes))) };
}

async function supportedTypes(): Promise<Types> {
  const context = await createContext({ device: "cpu", threads: 1 });
  try {
    return typesOf(context);
  } finally {
    context.destroy();
  }
}

/** What was done, in words. */
export function summary({ tallies: { graphs, calls }, failures }: Outcome): string {
  const share = (part = 0, whole = 0) => `${(100 * part / Math.max(whole, 1)).toFixed(1)} %`;
  return [
    `${graphs.graphs ?? 0} graphs of ${graphs.operators ?? 0} operators:`,
    `  operator by operator: ${graphs.elements ?? 0} elements compared with the reference, ` +
    `${share(graphs.undefinedElements, graphs.elements)} of them left out (undefined, a tie, or near a jump)`,
    `  without intermediate outputs: ${graphs.outputs ?? 0} elements, ${share(graphs.exactOutputs, graphs.outputs)} ` +
    `bit for bit, ${share(graphs.uncertainOutputs, graphs.outputs)} left out (near a jump, or too uncertain)`,
    `${calls.calls ?? 0} hostile calls: ${calls.returned ?? 0} returned, ${calls.typeErrors ?? 0} TypeErrors, ` +
    `${calls.domExceptions ?? 0} DOMExceptions, ${calls.own ?? 0} values of the caller's own, ` +
    `${calls.exhausted ?? 0} without stack; ${calls.checks ?? 0} times all was well afterwards`,
    `${failures.length} failures`,
  ].join("\n");
}

const OPTIONS = {
  string: ["seed", "count", "calls", "minutes"],
  default: { seed: `${Date.now() % 1e9}`, count: "10000", calls: "100000", minutes: "Infinity" },
} as const;

if (import.meta.main) {
  await runProgram("fuzz", HELP, OPTIONS, async (args) => {
    const [seed, graphs, calls, minutes] = [args.seed, args.count, args.calls, args.minutes].map(Number);
    if ([seed, graphs, calls, minutes].some(Number.isNaN)) {
      throw new Error("--seed, --count, --calls and --minutes take numbers");
    }
    console.log(`fuzz: seed ${seed}`);
    const plan = { seed: seed!, graphs: graphs!, calls: calls!, minutes: minutes! };
    const outcome = await fuzz(plan, console.log);
    console.log(summary(outcome));
    return outcome.failures.length === 0 ? 0 : 1;
  });
}
