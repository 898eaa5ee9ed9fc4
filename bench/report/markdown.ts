/**
 * The report as Markdown: a summary for users of the module, and all measurements for its developers.
 *
 * @module
 */
import { spreadOf } from "../../support/statistics.ts";
import { describeRun, type Work } from "../support/work.ts";
import { type ColdStart, coldStartTable } from "./cold_start.ts";
import { absentees, WEBNN } from "./contestants.ts";
import {
  BASE,
  formatMegabytes,
  formatRatio,
  formatTime,
  memoryOverBase,
  plural,
  ratioOf,
  type Report,
  table,
} from "./figures.ts";
import { goalTable } from "./goals.ts";
import type { ContestantResult, Kind, Measurement, SuiteResult } from "./measure.ts";

/** The summary shows the builds of graphs with at least this many operators. */
const NETWORK_OPERATORS = 20;

/** The summary shows the memory of graphs with at least this many bytes of weights. */
const NETWORK_BYTES = 1e6;

/** The page for users of the module. `comparison` is the section about an earlier report. */
export function writeSummary(report: Report, comparison: readonly string[] = []): string {
  const { command, machine, device, rounds, reference, contestants, skipped, suites, builder, coldStart } = report;
  return [
    "# Performance",
    `${machine.cpu}, ${machine.cores} hardware threads, ${machine.system}, Deno ${machine.deno}; device: ${device}. ` +
    `Load before the start: ${machine.load.toFixed(2)}.`,
    `Written by \`${command}\`. Each of the ${rounds} rounds measures all contestants in turn, and starts with ` +
    "a different one. A figure is a median, followed by the range of the middle half of the rounds. A ratio compares " +
    "two times of the same round, so other load on the machine affects both.",
    "## Runs",
    `The time of a run (dispatch and read) of ${WEBNN}, and each contestant's time divided by that of ${reference}: ` +
    "less is better. ONNX Runtime's telemetry is off in all of them.",
    runTable(report),
    "## Builds",
    `Graphs with at least ${NETWORK_OPERATORS} operators. For "build, cached", ${WEBNN} has the graph in its compile ` +
    'cache; the others have no cache and build as for "build".',
    ratioTable(report, BUILDS, ({ work }) => work.operators >= NETWORK_OPERATORS),
    "## Memory",
    `Graphs with at least ${formatMegabytes(NETWORK_BYTES)} of weights: the peak memory of a process that builds and ` +
    `runs the graph, minus that of a process that runs the suite ${BASE}; ratios to ${reference}. It is not measured ` +
    "for contestants with several processes.",
    memoryTable(report, ({ work }) => work.weightBytes >= NETWORK_BYTES),
    ...builder.map(({ operators, perSecond: { median, p25, p75 } }) =>
      `The builder adds ${thousands(median)} operators per second (${thousands(p25)} – ${thousands(p75)}) to a graph ` +
      `of ${thousands(operators)}.`
    ),
    ...coldStartSection(coldStart),
    ...comparison,
    ...(device === "cpu" ? ["## Goals", goalTable(report)] : []), // The goals are for the CPU.
    ...problems(suites),
    ...skipped.map((reason) => `Not measured: ${reason}`),
    "## Contestants",
    table(["name", "what", "how an output is read"], contestants.map(({ name, title, reads }) => [name, title, reads])),
    ...absentees(contestants.map(({ name }) => name)).map(({ name, reason }) =>
      `**${name}** does not take part: ${reason}.`
    ),
  ].join("\n\n") + "\n";
}

/** All measurements, by kind and by suite. */
export function writeDetails(report: Report): string {
  const { reference, suites } = report;
  return [
    ...winners(report),
    "## Ratios",
    `Time divided by that of ${reference}.`,
    ratioTable(report),
    "## Memory of all",
    memoryTable(report),
    ...suites.flatMap((result) => suiteSection(result, reference)),
  ].join("\n\n") + "\n";
}

const BUILDS: readonly Kind[] = ["build", "build, cached"];

function runTable(report: Report): string {
  const { suites, contestants, reference } = report;
  const others = contestants.map(({ name }) => name).filter((name) => name !== reference);
  const rows = suites.flatMap(({ suite, threads, measurements }) => {
    const measurement = measurements.find(({ kind }) => kind === "dispatch + read");
    if (measurement === undefined) return [];
    const own = measurement.times[WEBNN];
    const time = own === undefined ? "" : formatTime(spreadOf(own).median);
    return [[
      suite,
      String(threads),
      time,
      ...others.map((name) => formatRatio(ratioOf(measurement, name, reference))),
    ]];
  });
  return table(["suite", "threads", "time", ...others], rows);
}

