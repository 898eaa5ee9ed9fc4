/**
 * The report as a self-contained page: charts, and the content of the Markdown.
 *
 * @module
 */
import { marked } from "marked";
import { drawChart, type TopLevelSpec } from "../../support/chart.ts";
import type { Spread } from "../../support/statistics.ts";
import { ratioOf, type Report, threadsOf } from "./figures.ts";
import type { Kind } from "./measure.ts";

/** The kinds of work with a chart. */
const KINDS: readonly Kind[] = ["dispatch + read", "build"];

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto }
  th, td { border-bottom: 1px solid #ddd; padding: .2rem .7rem; text-align: left; white-space: nowrap }
  svg { max-width: 100%; height: auto }`;

/** A contestant's ratio in a suite. */
export interface ChartPoint extends Spread {
  readonly suite: string;
  readonly contestant: string;
}

/** The data of a chart; suites from top to bottom, contestants in the order of colours. */
export interface RatioChart {
  readonly title: string;
  /** The contestant that ratios refer to. */
  readonly reference: string;
  readonly suites: readonly string[];
  readonly contestants: readonly string[];
  readonly points: readonly ChartPoint[];
}

/** The page of a report. `markdown` is the text below the charts. */
export async function writeHtml(report: Report, markdown: string): Promise<string> {
  const charts = threadsOf(report).flatMap((threads) => KINDS.map((kind) => chartOf(report, kind, threads)));
  return await writePage("Performance", charts, markdown);
}

/** Draws charts and puts them below the first heading of the Markdown. */
export async function writePage(name: string, charts: readonly RatioChart[], markdown: string): Promise<string> {
  const drawn: string[] = [];
  for (const chart of charts) drawn.push(await drawChart(specOf(chart)));
  const [title, ...rest] = (await marked.parse(markdown)).split("</h1>");
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>${name}</title>
<style>${STYLE}
</style>
${title}</h1>
${drawn.join("\n")}
${rest.join("</h1>")}
</html>
`;
}

function chartOf(report: Report, kind: Kind, threads: number): RatioChart {
  const results = report.suites.filter((result) => result.threads === threads);
  const points = results.flatMap(({ suite, measurements }) =>
    measurements.filter((measurement) => measurement.kind === kind).flatMap((measurement) =>
      report.contestants.flatMap(({ name }) => {
        const ratio = ratioOf(measurement, name, report.reference);
        return ratio === undefined ? [] : [{ suite, contestant: name, ...ratio }];
      })
    )
  );
  return {
    title: `${kind}, threads: ${threads}`,
    reference: report.reference,
    suites: results.map(({ suite }) => suite),
    contestants: report.contestants.map(({ name }) => name),
    points,
  };
}

/** One row per suite, and one point per contestant at its ratio, with the middle half as a bar. */
function specOf({ title, reference, suites, contestants, points }: RatioChart): TopLevelSpec {
  const axis = `time ÷ ${reference} (logarithmic, less is better)`;
  const y = { field: "suite", type: "nominal", sort: [...suites], title: null } as const;
  const x = { field: "median", type: "quantitative", scale: { type: "log" }, title: axis } as const;
  const color = { field: "contestant", type: "nominal", sort: [...contestants] } as const;
  return {
    title,
    width: 760,
    height: { step: 22 },
    data: { values: [...points] },
    layer: [
      { mark: "rule", encoding: { y, x: { ...x, field: "p25" }, x2: { field: "p75" }, color } },
      { mark: { type: "point", filled: true, size: 60 }, encoding: { y, x, color } },
    ],
  };
}
