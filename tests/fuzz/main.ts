/**
 * `deno task fuzz`: compares random graphs with the reference, makes hostile calls, and tests formulas that engines may
 * wrongly fuse. Exits with status 1 if anything failed.
 *
 * @module
 */

import { createContext } from "../../mod.ts";
import { type Ending, runChild } from "../../support/child.ts";
import { runProgram } from "../../support/program.ts";
import { callProgram } from "./arena.ts";
import { type Batch, batchArguments, type Failure, KINDS, type Message } from "./batch.ts";
import { combinationProgram } from "./combinations/program.ts";
import { shrink, withoutSteps } from "./graphs.ts";
import { randomProgram, sourceOf, type Types, typesOf } from "./programs.ts";

const HELP =
  `Compares random graphs with the reference, and makes hostile calls. With --combinations, it instead tests whether
operators in one graph have the same results as in graphs of their own.

Usage: deno task fuzz [options]

  --seed S         the first seed; the time of day by default
  --count N        the number of random graphs (10000)
  --calls N        the number of hostile calls (100000)
  --combinations   test --count graphs of several operators against the operators one by one, and nothing else
  --device D       with --combinations: a device of the tests, or a provider that devices() lists
  --optimizer O    with --combinations: turns on an optimiser of ONNX Runtime that is off, to find its faults
  --minutes M      stop after this number of minutes
  --help           print this text

The program of a failing seed is reduced and printed. To repeat it, use --seed S with --count 1 --calls 0, --count 0
--calls 1, or --combinations --count 1.`;

type Kind = Batch["kind"];

/** The number of seeds in one process. */
const BATCH: Readonly<Record<Kind, number>> = { graphs: 250, calls: 5000, combinations: 250 };
/** With `--device`: some devices take up to a second to compile a graph. */
const DEVICE_BATCH = 50;

/** The work of a run. */
export interface Plan extends Partial<Readonly<Record<Kind, number>>>, Pick<Batch, "device" | "optimizer"> {
  readonly seed: number;
  readonly minutes?: number;
}

/** The program of a batch's process. */
const BATCH_PROGRAM = new URL("batch.ts", import.meta.url);

/** The results of a run. */
export interface Outcome {
  readonly tallies: Readonly<Record<Kind, Record<string, number>>>;
  readonly failures: Failure[];
}

/** Runs the batches of a plan, each kind in its turn. */
export async function fuzz(
  plan: Plan,
  progress: (text: string) => void = () => {},
  program: URL = BATCH_PROGRAM,
): Promise<Outcome> {
  const { seed, device, optimizer } = plan;
  const outcome: Outcome = { tallies: { graphs: {}, calls: {}, combinations: {} }, failures: [] };
  const kinds = KINDS.filter((kind) => plan[kind]);
  const done = { graphs: 0, calls: 0, combinations: 0 };
  let shown = 0;
  const start = performance.now();
  const isLate = () => performance.now() - start > (plan.minutes ?? Infinity) * 60_000;
  while (kinds.some((kind) => done[kind] < plan[kind]!) && !isLate()) {
    for (const kind of kinds) {
      const count = Math.min(device ? DEVICE_BATCH : BATCH[kind], plan[kind]! - done[kind]);
      if (count <= 0) continue;
      const batch = { kind, from: seed + done[kind], count, removed: [] };
      await runBatch(program, { ...batch, ...device && { device }, ...optimizer && { optimizer } }, outcome);
      done[kind] += count;
    }
    const seconds = Math.round((performance.now() - start) / 1000);
    const counts = kinds.map((kind) => `${done[kind]}/${plan[kind]} ${kind}`).join(", ");
    for (const failure of outcome.failures.slice(shown)) progress(describe(failure));
    shown = outcome.failures.length;
    progress(`fuzz: ${counts}, ${newFailures(outcome).length} failures, ${seconds} s`);
  }
  return outcome;
}

function describe({ seed, text, source, known }: Failure): string {
  return known === undefined ? `\nFAILED, seed ${seed}: ${text}\n\n${source}\n` : `known fault, seed ${seed}: ${known}`;
}

/** The failures that are not known faults of a device. */
function newFailures({ failures }: Outcome): readonly Failure[] {
  return failures.filter(({ known }) => known === undefined);
}

/** Runs consecutive seeds in a process. After a crash, the rest runs in another process. */
async function runBatch(program: URL, batch: Batch, outcome: Outcome): Promise<void> {
  const { kind, from, count } = batch;
  const tally = outcome.tallies[kind];
  const ending = await runProcess(program, batch);
  const lines = ending.stdout.split("\n").filter((line) => line.startsWith("{"));
  let last: number | undefined;
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
  if (last === undefined) throw new Error(`a batch did not start: ${ending.stderr}`);
  outcome.failures.push(await crashOf(program, { ...batch, from: last, count: 1 }, ending));
  const rest = from + count - last - 1;
  if (rest > 0) await runBatch(program, { ...batch, from: last + 1, count: rest }, outcome);
}

