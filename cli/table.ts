/**
 * Tables and figures for people.
 *
 * @module
 */
import Table from "cli-table3";
import { styled, type Terminal } from "./terminal.ts";

/** A column: its title, and on which side its cells stand. */
export type Column = string | { readonly title: string; readonly align: "left" | "right" };

const NO_LINES = Object.fromEntries(
  ["top", "bottom", "left", "mid", "right"].flatMap((side) =>
    ["", "-mid", "-left", "-right"].map((part) => [side + part, ""])
  ),
);

/** Rows below a head. There are no lines: spaces part the columns. */
export function table(terminal: Terminal, columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => typeof column === "string" ? column : column.title);
  const drawn = new Table({
    head: head.map((title) => styled(terminal, "bold", title)),
    colAligns: columns.map((column) => typeof column === "string" ? "left" : column.align),
    chars: { ...NO_LINES, middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn.toString().split("\n").map((line) => line.trimEnd()).join("\n");
}

/** Lines of a name and what belongs to it. */
export function facts(terminal: Terminal, rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => styled(terminal, "bold", name) + " ".repeat(width - name.length) + value).join(
    "\n",
  );
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

const BYTE_UNITS = ["bytes", "kB", "MB", "GB", "TB"];
const UNITS = ["", " k", " M", " G", " T"];

/** A number of bytes in the unit that suits it; 1 kB is 1,000 bytes. */
export function bytes(value: number): string {
  const [figure, unit] = scaled(value, BYTE_UNITS);
  return `${figure} ${unit}`;
}

/** A large number in thousands, millions or billions: `1.23 G`. */
export function large(value: number): string {
  return scaled(value, UNITS).join("");
}

function scaled(value: number, units: readonly string[]): [figure: string, unit: string] {
  let power = 0;
  while (power < units.length - 1 && Math.abs(value) >= 1000 ** (power + 1)) power++;
  return [power === 0 ? figure(value) : (value / 1000 ** power).toPrecision(3), units[power]!];
}

/** A number in about five digits. */
export function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}
