/** Compares results with expectations.json, which names every subtest that is expected not to pass. */

import type { HarnessStatus, SubtestStatus } from "./page.ts";
import type { PageResult } from "./run_page.ts";

export type Status = SubtestStatus | HarnessStatus;

/** One entry of expectations.json. */
export interface Expectation {
  /** A page's id, or its id without the variant, which means all variants. */
  test: string;
  /** Name of the subtest; without it, the status of the page itself is meant. */
  subtest?: string;
  /** Left out: `FAIL`, and for a page `ERROR`. A list where it depends on the machine. */
  status?: Status | Status[];
  /** Why it does not pass, in one line. */
  reason: string;
  /** URL of the upstream issue, where there is one. */
  issue?: string;
}

/** A result beside what was expected. `name` is undefined for the status of the page. */
export interface Check {
  name: string | undefined;
  status: Status | "MISSING";
  message: string | null;
  /** The statuses that were expected. */
  expected: Status[];
  verdict: "pass" | "expected" | "unexpected";
  expectation: Expectation | undefined;
}

export interface JudgedPage {
  result: PageResult;
  /** One for each subtest, and one for the page where it was, or should have been, anything but OK. */
  checks: Check[];
}

const KEYS = new Set(["test", "subtest", "status", "reason", "issue"]);

/** Reads expectations.json; an entry that is not an {@linkcode Expectation} is a TypeError. */
export function parseExpectations(json: string): Expectation[] {
  const entries: Expectation[] = JSON.parse(json);
  for (const entry of entries) {
    const unknown = Object.keys(entry).find((key) => !KEYS.has(key));
    if (unknown !== undefined) throw new TypeError(`expectations.json: unknown key "${unknown}" in an entry`);
    if (!entry.test) throw new TypeError(`expectations.json: an entry names no test`);
    if (!entry.reason) throw new TypeError(`expectations.json: ${entry.test}: ${entry.subtest ?? ""}: needs a reason`);
  }
  return entries;
}

export function judge(result: PageResult, expectations: Expectation[]): JudgedPage {
  const mine = expectations.filter((expectation) => applies(expectation, result.id));
  const subtests = result.subtests.map(({ name, status, message }) =>
    check(name, status, message, "PASS", mine.find((expectation) => expectation.subtest === name))
  );
  const names = new Set(result.subtests.map(({ name }) => name));
  const missing = mine
    .filter(({ subtest }) => subtest !== undefined && !names.has(subtest))
    .map((expectation): Check => ({
      name: expectation.subtest,
      status: "MISSING",
      message: "expectations.json names this subtest, and the page did not report it",
      expected: statusesOf(expectation, "FAIL"),
      verdict: "unexpected",
      expectation,
    }));
  const forPage = mine.find(({ subtest }) => subtest === undefined);
  const isOrdinary = result.status === "OK" && forPage === undefined;
  const page = isOrdinary ? [] : [check(undefined, result.status, result.message, "OK", forPage)];
  return { result, checks: [...page, ...subtests, ...missing] };
}

/** Entries that name no page at all: the suite has moved on, and they have to go. */
export function staleExpectations(expectations: Expectation[], ids: string[]): Expectation[] {
  return expectations.filter((expectation) => !ids.some((id) => applies(expectation, id)));
}

function applies({ test }: Expectation, id: string): boolean {
  return test === id || test === id.replace(/\?.*$/, "");
}

function check(
  name: string | undefined,
  status: Status,
  message: string | null,
  good: "PASS" | "OK",
  expectation: Expectation | undefined,
): Check {
  const expected = expectation === undefined ? [good] : statusesOf(expectation, good === "PASS" ? "FAIL" : "ERROR");
  const verdict = !expected.includes(status) ? "unexpected" : status === good ? "pass" : "expected";
  return { name, status, message, expected, verdict, expectation };
}

function statusesOf({ status }: Expectation, otherwise: Status): Status[] {
  return status === undefined ? [otherwise] : [status].flat();
}
