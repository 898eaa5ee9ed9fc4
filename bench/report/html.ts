/**
 * The report as a page that needs nothing else: charts, and what the Markdown says.
 *
 * @module
 */
import { marked } from "marked";
import { drawChart, type TopLevelSpec } from "../../support/chart.ts";
import { ratioOf, type Report, threadsOf } from "./figures.ts";
import type { Kind } from "./measure.ts";

/** What has a chart of its own. */
const KINDS: readonly Kind[] = ["dispatch + read", "build"];

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto }
  th, td { border-bottom: 1px solid #ddd; padding: .2rem .7rem; text-align: left; white-space: nowrap }
  svg { max-width: 100%; height: auto }`;

/** Draws the charts and sets the page; `markdown` is the same report as Markdown. */
export async function writeHtml(report: Report, markdown: string): Promise<string> {
  const charts: string[] = [];
  for (const threads of threadsOf(report)) {
    for (const kind of KINDS) charts.push(await drawChart(ratioChart(report, kind, threads)));
  }
  const [title, ...rest] = (await marked.parse(markdown)).split("</h1>");
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Performance</title>
<style>${STYLE}
</style>
${title}</h1>
${charts.join("\n")}
${rest.join("</h1>")}
</html>
`;
}

/** Every suite a row, every contestant a point at its ratio, with the range of the middle half. */
function ratioChart(report: Report, kind: Kind, threads: number): TopLevelSpec {
  const results = report.suites.filter((result) => result.threads === threads);
  const values = results.flatMap(({ suite, measurements }) =>
    measurements.filter((measurement) => measurement.kind === kind).flatMap((measurement) =>
      report.contestants.flatMap(({ name }) => {
        const ratio = ratioOf(measurement, name, report.reference);
        return ratio === undefined ? [] : [{ suite, contestant: name, ...ratio }];
      })
    )
  );
  const title = `time ÷ ${report.reference} (logarithmic, less is better)`;
  const y = { field: "suite", type: "nominal", sort: results.map(({ suite }) => suite), title: null } as const;
  const x = { field: "median", type: "quantitative", scale: { type: "log" }, title } as const;
  const color = { field: "contestant", type: "nominal", sort: report.contestants.map(({ name }) => name) } as const;
  return {
    title: `${kind}, threads: ${threads}`,
    width: 760,
    height: { step: 22 },
    data: { values },
    layer: [
      { mark: "rule", encoding: { y, x: { ...x, field: "p25" }, x2: { field: "p75" }, color } },
      { mark: { type: "point", filled: true, size: 60 }, encoding: { y, x, color } },
    ],
  };
}
