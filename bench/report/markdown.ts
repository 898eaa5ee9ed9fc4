/**
 * The report as Markdown: a summary for users of the module, and all that was measured for those who work on it.
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

/** A graph of so many operators has a row of its own where graphs are built. */
const NETWORK_OPERATORS = 20;

/** A graph of so many bytes of weights has one where memory counts. */
const NETWORK_BYTES = 1e6;

/** What a user of the module wants to know, then the goals; `comparison` is a section of it. */
export function writeSummary(report: Report, comparison: readonly string[] = []): string {
  const { command, machine, device, rounds, reference, contestants, skipped, suites, builder, coldStart } = report;
  return [
    "# Performance",
    `${machine.cpu}, ${machine.cores} threads of hardware, ${machine.system}, Deno ${machine.deno}; device: ${device}. ` +
    `Load before the start: ${machine.load.toFixed(2)}.`,
    `Written by \`${command}\`. Each of its ${rounds} rounds measures all contestants in turn, beginning with another ` +
    "one each time. A figure is a median, and in parentheses the range of the middle half of the rounds. A ratio is " +
    "that of two times of one round: what disturbs the machine disturbs both.",
    "## Runs",
    `The time of a run (dispatch and read) of ${WEBNN}, and the times of all divided by that of ${reference}: less is ` +
    "better. ONNX Runtime's telemetry is off for everybody.",
    runTable(report),
    "## Builds",
    `Graphs of at least ${NETWORK_OPERATORS} operators. For "build, cached" ${WEBNN} has the graph in its compile ` +
    'cache, and the others build as for "build".',
    ratioTable(report, BUILDS, ({ work }) => work.operators >= NETWORK_OPERATORS),
    "## Memory",
    `Graphs of at least ${formatMegabytes(NETWORK_BYTES)} of weights: the peak of the process once it has built the ` +
    `graph and run it, over its peak on the suite ${BASE}; ratios to ${reference}. Contestants of several processes ` +
    "have none.",
    memoryTable(report, ({ work }) => work.weightBytes >= NETWORK_BYTES),
    ...builder.map(({ operators, perSecond: { median, p25, p75 } }) =>
      `The builder takes ${thousands(median)} operators per second (${thousands(p25)} – ${thousands(p75)}), ` +
      `${thousands(operators)} to a graph.`
    ),
    ...coldStartSection(coldStart),
    ...comparison,
    ...(device === "cpu" ? ["## Goals", goalTable(report)] : []), // They are of the CPU.
    ...problems(suites),
    ...skipped.map((reason) => `Not measured: ${reason}`),
    "## Contestants",
    table(["name", "what", "how an output is read"], contestants.map(({ name, title, reads }) => [name, title, reads])),
    ...absentees(contestants.map(({ name }) => name)).map(({ name, reason }) =>
      `**${name}** does not take part: ${reason}.`
    ),
  ].join("\n\n") + "\n";
}

/** All that was measured, kind by kind and suite by suite. */
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

/** The contestants that beat the reference at warm runs in three of four rounds: the first results to look into. */
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

/** What went wrong, a line each. */
export function problems(suites: readonly SuiteResult[]): string[] {
  const places = new Map<string, string[]>(); // One line for a problem that is the same everywhere.
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

/** How often per second, and how much work per second, unless there is almost none. */
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
