/**
 * `deno task docs:options` writes the tables of options in README.md and docs/devices.md, from the rows in
 * src/options.ts and those of the providers.
 *
 * @module
 */

import { COMPILED, PLUGINS, UNKNOWN_PLUGIN } from "../../src/backends/onnxruntime/providers/rows.ts";
import { type Demand, DEMANDS, honouredBy, OPTIONS } from "../../src/options.ts";
import { runProgram, writeFile } from "../../support/program.ts";

/** An engine or provider, and the demands that it supports. */
interface Column {
  readonly name: string;
  readonly honours: readonly Demand[];
}

const COLUMNS: readonly Column[] = [
  { name: "`cpu`", honours: honouredBy("cpu") },
  ...columnsOf(COMPILED),
  ...columnsOf(PLUGINS).filter(({ name }) => !columnsOf(COMPILED).some((other) => other.name === name)),
  { name: "other plug-ins", honours: UNKNOWN_PLUGIN.honours },
  { name: "backend `coreml`", honours: honouredBy("coreml") },
];

/** A column per provider; Core ML has several rows, one per kind of device. */
function columnsOf(rows: readonly { readonly name: string; readonly honours: readonly Demand[] }[]): Column[] {
  const byName = new Map(rows.map((row) => [row.name, row]));
  return [...byName.values()].map(({ honours, name }) => ({ name: `\`${name}\``, honours }));
}

/** The files with tables, and the table of each. */
export const OPTION_TABLES: readonly { readonly file: URL; table(): string }[] = [
  { file: new URL("../../README.md", import.meta.url), table: optionTable },
  { file: new URL("../../docs/devices.md", import.meta.url), table: honourTable },
];

const [BEGIN, END] = ["<!-- options: written by deno task docs:options -->", "<!-- /options -->"];

/** The page with its table updated. */
export function withTable(page: string, table: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page has no place for the table: ${BEGIN}`);
  return `${before}${BEGIN}\n\n${table}\n${END}${after}`;
}

/** The table of options. */
function optionTable(): string {
  const rows = Object.entries(OPTIONS).map(([name, { text }]) => [`\`${name}\``, text]);
  return format([["option", "value"], ...rows]);
}

/** The table of the options that each engine supports. */
function honourTable(): string {
  const names = Object.keys(DEMANDS) as Demand[];
  const rows = names.map((name) => [
    `\`${name}\``,
    ...COLUMNS.map(({ honours }) => honours.includes(name) ? "yes" : "refused"),
  ]);
  return format([["option", ...COLUMNS.map(({ name }) => name)], ...rows]);
}

/** A table in the format of `deno fmt`. */
function format(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const lines = rows.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`);
  return [lines[0], `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...lines.slice(1), ""].join("\n");
}

const HELP = `Writes the tables of options in README.md and docs/devices.md.

Usage: deno task docs:options`;

if (import.meta.main) {
  await runProgram("docs:options", HELP, {}, async () => {
    for (const { file, table } of OPTION_TABLES) {
      await writeFile(file, withTable(await Deno.readTextFile(file), table()));
    }
  });
}
