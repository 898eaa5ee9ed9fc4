/**
 * The side-by-side report: this module and its baselines do the same work in turns, in processes of their own. The
 * contestants are described in report/contestants.ts, what they are told in baselines/protocol.ts.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { cpus, loadavg } from "node:os";
import { basename, join } from "node:path";
import { measureColdStart, NODE } from "./report/cold_start.ts";
import { compareReports, comparisonSection } from "./report/compare.ts";
import { contestants, REFERENCE, takesPart, WEBNN, WEBNN_ON_CPU } from "./report/contestants.ts";
import { measureCoreML } from "./report/coreml.ts";
import { writeCoreMLMarkdown } from "./report/coreml_markdown.ts";
import type { BuilderRate, Machine, Report } from "./report/figures.ts";
import { writeHtml } from "./report/html.ts";
import { writeMarkdown } from "./report/markdown.ts";
import { measureSuite } from "./report/measure.ts";
import { measureBuilder } from "./support/builder_throughput.ts";
import { spreadOf } from "./support/statistics.ts";
import { LARGE, suites } from "./support/suites.ts";
import { deviceNamed } from "../tests/support/devices.ts";

const BASELINES = contestants.map(({ name }) => name).filter((name) => name !== WEBNN);
const SUITES = suites.map(({ name }) => name);
const COREML = "coreml";
const DEFAULT_SUITES = suites.filter(({ group }) => group !== LARGE).map(({ name }) => name);
const GROUPS = [...new Set(suites.map(({ group }) => group))];

const HELP = `Measures this module beside others, all doing the same work in turns.

Usage: deno task bench:report [options]

  --device NAME      cpu, webgpu, openvino, ggml, or another provider that devices() lists, such as cuda (cpu);
                     ${COREML}: Core ML with each power preference beside the CPU, in a report of its own; where there is
                     no macOS, on the fake framework and without figures
  --threads N[,N]    numbers of threads (1)
  --suite NAME,...   ${GROUPS.join(", ")}, or one of them (all but ${LARGE}):
                     ${SUITES.join(", ")}
  --against NAME,... ${BASELINES.join(", ")} (all that can
                     run on the device; ${WEBNN_ON_CPU} is this module on the CPU, beside another device)
  --rounds N         how often everybody has a turn at each measurement (15)
  --output-dir DIR   writes performance.md, .json and .html there; without it, Markdown to standard output
  --baseline FILE    compares with an earlier performance.json; what became slower beyond the noise makes status 1
  --help             this text

Ratios are to c, or to the first of those named by --against. Let nothing else run on the machine meanwhile: the report notes its load.`;

/** What the command line asks for. */
interface Options {
  readonly device: string;
  readonly threads: readonly number[];
  readonly suites: readonly string[];
  readonly against: readonly string[];
  readonly rounds: number;
  readonly outputDir: string | undefined;
  readonly baseline: string | undefined;
}

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
  if (options.device === COREML) return await reportCoreML(options, args);
  const before = options.baseline && JSON.parse(await Deno.readTextFile(options.baseline)) as Report;
  const report = await interruptible((signal) => measure(options, args, signal));
  if (report === undefined) return;
  const changes = before ? compareReports(before, report) : [];
  const comparison = before ? comparisonSection(changes, basename(options.baseline!)) : [];
  await writeReport(report, writeMarkdown(report, comparison), options.outputDir);
  const slower = changes.filter(({ verdict }) => verdict === "slower");
  for (const { suite, threads, kind } of slower) console.error(`slower: ${suite}, ${kind}, threads: ${threads}`);
  if (slower.length > 0) Deno.exitCode = 1;
}

/** Core ML has contestants and steps of its own. */
async function reportCoreML({ suites: names, rounds, outputDir }: Options, args: readonly string[]): Promise<void> {
  const asked = suites.filter(({ name }) => names.includes(name));
  const what = { command: commandOf(args), machine: describeMachine(), suites: asked, rounds, progress: showProgress };
  const report = await interruptible((signal) => measureCoreML({ ...what, signal }));
  if (report === undefined) return;
  const markdown = writeCoreMLMarkdown(report);
  if (outputDir === undefined) console.log(markdown);
  else await writeFiles(outputDir, { "performance_coreml.md": markdown, "performance_coreml.json": toJson(report) });
  if (report.suites.some(({ results }) => results.some(({ problem }) => problem !== undefined))) Deno.exitCode = 1;
}

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** Ctrl-C, or a plain kill, lets the work clear away what it has begun; the answer is then `undefined`. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of SIGNALS) Deno.addSignalListener(signal, abort);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    Deno.exitCode = 130;
    return undefined;
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, abort);
    showProgress("");
  }
}

