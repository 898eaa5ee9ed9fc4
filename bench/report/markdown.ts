/**
 * The report as a page of Markdown: ratios first.
 *
 * @module
 */
import { type Spread, spreadOf } from "../support/statistics.ts";
import { describeRun, type Work } from "../support/work.ts";
import type { Contestant } from "./contestants.ts";
import type { ContestantResult, Kind, Measurement, SuiteResult } from "./measure.ts";

/** All that a report tells. The JSON file holds this. */
export interface Report {
  readonly command: string;
  readonly machine: Machine;
  readonly rounds: number;
  /** The name of the contestant that ratios are to. */
  readonly reference: string;
  readonly contestants: readonly Pick<Contestant, "name" | "title" | "reads">[];
  /** Suites that were asked for and could not be measured, with the reason. */
  readonly skipped: readonly string[];
  readonly suites: readonly SuiteResult[];
}

/** Where the report was made. */
export interface Machine {
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  readonly deno: string;
  /** Programs that were ready to run, on the average of a minute, before the report began. */
  readonly load: number;
}

/** The quotients of the times of a round and those of the reference in the same round; `undefined` without either. */
export function ratioOf({ times }: Measurement, contestant: string, reference: string): Spread | undefined {
  const own = times[contestant];
  const others = times[reference];
  return own && others && spreadOf(own.map((time, round) => time / others[round]!));
}

/** The whole page. */
export function writeMarkdown(report: Report): string {
  const { command, machine, rounds, reference, contestants, skipped, suites } = report;
  return [
    "# Performance",
    `Written by \`${command}\`: ${rounds} rounds, in each of which everybody did the same in turn, beginning with ` +
    "another one each time. Times are medians, and the range in which the middle half of the rounds lies. Ratios are " +
    "medians of the quotients of the two times of a round: what disturbs the machine disturbs both.",
    `${machine.cpu}, ${machine.cores} threads of hardware, ${machine.system}, Deno ${machine.deno}. ` +
    `Load before the start: ${machine.load.toFixed(2)}.`,
    "## Ratios",
    `Time divided by that of ${reference}; less is better.`,
    ratioTable(report),
    ...winners(report),
    "## Contestants",
    table(["name", "what", "how an output is read"], contestants.map(({ name, title, reads }) => [name, title, reads])),
    ...problems(suites),
    ...skipped.map((reason) => `Not measured: ${reason}`),
    ...suites.flatMap((result) => suiteSection(result, reference)),
  ].join("\n\n") + "\n";
}

function ratioTable({ suites, contestants, reference }: Report): string {
  const others = contestants.map(({ name }) => name).filter((name) => name !== reference);
  const rows = suites.flatMap(({ suite, threads, measurements }) =>
    measurements.map((measurement) => [
      suite,
      measurement.kind,
      String(threads),
      ...others.map((name) => formatRatio(ratioOf(measurement, name, reference))),
    ])
  );
  return table(["suite", "work", "threads", ...others], rows);
}

/** Whoever was faster than the reference in three rounds of four: the first numbers to look into. */
function winners({ suites, contestants, reference }: Report): string[] {
  return suites.flatMap(({ suite, threads, measurements }) =>
    measurements.flatMap((measurement) =>
      contestants.flatMap(({ name }) => {
        const ratio = ratioOf(measurement, name, reference);
        if (ratio === undefined || ratio.p75 >= 1) return [];
        const work = `${suite}, ${measurement.kind}, ${plural(threads, "thread")}`;
        return [`**${name} was faster than ${reference}**: ${work}, ${ratio.median.toFixed(3)}.`];
      })
    )
  );
}

function problems(suites: readonly SuiteResult[]): string[] {
  return suites.flatMap(({ suite, threads, contestants }) =>
    contestants.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [`**${name}**, ${suite}, ${plural(threads, "thread")}: ${problem}`]
    )
  );
}

function suiteSection({ suite, threads, work, contestants, measurements }: SuiteResult, reference: string): string[] {
  const weights = work.weightBytes > 0 ? `, ${(work.weightBytes / 1e6).toFixed(1)} MB of weights` : "";
  return [
    `## ${suite}, ${plural(threads, "thread")}`,
    `${plural(work.operators, "operator")}${weights}; a run is ${describeRun(work)}.`,
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
  const rows = contestants.flatMap(({ name, engine, maxError }) => {
    const times = measurement.times[name];
    if (times === undefined) return [];
    const spread = spreadOf(times);
    return [[
      `${name} (${engine})`,
      formatRatio(ratioOf(measurement, name, reference)),
      formatTime(spread.median),
      `${formatTime(spread.p25)} – ${formatTime(spread.p75)}`,
      ...rates(measurement.kind, spread.median, work),
      maxError === undefined ? "" : formatError(maxError),
    ]];
  });
  const columns = ["time", "middle half", "per second", "GFLOP/s", "GB/s", "max error"];
  return table(["contestant", `÷ ${reference}`, ...columns], rows);
}

/** How often a second, and how much of the work of a run a second, unless that is next to nothing. */
function rates(kind: Kind, milliseconds: number, { flop, bytes }: Work): string[] {
  const rate = 1000 / milliseconds;
  const giga = (amount: number) => kind === "build" || amount < 1000 ? "" : (amount * rate / 1e9).toPrecision(3);
  return [Math.round(rate).toLocaleString("en"), giga(flop), giga(bytes)];
}

function formatRatio(ratio: Spread | undefined): string {
  return ratio === undefined
    ? ""
    : `**${ratio.median.toFixed(3)}** (${ratio.p25.toFixed(3)} – ${ratio.p75.toFixed(3)})`;
}

function formatTime(milliseconds: number): string {
  return milliseconds < 0.1 ? `${(milliseconds * 1000).toPrecision(3)} µs` : `${milliseconds.toPrecision(3)} ms`;
}

function formatError(error: number): string {
  return error === 0 ? "0" : error.toExponential(1);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
