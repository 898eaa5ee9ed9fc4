/**
 * The report about the models: its data and its pages.
 *
 * @module
 */
import { type Spread, spreadOf } from "../../support/statistics.ts";
import { formatMegabytes, formatRatio, formatTime, type Machine, table } from "../report/figures.ts";
import type { RatioChart } from "../report/html.ts";
import type { Contestant } from "./engine.ts";
import type { ModelResult, Result } from "./measure.ts";

/** The report, which is also the contents of the JSON file. */
export interface Report {
  readonly command: string;
  readonly machine: Machine;
  readonly threads: number;
  readonly rounds: number;
  /** Whether contestants kept their processes for all rounds, and loaded the model only once. */
  readonly runsOnly: boolean;
  /** The name of the contestant that ratios refer to. */
  readonly reference: string;
  readonly contestants: readonly Pick<Contestant, "name" | "what">[];
  /** Models that are not available, with the reason. */
  readonly skipped: readonly string[];
  readonly models: readonly ModelResult[];
}

/** A measured step. */
type Kind = "loads" | "firsts" | "reloads" | "runs";

/** The steps that have a chart, with its title. */
const CHARTS: readonly (readonly [Kind, string])[] = [["runs", "runs"], ["loads", "loads"], ["reloads", "loads again"]];

/** The page. */
export function writeMarkdown(report: Report): string {
  return [
    "# ONNX models",
    ...tables(report).map((text) => text.replace(/^\*\*(.*)\*\*$/, "## $1")),
    "## Contestants",
    table(
      ["name", "what", "version"],
      report.contestants.map(({ name, what }) => [name, what, versionOf(report, name)]),
    ),
    "## Models",
    table(
      ["model", "task", "inputs", "file"],
      report.models.map(({ model, task, data, size }) => [model, task, data, formatMegabytes(size)]),
    ),
  ].join("\n\n") + "\n";
}

/** The tables, for inclusion in another page. */
export function tables(report: Report): string[] {
  const { command, machine, threads, rounds, runsOnly, reference, skipped } = report;
  const others = report.contestants.map(({ name }) => name).filter((name) => name !== reference);
  const columns = [reference, ...others.map((name) => `${name} ÷`)];
  return [
    `Written by \`${command}\`: ${rounds} rounds on ${threads} thread${
      threads === 1 ? "" : "s"
    }. In each round, each engine ` +
    `${
      runsOnly
        ? "runs the model, in turn, in a process of its own"
        : "loads the model and runs it, in turn, in a new process"
    }. Times are ` +
    `medians; ratios are medians of the ratios to ${reference} in the same turn, with the range of the middle half. ${machine.cpu}, ${machine.cores} ` +
    `hardware threads, ${machine.system}, Deno ${machine.deno}. Load of the machine before the start: ${
      machine.load.toFixed(2)
    }${machine.load > 0.5 ? ": other programs were running, so the times are too long and the ratios unstable" : ""}.`,
    ...skipped.map((reason) => `Not measured: ${reason}`),
    "**Runs**",
    table(["model", ...columns], timeRows(report, others, "runs")),
    ...runsOnly ? [] : [
      "**Loads**",
      "The first load of a process; its start, and that of the engine, are not included. The importer builds models " +
      "with unnamed dimensions at the first input: only the next table includes that.",
      table(["model", ...columns], timeRows(report, others, "loads")),
      "**Loads with the first run**",
      table(["model", ...columns], timeRows(report, others, "loads", "firsts")),
      "**Loads again**",
      "The second load of the same process, after it released the model: what a server that reloads its models sees.",
      table(["model", ...columns], timeRows(report, others, "reloads")),
    ],
    "**Memory**",
    "The peak while the model was loaded and first run, and the memory afterwards, both above that of the process " +
    "before.",
    table(["model", "file", ...report.contestants.map(({ name }) => name)], memoryRows(report)),
    "**Errors**",
    `The largest difference from ${reference}, relative to the largest magnitude in the output.`,
    table(["model", ...others], errorRows(report, others)),
  ];
}

/** The charts of the steps that were measured. */
export function charts(report: Report): RatioChart[] {
  return CHARTS.filter(([kind]) => kind === "runs" || !report.runsOnly).map(([kind, title]) => {
    const points = report.models.flatMap((model) =>
      report.contestants.flatMap(({ name }) => {
        const ratio = ratioOf(model, name, report.reference, [kind]);
        return ratio === undefined ? [] : [{ suite: model.model, contestant: name, ...ratio }];
      })
    );
    return {
      title: `${title}, threads: ${report.threads}`,
      reference: report.reference,
      suites: report.models.map(({ model }) => model),
      contestants: report.contestants.map(({ name }) => name),
      points,
    };
  });
}

/** The ratios of a contestant's times to the reference's, turn by turn; `undefined` if either is missing. */
export function ratioOf(
  model: ModelResult,
  name: string,
  reference: string,
  kinds: readonly Kind[],
): Spread | undefined {
  const [own, others] = [timesOf(model, name, kinds), timesOf(model, reference, kinds)];
  return own && others && spreadOf(own.map((time, turn) => time / others[turn]!));
}

/** The sums of times, turn by turn; `undefined` for a contestant that failed. */
function timesOf(model: ModelResult, name: string, kinds: readonly Kind[]): number[] | undefined {
  const result = resultOf(model, name);
  if (!result || result.failed !== undefined) return undefined;
  return result[kinds[0]!].map((_, turn) => kinds.reduce((sum, kind) => sum + result[kind][turn]!, 0));
}

function resultOf({ results }: ModelResult, name: string): Result | undefined {
  return results.find(({ contestant }) => contestant === name);
}

function versionOf({ models }: Report, name: string): string {
  return models.map((model) => resultOf(model, name)?.engine).find((engine) => engine) ?? "";
}

/** The time of the reference, and the ratios of the others. */
function timeRows({ models, reference }: Report, others: readonly string[], ...kinds: Kind[]): string[][] {
  return models.map((model) => {
    const times = timesOf(model, reference, kinds);
    return [
      model.model,
      times ? formatTime(spreadOf(times).median) : "failed",
      ...others.map((name) => cellOf(model, name, () => formatRatio(ratioOf(model, name, reference, kinds)))),
    ];
  });
}

function memoryRows({ models, contestants }: Report): string[][] {
  return models.map((model) => [
    model.model,
    formatMegabytes(model.size),
    ...contestants.map(({ name }) =>
      cellOf(
        model,
        name,
        ({ peak, after }) => peak === undefined ? "" : `${formatMegabytes(peak)}, ${formatMegabytes(after)}`,
      )
    ),
  ]);
}

function errorRows({ models }: Report, others: readonly string[]): string[][] {
  return models.map((model) => [
    model.model,
    ...others.map((name) => cellOf(model, name, ({ error }) => error === undefined ? "" : error.toExponential(1))),
  ]);
}

function cellOf(model: ModelResult, name: string, format: (result: Result) => string): string {
  const result = resultOf(model, name);
  if (!result) return "";
  return result.failed === undefined ? format(result) : "failed";
}

/** The failures, one line each. */
export function failures({ models }: Report): string[] {
  return models.flatMap(({ model, results }) =>
    results.filter(({ failed }) => failed !== undefined).map(({ contestant, failed }) =>
      `${model}, ${contestant}: ${failed}`
    )
  );
}
