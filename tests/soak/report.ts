/**
 * What the samples of a soak say.
 *
 * @module
 */

import { slopeOf } from "../../support/statistics.ts";
import type { TopLevelSpec } from "../../support/chart.ts";
import type { Phase, Sample } from "./sampling.ts";

/** Resident memory may rise by so many bytes a request, or by so many in all, whichever is more. */
const BYTES_PER_REQUEST = 1024;
const BYTES_IN_ALL = 10e6;

/** A phase and its samples. */
export interface PhaseResult extends Phase {
  readonly samples: readonly Sample[];
}

/** How resident memory goes in the second half of a phase: in the first, heaps take their size. */
export interface Trend {
  /** Bytes a request, by least squares. */
  readonly slope: number;
  /** What that comes to over the half, in bytes. */
  readonly rise: number;
  /** Whether it is as good as none. */
  readonly isFlat: boolean;
}

/** The trend of a phase. */
export function trendOf(samples: readonly Sample[]): Trend {
  const half = samples.slice(samples.length >> 1);
  const requests = half.map((sample) => sample.requests);
  const count = requests.at(-1)! - requests[0]!;
  const slope = slopeOf(half.map(({ resident }) => resident), requests);
  const rise = slope * count;
  return { slope, rise, isFlat: rise <= Math.max(BYTES_PER_REQUEST * count, BYTES_IN_ALL) };
}

/** When resident memory stands in the table: parts of a phase. */
const COLUMNS = [0.1, 0.25, 0.5, 0.75, 1];

/** A table in Markdown. */
export function table(results: readonly PhaseResult[]): string {
  const times = COLUMNS.map((share) => `${share * 100} %`);
  const header = ["isolate", "in flight", "requests", "a second", ...times, "slope", "rise", ""];
  const rows = results.map(({ inFlight, isolate, samples }) => {
    const { requests: first } = samples[0]!;
    const { requests: last, seconds } = samples.at(-1)!;
    const requests = last - first;
    const { isFlat, rise, slope } = trendOf(samples);
    const resident = COLUMNS.map((share) => megabytes(samples[Math.round((samples.length - 1) * share)]!.resident));
    const trend = [`${slope.toFixed(0)} B`, `${megabytes(rise)} MB`, isFlat ? "" : "GROWS"];
    return [isolate, inFlight, requests, (requests / seconds).toFixed(0), ...resident, ...trend];
  });
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The whole report. */
export function report(results: readonly PhaseResult[]): string {
  return `# Soak

Resident memory of a process in MB, without garbage and free memory, at parts of its time, while so many requests are in flight: each writes 4 MB,
dispatches and reads, with builds and destroys among them. Slope and rise are those of the line that fits the second half
best: bytes a request, and what that comes to over the half. A rise of 1 KB a request or 10 MB in all is as good as none.

${table(results)}
`;
}

/** Resident memory over time. */
export function chart(results: readonly PhaseResult[]): TopLevelSpec {
  const values = results.flatMap(({ inFlight, isolate, samples }) =>
    samples.map(({ resident, seconds }) => ({ isolate, inFlight, seconds, megabytes: resident / 1e6 }))
  );
  return {
    title: "Resident memory under overlapping requests",
    data: { values },
    facet: { column: { field: "isolate", type: "nominal", title: null } },
    spec: {
      width: 420,
      height: 320,
      mark: "line",
      encoding: {
        x: { field: "seconds", type: "quantitative", title: "seconds" },
        y: { field: "megabytes", type: "quantitative", title: "MB" },
        color: { field: "inFlight", type: "nominal", title: "in flight" },
      },
    },
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
