/** Compares results with expectations.json, which lists every subtest that is expected not to pass. */

import type { HarnessStatus, SubtestStatus } from "./page.ts";
import type { PageResult } from "./run_page.ts";

export type Status = SubtestStatus | HarnessStatus;

/** One entry of expectations.json. */
export interface Expectation {
  /** The id of a page, or an id without the variant, which means all variants. */
  test: string;
  /** The name of the subtest. Without it, the entry is about the status of the page. */
  subtest?: string;
  /** The expected status; default `FAIL`, or `ERROR` for a page. A list if it depends on the machine. */
  status?: Status | Status[];
  /** Why it does not pass, in one line. */
  reason: string;
  /** URL of the upstream issue, if there is one. */
  issue?: string;
}

/** A result, compared with its expectation. `name` is undefined for the status of the page. */
export interface Check {
  name: string | undefined;
  status: Status | "MISSING";
  message: string | null;
  /** The expected statuses. */
  expected: Status[];
  verdict: "pass" | "expected" | "unexpected";
  expectation: Expectation | undefined;
}

export interface JudgedPage {
  result: PageResult;
  /** One per subtest, and one for the page if its status is not OK, or expected not to be. */
  checks: Check[];
}

const KEYS = new Set(["test", "subtest", "status", "reason", "issue"]);

/** Parses expectations.json. An entry that is not an {@linkcode Expectation} is a TypeError. */
export function parseExpectations(json: string): Expectation[] {
  const entries: Expectation[] = JSON.parse(json);
  for (const entry of entries) {
    const unknown = Object.keys(entry).find((key) => !KEYS.has(key));
    if (unknown !== undefined) throw new TypeError(`expectations.json: unknown key "${unknown}" in an entry`);
    if (!entry.test) throw new TypeError(`expectations.json: an entry has no test`);
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
      message: "expectations.json lists this subtest, but the page did not report it",
      expected: statusesOf(expectation, "FAIL"),
      verdict: "unexpected",
      expectation,
    }));
  const forPage = mine.find(({ subtest }) => subtest === undefined);
  const isOrdinary = result.status === "OK" && forPage === undefined;
  const page = isOrdinary ? [] : [check(undefined, result.status, result.message, "OK", forPage)];
  return { result, checks: [...page, ...subtests, ...missing] };
}

/** Entries that match no page. They must be removed, because the suite has changed. */
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
