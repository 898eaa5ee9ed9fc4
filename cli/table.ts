/**
 * Formats tables and numbers.
 *
 * @module
 */
import Table from "cli-table3";
import { styled, type Terminal } from "./terminal.ts";

/** A column: its title, and the alignment of its cells. */
export type Column = string | { readonly title: string; readonly align: "left" | "right" };

const NO_LINES = Object.fromEntries(
  ["top", "bottom", "left", "mid", "right"].flatMap((side) =>
    ["", "-mid", "-left", "-right"].map((part) => [side + part, ""])
  ),
);

/** Formats a table with a head. Columns are separated by spaces, without lines. */
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

/** Formats names and values, one pair per line. */
export function facts(terminal: Terminal, rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => styled(terminal, "bold", name) + " ".repeat(width - name.length) + value).join(
    "\n",
  );
}

/** Formats an integer with thousands separators. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

const BYTE_UNITS = ["bytes", "kB", "MB", "GB", "TB"];
const UNITS = ["", " k", " M", " G", " T"];

/** Formats a number of bytes in a suitable unit; 1 kB is 1,000 bytes. */
export function bytes(value: number): string {
  const [figure, unit] = scaled(value, BYTE_UNITS);
  return `${figure} ${unit}`;
}

/** Formats a large number in thousands, millions, billions or trillions: `1.23 G`. */
export function large(value: number): string {
  return scaled(value, UNITS).join("");
}

function scaled(value: number, units: readonly string[]): [figure: string, unit: string] {
  let power = 0;
  while (power < units.length - 1 && Math.abs(value) >= 1000 ** (power + 1)) power++;
  return [power === 0 ? figure(value) : (value / 1000 ** power).toPrecision(3), units[power]!];
}

/** Formats a number: an integer completely, any other with five significant digits. */
export function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}
