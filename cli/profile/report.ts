/**
 * The profile as text and as JSON.
 *
 * @module
 */
import type { GraphDescription, NodeProfile } from "@webnn/deno";
import { bytes, count, facts, table } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import type { Measured } from "./measure.ts";

/** Nodes of the engine with the same kernel and the same fused operators. */
export interface Fusion {
  /** The WebNN operators, in the order of the graph. */
  readonly operators: readonly string[];
  /** The engine's operator. */
  readonly kernel: string;
  /** The number of such nodes. */
  readonly count: number;
}

/** The WebNN operators that a node of the engine computes, in the order of the graph. */
export function operatorsOf({ nodes }: NodeProfile, description: GraphDescription): string[] {
  return nodes.toSorted((a, b) => a - b).flatMap((position) => {
    const node = description.nodes[position];
    return node?.kind === "operator" ? [node.operator] : [];
  });
}

/** The fused operators, most frequent first. */
export function fusionsOf({ description, profile }: Measured): Fusion[] {
  const fused = profile.nodes.map((node) => ({ kernel: node.kernel, operators: operatorsOf(node, description) }))
    .filter(({ operators }) => operators.length > 1);
  const groups = Map.groupBy(fused, ({ kernel, operators }) => `${operators.join(" + ")} ${kernel}`);
  return [...groups.values()].map((group) => ({ ...group[0]!, count: group.length })).sort((a, b) => b.count - a.count);
}

/** The output of `--json`; times are in milliseconds. */
export function dataOf(model: string, measured: Measured): unknown {
  const { description, profile } = measured;
  return {
    model,
    runs: profile.runs,
    total_ms: profile.time,
    peak_bytes: profile.peakBytes,
    operators: profile.operators.map(({ operator, time, share, calls }) => ({
      name: operator,
      ms: time,
      share,
      calls,
    })),
    nodes: profile.nodes.map((node) => ({
      name: node.name,
      kernel: node.kernel,
      operator: node.operator,
      operators: operatorsOf(node, description),
      start_ms: node.start,
      ms: node.time,
      output_bytes: node.outputBytes,
    })),
    fused: fusionsOf(measured),
  };
}

/** The output without `--json`. */
export function textOf(terminal: Terminal, model: string, measured: Measured, withNodes: boolean): string {
  const { description, profile } = measured;
  const sections = [
    facts(terminal, [
      ["model", model],
      ["a run", `${milliseconds(profile.time)} ms (mean of the faster half of ${count(profile.runs)} runs)`],
      ["intermediate values", `${bytes(profile.peakBytes)} at most`],
    ]),
    table(
      terminal,
      ["operator", right("ms"), right("share"), right("calls")],
      profile.operators.map(({ operator, time, share, calls }) => [
        operator,
        milliseconds(time),
        percent(share),
        calls === 0 ? "" : count(calls),
      ]),
    ),
  ];
  const fusions = fusionsOf(measured);
  if (fusions.length > 0) {
    const rows = fusions.map(({ operators, kernel, count: times }) => [shorten(operators), kernel, count(times)]);
    sections.push(table(terminal, ["fused", "to", right("times")], rows));
  }
  if (withNodes) sections.push(nodeTable(terminal, profile.nodes, profile.time, description));
  return sections.join("\n\n");
}

function nodeTable(
  terminal: Terminal,
  nodes: readonly NodeProfile[],
  total: number,
  description: GraphDescription,
): string {
  return table(
    terminal,
    ["node of the engine", "kernel", "operators", right("start"), right("ms"), right("share"), right("output")],
    nodes.map((node) => [
      node.name,
      node.kernel,
      shorten(operatorsOf(node, description)),
      milliseconds(node.start),
      milliseconds(node.time),
      percent(node.time / total),
      bytes(node.outputBytes),
    ]),
  );
}

/** Joins operators, with a count instead of repetitions. A long list is cut in the middle. */
export function shorten(operators: readonly string[]): string {
  const counts: [string, number][] = [];
  for (const operator of operators) {
    const last = counts.at(-1);
    if (last?.[0] === operator) last[1]++;
    else counts.push([operator, 1]);
  }
  const names = counts.map(([operator, times]) => times === 1 ? operator : `${times} ${operator}`);
  return names.length <= 8 ? names.join(" + ") : [...names.slice(0, 4), "...", ...names.slice(-3)].join(" + ");
}

/** Formats a time with three decimals. */
export function milliseconds(time: number): string {
  return time.toFixed(3);
}

/** Formats a share from 0 to 1 as a percentage. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function right(title: string) {
  return { title, align: "right" } as const;
}
