/**
 * The side-by-side report: this module and its baselines do the same work in turn, in separate processes. See
 * report/contestants.ts for the contestants and baselines/protocol.ts for the protocol.
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
  LISTED_NAMES,
  missingReasons,
  suitesIn,
  toJson,
} from "./report/setup.ts";
import { measureBuilder } from "./support/builder_throughput.ts";
import { LARGE, SEEDS, type SuiteEntry } from "./support/suites.ts";

const TASK = "bench:report";
const BASELINES = contestants.map(({ name }) => name).filter((name) => name !== WEBNN);

const HELP = `Measures this module and other engines, which do the same work in turn.

Usage: deno task ${TASK} [options]

  --device NAME      cpu, webgpu, openvino, ggml, or another provider that devices() lists, such as cuda (cpu)
  --threads N[,N]    numbers of threads to measure (1)
  --suite NAME,...   ${
  GROUP_NAMES.join(", ")
}, or suites by name (all but ${LARGE}, and ${SEEDS}, the suites of bench:seeds):
                     ${LISTED_NAMES.join(", ")}
  --against NAME,... ${BASELINES.join(", ")} (all that
                     support the device; ${WEBNN_ON_CPU} is this module on the CPU)
  --rounds N         turns of each measurement (15)
  --output-dir DIR   write performance.md (a summary), .json and .html (everything) there; without it, print the summary
  --baseline FILE    compare with an earlier performance.json; status 1 if something is slower beyond the noise
  --help             print this text

Ratios are to c, or to the first engine of --against. Run nothing else on the machine: the report notes its load. Exits
with status 1 if a suite cannot be measured.`;

const OPTIONS = {
  string: ["device", "threads", "suite", "against", "rounds", "output-dir", "baseline"],
  default: { device: "cpu", threads: "1", suite: DEFAULT_SUITES, rounds: "15" },
} as const;

/** The measurement that the options request. */
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

/** Measures, writes the report, and returns the exit status. */
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

/** The default baselines on a device. */
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
    skipped: missingReasons(plan.suites),
    builder,
    coldStart,
    suites: results,
  };
}

/** The cold start of MobileNetV2, if the network, the CPU and onnxruntime-node were all requested. */
async function coldStarts({ against, device, rounds, suites }: Plan, signal: AbortSignal) {
  const hasNetwork = suites.some(({ name, missing }) => name === "mobilenetv2" && missing === undefined);
  const isRequested = hasNetwork && device === "cpu" && against.includes(NODE);
  return isRequested ? await measureColdStart(rounds, showProgress, signal) : [];
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
