/**
 * The data of a report, and what is derived from it.
 *
 * @module
 */
import { type Spread, spreadOf } from "../../support/statistics.ts";
import type { ColdStart } from "./cold_start.ts";
import type { Contestant } from "./contestants.ts";
import type { Kind, Measurement, SuiteResult } from "./measure.ts";

/** The whole report, as in the JSON file. */
export interface Report {
  readonly command: string;
  readonly machine: Machine;
  readonly device: string;
  readonly rounds: number;
  /** The name of the contestant that ratios refer to. */
  readonly reference: string;
  readonly contestants: readonly Pick<Contestant, "name" | "title" | "reads">[];
  /** Suites that were requested but could not be measured, with the reason. */
  readonly skipped: readonly string[];
  /** The builder's throughput in operators per second, by the size of the graph. */
  readonly builder: readonly BuilderRate[];
  /** Empty if not requested. */
  readonly coldStart: readonly ColdStart[];
  readonly suites: readonly SuiteResult[];
}

/** The machine of the report. */
export interface Machine {
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  readonly deno: string;
  /** The load average of the last minute before the report. */
  readonly load: number;
}

/** The builder on a graph of one size. */
export interface BuilderRate {
  readonly operators: number;
  readonly perSecond: Spread;
}

/** The suite whose process is the base for memory: it builds and runs almost nothing. */
export const BASE = "trivial";

/** The ratios to the times of the reference in the same round; `undefined` if either is missing. */
export function ratioOf({ times }: Measurement, contestant: string, reference: string): Spread | undefined {
  const own = times[contestant];
  const others = times[reference];
  return own && others && spreadOf(own.map((time, round) => time / others[round]!));
}

/** The results of a suite with a number of threads. */
export function findSuite({ suites }: Report, suite: string, threads: number): SuiteResult | undefined {
  return suites.find((result) => result.suite === suite && result.threads === threads);
}

/** The measurement of one kind of work. */
export function findMeasurement(result: SuiteResult | undefined, kind: Kind): Measurement | undefined {
  return result?.measurements.find((measurement) => measurement.kind === kind);
}

/** The peak memory of a contestant, in bytes, above that of its process on the trivial suite. */
export function memoryOverBase(report: Report, result: SuiteResult, contestant: string): number | undefined {
  const peakIn = (result: SuiteResult | undefined) =>
    result?.contestants.find(({ name }) => name === contestant)?.peakMemory;
  const [peak, base] = [peakIn(result), peakIn(findSuite(report, BASE, result.threads))];
  return peak === undefined || base === undefined ? undefined : peak - base;
}

/** The measured numbers of threads. */
export function threadsOf({ suites }: Report): number[] {
  return [...new Set(suites.map(({ threads }) => threads))];
}

/** `**1.012** (1.000 – 1.031)`; empty for `undefined`. */
export function formatRatio(ratio: Spread | undefined): string {
  return ratio === undefined
    ? ""
    : `**${ratio.median.toFixed(3)}** (${ratio.p25.toFixed(3)} – ${ratio.p75.toFixed(3)})`;
}

/** A time in a suitable unit. */
export function formatTime(milliseconds: number): string {
  if (milliseconds < 0.1) return `${(milliseconds * 1000).toPrecision(3)} µs`;
  return `${milliseconds < 1000 ? milliseconds.toPrecision(3) : milliseconds.toFixed()} ms`;
}

/** `12.3 MB`; empty for `undefined`. */
export function formatMegabytes(bytes: number | undefined): string {
  return bytes === undefined ? "" : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `1 thread`, `2 threads`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A Markdown table. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
