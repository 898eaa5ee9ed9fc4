/**
 * The goals of this project, and whether a report meets them.
 *
 * @module
 */
import { spreadOf } from "../../support/statistics.ts";
import { CACHED, coldStartRatio, NODE } from "./cold_start.ts";
import { REFERENCE, WEBNN } from "./contestants.ts";
import { findMeasurement, findSuite, memoryOverBase, ratioOf, type Report, table, threadsOf } from "./figures.ts";
import type { Kind } from "./measure.ts";

/** A number with its goal. `of` returns `undefined` if the report does not have the number. */
export interface Goal {
  readonly figure: string;
  readonly goal: string;
  /** Whether a value meets the goal. */
  meets(value: number): boolean;
  of(report: Report, threads: number): number | undefined;
  /** The value with its unit. */
  format(value: number): string;
}

const DISPATCH: Kind = "dispatch + read";
const PIPELINED: Kind = "dispatch, pipelined";
const fixed = (value: number) => value.toFixed(3);

/** This module takes at most `limit` times as long as another contestant. */
function ratioGoal(suite: string, kind: Kind, limit: number, other = REFERENCE) {
  return (): Goal => ({
    figure: `${suite}, ${kind}, ÷ ${other}`,
    goal: `≤ ${limit.toFixed(2)}`,
    meets: (value) => value <= limit,
    of(report, threads) {
      const measurement = findMeasurement(findSuite(report, suite, threads), kind);
      return measurement && ratioOf(measurement, WEBNN, other)?.median;
    },
    format: fixed,
  });
}

/** This module takes at most `limit` microseconds. */
function timeGoal(suite: string, kind: Kind, limit: number) {
  return (): Goal => ({
    figure: `${suite}, ${kind}`,
    goal: `≤ ${limit} µs`,
    meets: (value) => value <= limit,
    of(report, threads) {
      const times = findMeasurement(findSuite(report, suite, threads), kind)?.times[WEBNN];
      return times && 1000 * spreadOf(times).median;
    },
    format: (value) => `${value.toFixed(2)} µs`,
  });
}

function memoryGoal(suite: string, limit: number) {
  return (): Goal => ({
    figure: `${suite}, peak memory over base, ÷ ${REFERENCE}`,
    goal: `≤ ${limit.toFixed(2)}`,
    meets: (value) => value <= limit,
    of(report, threads) {
      const result = findSuite(report, suite, threads);
      const [own, other] = [WEBNN, REFERENCE].map((name) => result && memoryOverBase(report, result, name));
      return own === undefined || other === undefined ? undefined : own / other;
    },
    format: fixed,
  });
}

const goals = [
  ratioGoal("mobilenetv2", DISPATCH, 1.04),
  ratioGoal("simple", DISPATCH, 1.05),
  ratioGoal("complex", DISPATCH, 1.02),
  timeGoal("trivial", PIPELINED, 2.5),
  ratioGoal("trivial", PIPELINED, 0.4, "onnxruntime-node"),
  timeGoal("trivial", DISPATCH, 6),
  ratioGoal("mobilenetv2", DISPATCH, 1, "onnxruntime-node"),
  ratioGoal("mobilenetv2", DISPATCH, 0.25, "onnxruntime-web"),
  ratioGoal("mobilenetv2", DISPATCH, 0.65, "chromium"),
  ratioGoal("mobilenetv2", "build", 1.1),
  ratioGoal("mobilenetv2", "build, cached", 0.6),
  ratioGoal("trivial", "build", 1.5),
  memoryGoal("mobilenetv2", 1.3),
  ratioGoal("matmul-512", DISPATCH, 1.02),
  ratioGoal("conv-block", DISPATCH, 1.02),
  ratioGoal("attention-block", DISPATCH, 1.02),
];

/** Goals that do not depend on the number of threads. */
const otherGoals: Goal[] = [
  {
    figure: `mobilenetv2, process start to first result, cached, ÷ ${NODE}`,
    goal: "≤ 0.90",
    meets: (value) => value <= 0.9,
    of: ({ coldStart }) => coldStartRatio(coldStart, CACHED)?.median,
    format: fixed,
  },
  {
    figure: "builder, operators per second, 10,000 operators",
    goal: "≥ 300,000",
    meets: (value) => value >= 300_000,
    of: ({ builder }) => builder.at(-1)?.perSecond.median,
    format: (value) => Math.round(value).toLocaleString("en"),
  },
  {
    figure: "builder, rate at 10,000 ÷ rate at 1,000 operators: linear",
    goal: "≥ 0.8",
    meets: (value) => value >= 0.8,
    of: ({ builder }) =>
      builder.length < 2 ? undefined : builder.at(-1)!.perSecond.median / builder[0]!.perSecond.median,
    format: fixed,
  },
];

/** The table of goals, for each number of threads. It says what was not measured. */
export function goalTable(report: Report): string {
  const rows = threadsOf(report).flatMap((threads) =>
    goals.map((goal) => goalRow(goal(), report, threads, String(threads)))
  );
  rows.push(...otherGoals.map((goal) => goalRow(goal, report, 1, "")));
  return table(["figure", "threads", "goal", "measured", "met"], rows);
}

function goalRow({ figure, goal, meets, of, format }: Goal, report: Report, threads: number, label: string): string[] {
  const value = of(report, threads);
  if (value === undefined) return [figure, label, goal, "not measured", ""];
  return [figure, label, goal, format(value), meets(value) ? "yes" : "**no**"];
}