function runProcess(program: URL, batch: Batch): Promise<Ending> {
  // A device may need any files of the machine.
  const flags = batch.device ? ["--allow-all"] : ["--allow-ffi", "--allow-read", "--allow-env", "--allow-run"];
  return runChild(program, batchArguments(batch), flags);
}

/** The failure of a seed that crashed its process, with the smallest program that does the same. */
async function crashOf(program: URL, batch: Batch, { code, signal, stderr }: Ending): Promise<Failure> {
  const { kind, from } = batch;
  const text = `the process was ended by ${signal ?? `code ${code}`} ${stderr.trim().slice(-1000)}`.trimEnd();
  if (kind === "calls") return { seed: from, text, source: callProgram(from, await supportedTypes()) };
  const whole = kind === "combinations" ? combinationProgram(from) : randomProgram(from, await supportedTypes());
  const crashes = async (removed: readonly number[]) => (await runProcess(program, { ...batch, removed })).code !== 0;
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

/** A text about the results. */
export function summary(outcome: Outcome): string {
  const { tallies, failures } = outcome;
  const lines = KINDS.filter((kind) => Object.keys(tallies[kind]).length > 0).map((kind) =>
    SUMMARIES[kind](tallies[kind])
  );
  const reasons = failures.flatMap(({ known }) => known ?? []);
  const known = [...new Set(reasons)].map((reason) =>
    `${reasons.filter((other) => other === reason).length} times a known fault: ${reason}`
  );
  return [...lines, ...known, `${newFailures(outcome).length} failures`].join("\n");
}

type Tally = Readonly<Record<string, number>>;

function share(part = 0, whole = 0): string {
  return `${(100 * part / Math.max(whole, 1)).toFixed(1)} %`;
}

const SUMMARIES: Readonly<Record<Kind, (tally: Tally) => string>> = {
  graphs: (graphs) =>
    [
      `${graphs.graphs} graphs of ${graphs.operators} operators:`,
      `  operator by operator: ${graphs.elements} elements compared with the reference, ` +
      `${share(graphs.undefinedElements, graphs.elements)} of them left out (undefined, a tie, or near a jump)`,
      `  without intermediate outputs: ${graphs.outputs} elements, ${share(graphs.exactOutputs, graphs.outputs)} ` +
      `bit for bit, ${share(graphs.uncertainOutputs, graphs.outputs)} left out (near a jump, or too uncertain)`,
    ].join("\n"),
  calls: (calls) =>
    `${calls.calls} hostile calls: ${calls.returned} returned, ${calls.typeErrors} TypeErrors, ` +
    `${calls.domExceptions} DOMExceptions, ${calls.own} values of the caller, ` +
    `${calls.exhausted} stack overflows; all objects were checked ${calls.checks} times`,
  combinations: ({ graphs, operators, elements, inspected, skippedElements }) =>
    `${graphs} graphs of formulas, ${operators} operators: ${elements} elements compared with float64; in ${inspected} ` +
    `graphs also with the operators alone, ${share(skippedElements, elements)} left out (near a jump, or undefined)`,
};

const OPTIONS = {
  string: ["seed", "count", "calls", "minutes", "device", "optimizer"],
  boolean: ["combinations"],
  default: { seed: `${Date.now() % 1e9}`, count: "10000", calls: "100000", minutes: "Infinity" },
} as const;

if (import.meta.main) {
  await runProgram("fuzz", HELP, OPTIONS, async ({ combinations, device, optimizer, ...numbers }) => {
    const [seed, count, calls, minutes] = [numbers.seed, numbers.count, numbers.calls, numbers.minutes].map(Number);
    if ([seed, count, calls, minutes].some(Number.isNaN)) {
      throw new Error("--seed, --count, --calls and --minutes must be numbers");
    }
    if (!combinations && (device ?? optimizer) !== undefined) {
      throw new Error("--device and --optimizer need --combinations");
    }
    console.log(`fuzz: seed ${seed}`);
    const limits = { seed: seed!, minutes: minutes! };
    const outcome = await fuzz(
      combinations
        ? { ...limits, combinations: count!, ...device && { device }, ...optimizer && { optimizer } }
        : { ...limits, graphs: count!, calls: calls! },
      console.log,
    );
    console.log(summary(outcome));
    return newFailures(outcome).length === 0 ? 0 : 1;
  });
}
