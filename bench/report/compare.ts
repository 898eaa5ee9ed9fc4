/**
 * Compares a report with an earlier one.
 *
 * @module
 */
import { type Spread, spreadOf } from "../../support/statistics.ts";
import { WEBNN } from "./contestants.ts";
import { findMeasurement, findSuite, formatRatio, ratioOf, type Report, table } from "./figures.ts";
import type { Kind, Measurement } from "./measure.ts";

/** How one kind of work of this module has changed. */
export interface Change {
  readonly suite: string;
  readonly threads: number;
  readonly kind: Kind;
  /** Ratios to the reference; milliseconds if the reports have different references. */
  readonly before: Spread;
  readonly after: Spread;
  readonly verdict: "slower" | "faster" | "same";
}

/** Compares what both reports have. Uses ratios if possible, because the machine may have been busier. */
export function compareReports(before: Report, after: Report): Change[] {
  const figure = (measurement: Measurement | undefined, { reference }: Report): Spread | undefined => {
    if (measurement === undefined) return undefined;
    if (before.reference === after.reference) return ratioOf(measurement, WEBNN, reference);
    const times = measurement.times[WEBNN];
    return times && spreadOf(times);
  };
  return after.suites.flatMap((result) =>
    result.measurements.flatMap((measurement): Change[] => {
      const { suite, threads } = result;
      const { kind } = measurement;
      const old = figure(findMeasurement(findSuite(before, suite, threads), kind), before);
      const now = figure(measurement, after);
      return old && now ? [{ suite, threads, kind, before: old, after: now, verdict: verdict(old, now) }] : [];
    })
  );
}

/** A change is noise if the middle halves overlap. */
function verdict(before: Spread, after: Spread): Change["verdict"] {
  if (after.p25 > before.p75) return "slower";
  return after.p75 < before.p25 ? "faster" : "same";
}

/** The section of the page. */
export function comparisonSection(changes: readonly Change[], file: string): string[] {
  const slower = changes.filter(({ verdict }) => verdict === "slower").length;
  const rows = changes.filter(({ verdict }) => verdict !== "same").map((
    { suite, threads, kind, before, after, verdict },
  ) => [
    suite,
    kind,
    String(threads),
    formatRatio(before),
    formatRatio(after),
    verdict === "slower" ? "**slower**" : verdict,
  ]);
  return [
    `## Since ${file}`,
    `Of ${changes.length} measurements of ${WEBNN}, ${slower} became slower beyond the noise: the middle halves of both ` +
    "reports do not overlap. Those that changed:",
    rows.length === 0 ? "None." : table(["suite", "work", "threads", "before", "now", ""], rows),
  ];
}
