/**
 * Charts as SVG.
 *
 * @module
 */

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

export type { TopLevelSpec } from "vega-lite";

/** Draws a chart as SVG. */
export async function drawChart(chart: TopLevelSpec): Promise<string> {
  return await new View(parse(compile(chart).spec), { renderer: "none" }).toSVG();
}