function ratioTable(
  { suites, contestants, reference }: Report,
  kinds?: readonly Kind[],
  isShown: (result: SuiteResult) => boolean = () => true,
): string {
  const others = contestants.map(({ name }) => name).filter((name) => name !== reference);
  const rows = suites.filter(isShown).flatMap(({ suite, threads, measurements }) =>
    measurements.filter(({ kind }) => kinds?.includes(kind) ?? true).map((measurement) => [
      suite,
      measurement.kind,
      String(threads),
      ...others.map((name) => formatRatio(ratioOf(measurement, name, reference))),
    ])
  );
  return table(["suite", "work", "threads", ...others], rows);
}

function coldStartSection(coldStart: readonly ColdStart[]): string[] {
  if (coldStart.length === 0) return [];
  return [
    "## Cold start",
    "From the start of a Deno process to the first result of MobileNetV2, with the files in the system's cache.",
    coldStartTable(coldStart),
  ];
}

function memoryTable(report: Report, isShown: (result: SuiteResult) => boolean = () => true): string {
  const { suites, contestants, reference } = report;
  const rows = suites.filter((result) => result.suite !== BASE && isShown(result)).map((result) => {
    const own = memoryOverBase(report, result, reference);
    const cells = contestants.map(({ name }) => {
      const bytes = memoryOverBase(report, result, name);
      if (bytes === undefined) return "";
      return own === undefined ? formatMegabytes(bytes) : `**${(bytes / own).toFixed(2)}**, ${formatMegabytes(bytes)}`;
    });
    return [result.suite, String(result.threads), ...cells];
  });
  return table(["suite", "threads", ...contestants.map(({ name }) => name)], rows);
}

/** The contestants that were faster than the reference at warm runs in three of four rounds. */
function winners({ suites, contestants, reference }: Report): string[] {
  const rows = suites.flatMap(({ suite, threads, measurements }) =>
    measurements.flatMap((measurement) =>
      contestants.flatMap(({ name }) => {
        const ratio = ratioOf(measurement, name, reference);
        if (measurement.kind !== "dispatch + read" || ratio === undefined || ratio.p75 >= 1) return [];
        return [[name, suite, String(threads), formatRatio(ratio)]];
      })
    )
  );
  if (rows.length === 0) return [];
  return [
    `## Faster than ${reference}`,
    "Contestants that were faster at dispatch + read in three of four rounds: the first numbers to look into.",
    table(["contestant", "suite", "threads", `÷ ${reference}`], rows),
  ];
}

/** The problems of contestants, one line each. */
export function problems(suites: readonly SuiteResult[]): string[] {
  const places = new Map<string, string[]>(); // A problem with the same text is one line.
  for (const { suite, threads, contestants } of suites) {
    for (const { name, problem } of contestants) {
      if (problem === undefined) continue;
      const key = `**${name}**: ${problem}`;
      places.set(key, [...places.get(key) ?? [], `${suite} (${plural(threads, "thread")})`]);
    }
  }
  return [...places].map(([problem, where]) =>
    where.length === suites.length ? problem : `${problem}. In ${where.join(", ")}.`
  );
}

function suiteSection(
  { suite, threads, work, runs, contestants, measurements }: SuiteResult,
  reference: string,
): string[] {
  const weights = work.weightBytes > 0 ? `, ${(work.weightBytes / 1e6).toFixed(1)} MB of weights` : "";
  return [
    `## ${suite}, ${plural(threads, "thread")}`,
    `${plural(work.operators, "operator")}${weights}; a run is ${describeRun(work)}. ${plural(runs, "run")} a turn.`,
    ...measurements.flatMap((measurement) => [
      `### ${measurement.kind}`,
      timeTable(measurement, contestants, work, reference),
    ]),
  ];
}

function timeTable(
  measurement: Measurement,
  contestants: readonly ContestantResult[],
  work: Work,
  reference: string,
): string {
  const rows = contestants.map(({ name, engine, maxError, peakMemory, success }) => {
    const last = [formatMegabytes(peakMemory), maxError === undefined ? "" : formatError(maxError), percent(success)];
    const times = measurement.times[name];
    if (times === undefined) return [name, "", "", "", "", "", "", ...last];
    const spread = spreadOf(times);
    return [
      `${name} (${engine})`,
      formatRatio(ratioOf(measurement, name, reference)),
      formatTime(spread.median),
      `${formatTime(spread.p25)} – ${formatTime(spread.p75)}`,
      ...rates(measurement.kind, spread.median, work),
      ...last,
    ];
  });
  const columns = ["time", "middle half", "per second", "GFLOP/s", "GB/s", "peak memory", "max error", "success"];
  return table(["contestant", `÷ ${reference}`, ...columns], rows);
}

/** Runs, GFLOP and GB per second; the last two only for runs with a noticeable amount of work. */
function rates(kind: Kind, milliseconds: number, { flop, bytes }: Work): string[] {
  const rate = 1000 / milliseconds;
  const giga = (amount: number) =>
    kind.startsWith("build") || amount < 1000 ? "" : (amount * rate / 1e9).toPrecision(3);
  return [thousands(rate), giga(flop), giga(bytes)];
}

function formatError(error: number): string {
  return error === 0 ? "0" : error.toExponential(1);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString("en");
}
