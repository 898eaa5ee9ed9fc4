/**
 * Figures computed from a report of the seeds.
 *
 * @module
 */
import { type Spread, spreadOf } from "../../support/statistics.ts";
import { WEBNN } from "../report/contestants.ts";
import { findMeasurement, findSuite, formatMegabytes, formatTime, memoryOverBase, ratioOf } from "../report/figures.ts";
import type { Measurement, SuiteResult } from "../report/measure.ts";
import { type Bound, boundOf, TRIAD } from "./machine.ts";
import { LATENCY, PEER, type SeedsReport } from "./measure.ts";
import { type Category, RUNS, type Seed } from "./seed.ts";
import { LARGEST_ADD } from "./tensors.ts";

/** A seed's figure with a number of threads. Rates are per second. */
export interface Figure {
  readonly seed: Seed;
  readonly threads: number;
  /** In milliseconds; for memory in bytes. */
  readonly value: number;
  /** `value` divided by the peer's; `undefined` if the peer has none. */
  readonly ratio?: Spread;
  readonly elements?: number;
  /** Bytes of operands and results, in GB/s. */
  readonly traffic: number;
  /** In GFLOP/s. */
  readonly flops: number;
  /** `flops` as a share of the processor's peak. */
  readonly share?: number;
  readonly bound?: Bound;
  /** The time on one thread divided by `value`. */
  readonly speedUp?: number;
}

/** The figures of a category, in the order of the seeds, without seeds that were not measured. */
export function figuresOf(report: SeedsReport, seeds: readonly Seed[], category?: Category): Figure[] {
  return seeds.filter((seed) => category === undefined || seed.category === category).flatMap((seed) =>
    (seed.threads ?? report.threads).flatMap((threads) => figureOf(report, seed, threads) ?? [])
  );
}

/** The figure of a seed; `undefined` if it was not measured. */
export function figureOf(report: SeedsReport, seed: Seed, threads: number): Figure | undefined {
  const result = findSuite(report, seed.suite, threads);
  if (result === undefined) return undefined;
  if (seed.kind === "memory") return memoryFigure(report, seed, result);
  const measurement = findMeasurement(result, seed.kind);
  const time = medianOf(measurement, WEBNN);
  if (measurement === undefined || time === undefined) return undefined;
  const { flop, bytes, weightBytes } = result.work;
  const isTransfer = seed.kind === "write" || seed.kind === "read";
  const traffic = (isTransfer ? (bytes - weightBytes) / 2 : bytes) / time / 1e6;
  const flops = flop / time / 1e6;
  const ratio = ratioOf(measurement, WEBNN, PEER);
  const limits = report.limits.find((each) => each.threads === threads);
  const latency = medianOf(findMeasurement(findSuite(report, LATENCY, threads), RUNS), WEBNN);
  const alone = medianOf(findMeasurement(findSuite(report, seed.suite, 1), seed.kind), WEBNN);
  return {
    seed,
    threads,
    value: time,
    traffic,
    flops,
    ...ratio && { ratio },
    ...seed.elements !== undefined && { elements: seed.elements * 1000 / time },
    ...limits && { share: flops / limits.flops },
    ...limits && latency !== undefined && { bound: boundOf(limits, { time, bytes, latency }) },
    ...alone !== undefined && { speedUp: alone / time },
  };
}

function memoryFigure(report: SeedsReport, seed: Seed, result: SuiteResult): Figure | undefined {
  const [own, others] = [WEBNN, PEER].map((name) => memoryOverBase(report, result, name));
  if (own === undefined) return undefined;
  const ratio = others === undefined || others <= 0 ? NaN : own / others;
  const spread = Number.isNaN(ratio) ? {} : { ratio: { median: ratio, p25: ratio, p75: ratio } };
  return { seed, threads: result.threads, value: own, traffic: 0, flops: 0, ...spread };
}

function medianOf(measurement: Measurement | undefined, contestant: string): number | undefined {
  const times = measurement?.times[contestant];
  return times && spreadOf(times).median;
}

/**
 * Whether a figure counts for the goals. Builds have no peer in PyTorch; decompositions and L-BFGS are unrolled here.
 */
export function counts({ seed }: Figure): boolean {
  return seed.category !== "decompositions" && seed.row !== "l-bfgs" && seed.kind !== "build" && seed.kind !== "memory";
}

/** The geometric mean of the ratios; NaN without any. */
export function meanRatio(figures: readonly Figure[]): number {
  const logs = figures.flatMap(({ ratio }) => ratio ? [Math.log(ratio.median)] : []);
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

/** The time of STREAM's triad divided by the time to add 10 M elements. */
export function shareOfTriad(report: SeedsReport, threads: number): number | undefined {
  const measurement = findMeasurement(findSuite(report, LARGEST_ADD, threads), RUNS);
  return measurement && ratioOf(measurement, TRIAD.name, WEBNN)?.median;
}

/** A figure as a table cell. */
export function cellOf({ seed, value, ratio, elements, traffic, flops, share, bound, speedUp }: Figure): string {
  const parts = seed.kind === "memory" ? [formatMegabytes(value)] : [formatTime(value)];
  if (elements !== undefined) parts.push(`${(elements / 1e9).toPrecision(3)} G/s`, `${traffic.toPrecision(3)} GB/s`);
  if (seed.category === "matmul" || seed.category === "convolutions") {
    parts.push(`${flops.toPrecision(3)} GFLOP/s`);
    if (share !== undefined) parts.push(`${Math.round(100 * share)} %`);
  }
  if (seed.category === "transfers") parts.push(`${traffic.toPrecision(3)} GB/s`);
  if (seed.category === "threads" && speedUp !== undefined) parts.push(`× ${speedUp.toFixed(2)}`);
  if (seed.category === "networks" || seed.category === "models" || seed.category === "optimizers") {
    parts.push(`${perSecond(seed, value).toLocaleString("en", { maximumSignificantDigits: 3 })}/s`);
  }
  if (ratio !== undefined) parts.push(`**${ratio.median.toFixed(2)}**`);
  if (seed.category === "tensors" && bound !== undefined) parts.push(bound[0]!);
  return parts.join(", ");
}

/** Images, inputs or optimiser steps per second. */
function perSecond({ category, column }: Seed, time: number): number {
  return (category === "optimizers" ? 1 : Number(column)) * 1000 / time;
}
