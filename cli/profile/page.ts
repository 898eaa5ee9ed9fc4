/**
 * The profile as a page: a timeline of the run, a bar for each operator, and the nodes.
 *
 * @module
 */
import type { NodeProfile } from "@webnn/deno";
import { escapeHtml, page } from "../html.ts";
import { bytes, count } from "../table.ts";
import type { Measured } from "./measure.ts";
import { milliseconds, operatorsOf, percent, shorten } from "./report.ts";

const STYLE = `
.bar { width: 20rem; }
.bar div { height: 0.9rem; min-width: 1px; }
.timeline { position: relative; height: 3rem; margin: 1rem 0; background: color-mix(in srgb, currentColor 8%, transparent); }
.timeline div { position: absolute; top: 0; bottom: 0; min-width: 1px; }
`;

/** Makes the page of a profile. */
export function profilePage(model: string, { description, profile }: Measured): string {
  const { nodes, operators, time } = profile;
  const colors = colorsOf(operators.map(({ operator }) => operator));
  const color = (operator: string) => colors.get(operator)!;
  const summary = `a run takes ${milliseconds(time)} ms (mean of the faster half of ${count(profile.runs)} runs); ` +
    `intermediate values take ${bytes(profile.peakBytes)} at most`;
  const operatorRows = operators.map(({ operator, time: own, share, calls }) =>
    row([
      text(operator),
      number(milliseconds(own)),
      number(percent(share)),
      number(calls === 0 ? "" : count(calls)),
      `<td class="bar"><div style="width: ${100 * share}%; background: ${color(operator)}"></div></td>`,
    ])
  );
  const nodeRows = nodes.map((node) =>
    row([
      text(node.name),
      text(node.kernel),
      text(shorten(operatorsOf(node, description))),
      number(milliseconds(node.start)),
      number(milliseconds(node.time)),
      number(percent(node.time / time)),
      number(bytes(node.outputBytes)),
    ])
  );
  return page(
    `Profile of ${model}`,
    `<h1>${escapeHtml(model)}</h1>
<p>${summary}</p>
<div class="timeline">${nodes.map((node) => part(node, time, color(node.operator))).join("")}</div>
<table><tr><th>operator</th><th class="number">ms</th><th class="number">share</th><th class="number">calls</th><th></th></tr>
${operatorRows.join("\n")}</table>
<table><tr><th>node of the engine</th><th>kernel</th><th>operators</th><th class="number">start</th><th class="number">ms</th>
<th class="number">share</th><th class="number">output</th></tr>
${nodeRows.join("\n")}</table>`,
    STYLE,
  );
}

function part(node: NodeProfile, total: number, color: string): string {
  const title = escapeHtml(`${node.operator}: ${milliseconds(node.time)} ms (${node.name}, ${node.kernel})`);
  const place = `left: ${100 * node.start / total}%; width: ${100 * node.time / total}%`;
  return `<div title="${title}" style="${place}; background: ${color}"></div>`;
}

/** A colour for each operator, a golden angle apart so that neighbours differ; other entries are grey. */
function colorsOf(operators: readonly string[]): Map<string, string> {
  return new Map(operators.map((operator, i) => [
    operator,
    operator.startsWith("(") ? "hsl(0 0% 60%)" : `hsl(${Math.round(210 + 137.5 * i) % 360} 60% 50%)`,
  ]));
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.join("")}</tr>`;
}

function text(content: string): string {
  return `<td>${escapeHtml(content)}</td>`;
}

function number(content: string): string {
  return `<td class="number">${content}</td>`;
}
