/**
 * Compares backends: runs the same benchmarks on each, and finds the fastest.
 *
 * @module
 */
import { mean, median } from "simple-statistics";
import { askOnce } from "../child.ts";
import { messageOf } from "../errors.ts";
import type { Result } from "../command.ts";
import { table } from "../table.ts";
import { styled, type Terminal } from "../terminal.ts";
import type { BackendAnswer, BackendJob } from "./backend_worker.ts";
import { type Benchmark, BENCHMARKS, DESCRIPTIONS } from "./workloads.ts";

/** The values of `--backend`. */
export const BACKENDS = ["cpu", "gpu", "coreml"] as const;

/** The result of one benchmark on one backend. */
export interface BackendRow {
  readonly benchmark: Benchmark;
  readonly backend: string;
  /** Operations per second. */
  readonly ops?: number;
  /** Milliseconds per operation. */
  readonly mean?: number;
  readonly median?: number;
  /** The share of operations that succeeded, 0 to 1. */
  readonly success: number;
  /** What actually ran them. */
  readonly device?: string;
  /** The largest difference between the first elements and those of the first backend that succeeded. */
  readonly error?: number;
  readonly reason?: string;
}

/** Seconds per benchmark and backend: after `budget` no new operation starts, after `limit` the process is killed. */
export interface Limits {
  readonly budget: number;
  readonly limit: number;
}

const LIMITS: Limits = { budget: 20, limit: 60 };

/** Runs every benchmark on every backend. */
export async function compareBackends(
  terminal: Terminal,
  backends: readonly string[],
  benchmarks: readonly Benchmark[],
  { budget, limit }: Limits = LIMITS,
): Promise<Result> {
  const rows: BackendRow[] = [];
  for (const benchmark of benchmarks) {
    let reference: BackendAnswer["samples"] | undefined;
    for (const backend of backends) {
      terminal.progress(`${benchmark} on ${backend} ...`);
      const answer = await ask({ backend, benchmark, budget }, terminal, limit);
      if ("times" in answer && answer.times.length > 0) reference ??= answer.samples;
      rows.push(rowOf(backend, benchmark, answer, reference));
    }
  }
  const winners = Object.fromEntries(benchmarks.map((benchmark) => [benchmark, winnerOf(benchmark, rows)]));
  return {
    data: { results: rows, winners },
    text: report(terminal, rows, winners),
    ...rows.some(({ mean }) => mean !== undefined) ? {} : { failure: `${rows[0]!.backend}: ${rows[0]!.reason}` },
  };
}

async function ask(
  job: BackendJob,
  terminal: Terminal,
  limit: number,
): Promise<BackendAnswer | { readonly failed: string }> {
  try {
    return await askOnce(new URL("./backend_worker.ts", import.meta.url), job, terminal, { limit });
  } catch (error) {
    return { failed: messageOf(error) };
  }
}

function rowOf(
  backend: string,
  benchmark: Benchmark,
  answer: BackendAnswer | { readonly failed: string },
  reference: BackendAnswer["samples"] | undefined,
): BackendRow {
  if ("failed" in answer) return { benchmark, backend, success: 0, reason: answer.failed };
  const { times, attempted, device, reason, samples } = answer;
  const row = {
    benchmark,
    backend,
    success: attempted === 0 ? 0 : times.length / attempted,
    device,
    ...reason === undefined ? {} : { reason },
  };
  if (times.length === 0) return row;
  const average = mean([...times]);
  return {
    ...row,
    ops: 1000 / average,
    mean: average,
    median: median([...times]),
    error: difference(reference!, samples),
  };
}

function difference(expected: BackendAnswer["samples"], actual: BackendAnswer["samples"]): number {
  const differences = expected.flatMap((sample, i) =>
    sample.map((value, j) => Math.abs(value - (actual[i]?.[j] ?? NaN)))
  );
  return differences.some(Number.isNaN) ? Infinity : Math.max(0, ...differences);
}

/** The fastest backend without a failed operation. */
function winnerOf(benchmark: Benchmark, rows: readonly BackendRow[]): string | null {
  const whole = rows.filter((row) => row.benchmark === benchmark && row.success === 1);
  return whole.toSorted((a, b) => a.mean! - b.mean!)[0]?.backend ?? null;
}

function report(
  terminal: Terminal,
  rows: readonly BackendRow[],
  winners: Readonly<Record<string, string | null>>,
): string {
  const right = (title: string) => ({ title, align: "right" }) as const;
  const columns = [
    "benchmark",
    "backend",
    right("ops/s"),
    right("mean ms"),
    right("success"),
    right("error"),
    "ran on",
  ];
  const cells = rows.map(({ benchmark, backend, ops, mean, success, error, device, reason }) => [
    benchmark,
    backend,
    ops?.toFixed(1) ?? "-",
    mean?.toFixed(3) ?? "-",
    `${Math.round(100 * success)} %`,
    error?.toExponential(1) ?? "-",
    [device, reason].filter((text) => text !== undefined).join("; "),
  ]);
  const verdicts = BENCHMARKS.filter((benchmark) => benchmark in winners).map((benchmark) =>
    `${benchmark} (${DESCRIPTIONS[benchmark]}): ${styled(terminal, "bold", winners[benchmark] ?? "none")}`
  );
  return `${table(terminal, columns, cells)}\n\nFastest:\n${verdicts.join("\n")}`;
}
