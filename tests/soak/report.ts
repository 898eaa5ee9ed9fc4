/**
 * The report of a soak: the trend of its samples, a table and a chart.
 *
 * @module
 */

import { fitLine, mean } from "../../support/statistics.ts";
import type { TopLevelSpec } from "../../support/chart.ts";
import type { Phase, Sample } from "./sampling.ts";

/** The allowed rise of resident memory: bytes per request, or bytes in total, whichever is more. */
const BYTES_PER_REQUEST = 1024;
const TOTAL_BYTES = 10e6;

/**
 * The trend is fitted to the means of this many parts. Memory wanders for a second or more, by tens of megabytes with 64
 * requests in flight, so that samples 100 ms apart are not independent of each other; the means are, nearly.
 */
const PARTS = 10;

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
  /** The standard error of the rise, in bytes. */
  readonly error: number;
  /** Whether the rise is negligible, or within three standard errors. */
  readonly isFlat: boolean;
}

/** The trend of a phase. */
export function trendOf(samples: readonly Sample[]): Trend {
  const half = samples.slice(samples.length >> 1);
  const parts = inParts(half);
  const { slope, error } = fitLine(
    parts.map((part) => mean(part.map(({ resident }) => resident))),
    parts.map((part) => mean(part.map(({ requests }) => requests))),
  );
  const requests = half.at(-1)!.requests - half[0]!.requests;
  const rise = slope * requests;
  const allowed = Math.max(BYTES_PER_REQUEST * requests, TOTAL_BYTES);
  return { slope, rise, error: error * requests, isFlat: rise - 3 * error * requests <= allowed };
}

function inParts<T>(values: readonly T[]): readonly (readonly T[])[] {
  const count = Math.min(PARTS, values.length);
  const start = (part: number) => Math.floor((part * values.length) / count);
  return Array.from({ length: count }, (_, part) => values.slice(start(part), start(part + 1)));
}

/** The times of the columns with resident memory, as parts of a phase. */
const COLUMNS = [0.1, 0.25, 0.5, 0.75, 1];

/** A table in Markdown. */
export function table(results: readonly PhaseResult[]): string {
  const times = COLUMNS.map((share) => `${share * 100} %`);
  const header = ["isolate", "in flight", "requests", "per second", ...times, "slope", "rise", "±", ""];
  const rows = results.map(({ inFlight, isolate, samples }) => {
    const { requests: first } = samples[0]!;
    const { requests: last, seconds } = samples.at(-1)!;
    const requests = last - first;
    const { error, isFlat, rise, slope } = trendOf(samples);
    const resident = COLUMNS.map((share) => megabytes(samples[Math.round((samples.length - 1) * share)]!.resident));
    const trend = [`${slope.toFixed(0)} B`, `${megabytes(rise)} MB`, megabytes(error), isFlat ? "" : "GROWS"];
    return [isolate, inFlight, requests, (requests / seconds).toFixed(0), ...resident, ...trend];
  });
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The whole report. */
export function report(results: readonly PhaseResult[]): string {
  return `# Soak

Resident memory of a process in MB, without garbage and free memory, at parts of its duration. Each request writes 4 MB,
dispatches and reads, and some also build and destroy graphs. "In flight" is the number of concurrent requests. "Slope"
is in bytes per request, by a linear fit to the second half; "rise" is the slope times the requests of that half, and
"±" its standard error. Memory grows if the rise less three errors is more than 1 KB per request and 10 MB in total.

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