/** Throws if the command line makes no sense. */
function readOptions(args: readonly string[]): Options {
  const parsed = parseArgs(args, {
    string: ["device", "threads", "suite", "against", "rounds", "output-dir", "baseline", "_"],
    default: { device: "cpu", threads: "1", suite: DEFAULT_SUITES.join(), rounds: "15" },
    unknown: (arg) => {
      throw new Error(`There is no option ${arg}.`);
    },
  });
  const { missing } = deviceNamed(parsed.device);
  if (missing !== undefined) throw new Error(`--device ${parsed.device} is ${missing}.`);
  const { against = baselinesOn(parsed.device) } = parsed;
  return {
    device: parsed.device,
    threads: parsed.threads.split(",").map((text) => positiveInteger(text, "--threads")),
    suites: known(withoutGroups(parsed.suite), SUITES, "--suite"),
    against: known(against, BASELINES, "--against"),
    rounds: positiveInteger(parsed.rounds, "--rounds"),
    outputDir: parsed["output-dir"],
    baseline: parsed.baseline,
  };
}

/** Who is measured beside this module on a device if nobody is named. */
function baselinesOn(device: string): string {
  return contestants.filter((contestant) => contestant.name !== WEBNN && takesPart(contestant, device))
    .map(({ name }) => name).join();
}

/** Names the suites of a group instead of the group. */
function withoutGroups(list: string): string {
  return list.split(",").flatMap((name) => {
    const members = suites.filter(({ group }) => group === name).map((suite) => suite.name);
    return members.length > 0 ? members : [name];
  }).join();
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

async function measure(options: Options, args: readonly string[], signal: AbortSignal): Promise<Report> {
  const machine = describeMachine();
  const field = contestants.filter(({ name }) => name === WEBNN || options.against.includes(name));
  const reference = options.against.includes(REFERENCE) ? REFERENCE : options.against[0]!;
  const asked = suites.filter(({ name }) => options.suites.includes(name));
  showProgress("builder");
  const builder = await builderRates(options.rounds);
  const coldStart = await coldStarts(options, signal);
  const results = [];
  for (const threads of options.threads) {
    for (const { name: suite, missing } of asked) {
      if (missing !== undefined) continue;
      const progress = (step: string) => showProgress(`${suite}, threads: ${threads}, ${step}`);
      const { device, rounds } = options;
      const what = { suite, threads, device, rounds, contestants: field, reference };
      results.push(await measureSuite({ ...what, signal, progress }));
    }
  }
  return {
    command: commandOf(args),
    machine,
    device: options.device,
    rounds: options.rounds,
    reference,
    contestants: field.map(({ name, title, reads }) => ({ name, title, reads })),
    skipped: asked.map(({ missing }) => missing).filter((missing) => missing !== undefined),
    builder,
    coldStart,
    suites: results,
  };
}

/** Of MobileNetV2 on the CPU beside onnxruntime-node, if all three were asked for. */
async function coldStarts({ against, device, rounds, suites: asked }: Options, signal: AbortSignal) {
  const isPossible = suites.some(({ name, missing }) => name === "mobilenetv2" && missing === undefined);
  const isAskedFor = device === "cpu" && asked.includes("mobilenetv2") && against.includes(NODE);
  return isAskedFor && isPossible ? await measureColdStart(rounds, showProgress, signal) : [];
}

async function builderRates(rounds: number): Promise<BuilderRate[]> {
  const sizes = [1000, 10_000];
  const rates = await measureBuilder(sizes, rounds);
  return sizes.map((operators, i) => ({ operators, perSecond: spreadOf(rates[i]!) }));
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

function commandOf(args: readonly string[]): string {
  return ["deno task bench:report", ...args].join(" ");
}

async function writeReport(report: Report, markdown: string, outputDir: string | undefined): Promise<void> {
  if (outputDir === undefined) return console.log(markdown);
  await writeFiles(outputDir, {
    "performance.md": markdown,
    "performance.json": toJson(report),
    "performance.html": await writeHtml(report, markdown),
  });
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), text);
}

function toJson(report: unknown): string {
  return JSON.stringify(report, null, 2) + "\n";
}

/** One line that is written over again. */
function showProgress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

if (import.meta.main) await main(Deno.args);
