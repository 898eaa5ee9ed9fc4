/**
 * All rows, by domain and name.
 *
 * @module
 */

import type { Row } from "../row.ts";
import { elementwise } from "./elementwise.ts";

const ALL: readonly Row[] = [...elementwise];

const TABLE: ReadonlyMap<string, Row> = new Map(ALL.map((row) => [`${row.domain}:${row.name}`, row]));

/** The row of an operator, if there is one. */
export function rowOf(domain: string, name: string): Row | undefined {
  return TABLE.get(`${domain}:${name}`);
}

/** The names of all operators that have a row, with their domains. */
export function allRows(): readonly Row[] {
  return ALL;
}
