/**
 * The report of a soak: the trend of its samples, a table and a chart.
 *
 * @module
 */

import { slopeOf } from "../../support/statistics.ts";
import type { TopLevelSpec } from "../../support/chart.ts";
import type { Phase, Sample } from "./sampling.ts";

/** The allowed rise of resident memory: bytes per request, or bytes in total, whichever is more. */
const BYTES_PER_REQUEST = 1024;
const TOTAL_BYTES = 10e6;

/** A phase and its samples. */
export interface PhaseResult extends Phase {
  readonly samples: readonly Sample[];
}

/** The trend of resident memory in the second half of a phase. In the first half, heaps may grow. */
export interface Trend {
  /** Bytes per request, by least squares. */
  readonly slope: number;
  /** The rise over the half, in bytes: the slope times the number of requests. */
  readonly rise: number;
  /** Whether the rise is negligible. */
  readonly isFlat: boolean;
}

/** The trend of a phase. */
export function trendOf(samples: readonly Sample[]): Trend {
  const half = samples.slice(samples.length >> 1);
  const requests = half.map((sample) => sample.requests);
  const count = requests.at(-1)! - requests[0]!;
  const slope = slopeOf(half.map(({ resident }) => resident), requests);
  const rise = slope * count;
  return { slope, rise, isFlat: rise <= Math.max(BYTES_PER_REQUEST * count, TOTAL_BYTES) };
}

/** The times of the columns with resident memory, as parts of a phase. */
const COLUMNS = [0.1, 0.25, 0.5, 0.75, 1];

/** A table in Markdown. */
export function table(results: readonly PhaseResult[]): string {
  const times = COLUMNS.map((share) => `${share * 100} %`);
  const header = ["isolate", "in flight", "requests", "per second", ...times, "slope", "rise", ""];
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

Resident memory of a process in MB, without garbage and free memory, at parts of its duration. Each request writes 4 MB,
dispatches and reads, and some also build and destroy graphs. "In flight" is the number of concurrent requests. "Slope"
is in bytes per request, by a linear fit to the second half; "rise" is the slope times the requests of that half. A rise
of 1 KB per request or 10 MB in total is negligible.

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
