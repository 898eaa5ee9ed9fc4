/**
 * The side-by-side report: this module and its baselines do the same work in turns, in processes of their own. The
 * contestants are described in report/contestants.ts, what they are told in baselines/protocol.ts.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { contestants, REFERENCE, WEBNN } from "./report/contestants.ts";
import { type Machine, type Report, writeMarkdown } from "./report/markdown.ts";
import { measureSuite } from "./report/measure.ts";
import { suites } from "./support/suites.ts";

const BASELINES = contestants.map(({ name }) => name).filter((name) => name !== WEBNN);
const SUITES = suites.map(({ name }) => name);

const HELP = `Measures this module beside others, all doing the same work in turns.

Usage: deno task bench:report [options]

  --threads N[,N]    numbers of threads (1)
  --suite NAME,...   ${SUITES.join(", ")} (all)
  --against NAME,... ${BASELINES.join(", ")} (all)
  --rounds N         how often everybody has a turn at each measurement (15)
  --output-dir DIR   writes performance.md and performance.json there; without it, Markdown to standard output
  --help             this text

Ratios are to c, or to the first of those named by --against. Let nothing else run on the machine meanwhile: the report notes its load.`;

/** What the command line asks for. */
interface Options {
  readonly threads: readonly number[];
  readonly suites: readonly string[];
  readonly against: readonly string[];
  readonly rounds: number;
  readonly outputDir: string | undefined;
}

if (import.meta.main) await main(Deno.args);

async function main(args: readonly string[]): Promise<void> {
  if (args.includes("--help")) return console.log(HELP);
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\nSee --help.`);
    Deno.exitCode = 2;
    return;
  }
  await writeReport(await measure(options, args), options.outputDir);
}

/** Throws if the command line makes no sense. */
function readOptions(args: readonly string[]): Options {
  const parsed = parseArgs(args, {
    string: ["threads", "suite", "against", "rounds", "output-dir", "_"],
    default: { threads: "1", suite: SUITES.join(), against: BASELINES.join(), rounds: "15" },
    unknown: (arg) => {
      throw new Error(`There is no option ${arg}.`);
    },
  });
  return {
    threads: parsed.threads.split(",").map((text) => positiveInteger(text, "--threads")),
    suites: known(parsed.suite, SUITES, "--suite"),
    against: known(parsed.against, BASELINES, "--against"),
    rounds: positiveInteger(parsed.rounds, "--rounds"),
    outputDir: parsed["output-dir"],
  };
}

function positiveInteger(text: string, option: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${option} must be a positive integer, not ${JSON.stringify(text)}.`);
  return Number(text);
}

function known(list: string, names: readonly string[], option: string): string[] {
  const chosen = list.split(",");
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`${option} knows ${names.join(", ")}, but not ${JSON.stringify(unknown)}.`);
  }
  return names.filter((name) => chosen.includes(name));
}

async function measure(options: Options, args: readonly string[]): Promise<Report> {
  const machine = describeMachine();
  const field = contestants.filter(({ name }) => name === WEBNN || options.against.includes(name));
  const reference = options.against.includes(REFERENCE) ? REFERENCE : options.against[0]!;
  const asked = suites.filter(({ name }) => options.suites.includes(name));
  const results = [];
  for (const threads of options.threads) {
    for (const { name: suite, missing } of asked) {
      if (missing !== undefined) continue;
      const progress = (step: string) => showProgress(`${suite}, threads: ${threads}, ${step}`);
      const { rounds } = options;
      results.push(await measureSuite({ suite, threads, rounds, contestants: field, reference, progress }));
    }
  }
  showProgress("");
  return {
    command: ["deno task bench:report", ...args].join(" "),
    machine,
    rounds: options.rounds,
    reference,
    contestants: field.map(({ name, title, reads }) => ({ name, title, reads })),
    skipped: asked.map(({ missing }) => missing).filter((missing) => missing !== undefined),
    suites: results,
  };
}

function describeMachine(): Machine {
  return {
    system: `${Deno.build.target}, ${Deno.osRelease()}`,
    cpu: cpus()[0]!.model,
    cores: navigator.hardwareConcurrency,
    deno: Deno.version.deno,
    load: loadavg()[0]!,
  };
}

async function writeReport(report: Report, outputDir: string | undefined): Promise<void> {
  const markdown = writeMarkdown(report);
  if (outputDir === undefined) return console.log(markdown);
  await Deno.mkdir(outputDir, { recursive: true });
  await Deno.writeTextFile(join(outputDir, "performance.md"), markdown);
  await Deno.writeTextFile(join(outputDir, "performance.json"), JSON.stringify(report, null, 2) + "\n");
}

/** One line that is written over again. */
function showProgress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}
