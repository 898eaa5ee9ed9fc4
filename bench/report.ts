/**
 * The side-by-side report: this module and its baselines do the same work in turns, in processes of their own. The
 * contestants are described in report/contestants.ts, what they are told in baselines/protocol.ts.
 *
 * @module
 */
import { basename, join } from "node:path";
import { deviceNamed } from "../support/devices.ts";
import { namesIn, positiveInteger, runProgram, showProgress, writeFile } from "../support/program.ts";
import { spreadOf } from "../support/statistics.ts";
import { measureColdStart, NODE } from "./report/cold_start.ts";
import { compareReports, comparisonSection } from "./report/compare.ts";
import { contestants, REFERENCE, takesPart, WEBNN, WEBNN_ON_CPU } from "./report/contestants.ts";
import type { BuilderRate, Report } from "./report/figures.ts";
import { writeHtml } from "./report/html.ts";
import { writeDetails, writeSummary } from "./report/markdown.ts";
import { measureSuite } from "./report/measure.ts";
import {
  commandOf,
  DEFAULT_SUITES,
  describeMachine,
  GROUP_NAMES,
  INTERRUPTED,
  interruptible,
  SUITE_NAMES,
  suitesIn,
  toJson,
  whyNot,
} from "./report/setup.ts";
import { measureBuilder } from "./support/builder_throughput.ts";
import { LARGE, type SuiteEntry } from "./support/suites.ts";

const TASK = "bench:report";
const BASELINES = contestants.map(({ name }) => name).filter((name) => name !== WEBNN);

const HELP = `Measures this module beside others, all doing the same work in turns.

Usage: deno task ${TASK} [options]

  --device NAME      cpu, webgpu, openvino, ggml, or another provider that devices() lists, such as cuda (cpu)
  --threads N[,N]    numbers of threads (1)
  --suite NAME,...   ${GROUP_NAMES.join(", ")}, or one of them (all but ${LARGE}):
                     ${SUITE_NAMES.join(", ")}
  --against NAME,... ${BASELINES.join(", ")} (all that can
                     run on the device; ${WEBNN_ON_CPU} is this module on the CPU, beside another device)
  --rounds N         how often everybody has a turn at each measurement (15)
  --output-dir DIR   writes performance.md (a summary), .json and .html (all of it) there; without it, the summary to standard output
  --baseline FILE    compares with an earlier performance.json; what became slower beyond the noise makes status 1
  --help             this text

Ratios are to c, or to the first of those named by --against. Let nothing else run on the machine meanwhile: the report notes its load.
A suite that cannot be measured makes status 1.`;

const OPTIONS = {
  string: ["device", "threads", "suite", "against", "rounds", "output-dir", "baseline"],
  default: { device: "cpu", threads: "1", suite: DEFAULT_SUITES, rounds: "15" },
} as const;

/** What the command line asks for. */
interface Plan {
  readonly device: string;
  readonly threads: readonly number[];
  readonly suites: readonly SuiteEntry[];
  readonly against: readonly string[];
  readonly rounds: number;
}

if (import.meta.main) {
  await runProgram(TASK, HELP, OPTIONS, async ({ device, threads, suite, against, rounds, ...files }) => {
    const { missing } = deviceNamed(device);
    if (missing !== undefined) throw new Error(`--device ${device} is ${missing}`);
    const plan: Plan = {
      device,
      threads: threads.split(",").map((text) => positiveInteger(text, "--threads")),
      suites: suitesIn(suite),
      against: namesIn(against ?? baselinesOn(device), BASELINES, "--against"),
      rounds: positiveInteger(rounds, "--rounds"),
    };
    return await reportOn(plan, files["output-dir"], files.baseline);
  });
}

/** Measures, writes the report, and answers the status of the program. */
async function reportOn(plan: Plan, folder: string | undefined, baseline: string | undefined): Promise<number> {
  const before = baseline === undefined ? undefined : JSON.parse(await Deno.readTextFile(baseline)) as Report;
  const report = await interruptible((signal) => measure(plan, signal));
  if (report === undefined) return INTERRUPTED;
  const changes = before ? compareReports(before, report) : [];
  const comparison = before ? comparisonSection(changes, basename(baseline!)) : [];
  await writeReport(report, writeSummary(report, comparison), folder);
  const slower = changes.filter(({ verdict }) => verdict === "slower");
  for (const { suite, threads, kind } of slower) console.error(`slower: ${suite}, ${kind}, threads: ${threads}`);
  for (const reason of report.skipped) console.error(reason);
  return slower.length + report.skipped.length > 0 ? 1 : 0;
}

/** Who is measured beside this module on a device if nobody is named. */
function baselinesOn(device: string): string {
  return contestants.filter((contestant) => contestant.name !== WEBNN && takesPart(contestant, device))
    .map(({ name }) => name).join();
}

async function measure(plan: Plan, signal: AbortSignal): Promise<Report> {
  const { device, rounds } = plan;
  const machine = describeMachine();
  const field = contestants.filter(({ name }) => name === WEBNN || plan.against.includes(name));
  const reference = plan.against.includes(REFERENCE) ? REFERENCE : plan.against[0]!;
  showProgress("builder");
  const builder = await builderRates(rounds);
  const coldStart = await coldStarts(plan, signal);
  const results = [];
  for (const threads of plan.threads) {
    for (const { name: suite, missing } of plan.suites) {
      if (missing !== undefined) continue;
      const progress = (step: string) => showProgress(`${suite}, threads: ${threads}, ${step}`);
      const what = { suite, threads, device, rounds, contestants: field, reference };
      results.push(await measureSuite({ ...what, signal, progress }));
    }
  }
  return {
    command: commandOf(TASK),
    machine,
    device,
    rounds,
    reference,
    contestants: field.map(({ name, title, reads }) => ({ name, title, reads })),
    skipped: whyNot(plan.suites),
    builder,
    coldStart,
    suites: results,
  };
}

/** Of MobileNetV2 on the CPU beside onnxruntime-node, if all three were asked for. */
async function coldStarts({ against, device, rounds, suites }: Plan, signal: AbortSignal) {
  const hasNetwork = suites.some(({ name, missing }) => name === "mobilenetv2" && missing === undefined);
  const isAskedFor = hasNetwork && device === "cpu" && against.includes(NODE);
  return isAskedFor ? await measureColdStart(rounds, showProgress, signal) : [];
}

async function builderRates(rounds: number): Promise<BuilderRate[]> {
  const sizes = [1000, 10_000];
  const rates = await measureBuilder(sizes, rounds);
  return sizes.map((operators, i) => ({ operators, perSecond: spreadOf(rates[i]!) }));
}

async function writeReport(report: Report, summary: string, folder: string | undefined): Promise<void> {
  if (folder === undefined) return console.log(summary);
  await writeFile(join(folder, "performance.md"), summary);
  await writeFile(join(folder, "performance.json"), toJson(report));
  await writeFile(join(folder, "performance.html"), await writeHtml(report, `${summary}\n${writeDetails(report)}`));
}
