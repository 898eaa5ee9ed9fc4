/** The reports on a run of the suite: for the terminal, in the format of wpt.fyi, and docs/notes/conformance.md. */

import { posix } from "node:path";
import type { Revision } from "./checkout.ts";
import type { NotRun } from "./discover.ts";
import type { Check, Expectation, JudgedPage } from "./expectations.ts";

/** A run of the suite: all data of the reports. */
export interface Run {
  pages: JudgedPage[];
  notRun: NotRun[];
  stale: Expectation[];
  revision: Revision | undefined;
  /** The command line, without paths of this machine. */
  command: string;
  jobs: number;
  /** Milliseconds since 1970. */
  timeStart: number;
  timeEnd: number;
}

export interface Counts {
  pages: number;
  pass: number;
  expected: number;
  unexpected: number;
}

/** Counts by folder of the suite, and in total. */
export function count(pages: JudgedPage[]): { folders: Map<string, Counts>; total: Counts } {
  const folders = new Map<string, Counts>();
  const total = { pages: 0, pass: 0, expected: 0, unexpected: 0 };
  for (const { result, checks } of pages) {
    const folder = posix.dirname(result.id.replace(/\?.*$/, ""));
    const counts = folders.get(folder) ?? { pages: 0, pass: 0, expected: 0, unexpected: 0 };
    folders.set(folder, counts);
    for (const sum of [counts, total]) {
      sum.pages++;
      for (const { verdict } of checks) sum[verdict]++;
    }
  }
  return { folders: new Map([...folders].sort()), total };
}

/** Whether every page and subtest has its expected result. */
export function isAsExpected({ pages, stale }: Run): boolean {
  return count(pages).total.unexpected === 0 && stale.length === 0;
}

export function formatSummary(run: Run): string {
  const { folders, total } = count(run.pages);
  const rows = [["folder", "pages", "pass", "expected fail", "unexpected"]];
  for (const [folder, counts] of [...folders, ["total", total] as const]) {
    rows.push([folder, ...[counts.pages, counts.pass, counts.expected, counts.unexpected].map(String)]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map(([folder, ...numbers]) =>
    [folder!.padEnd(widths[0]!), ...numbers.map((number, i) => number.padStart(widths[i + 1]!))].join("  ")
  );
  const stale = run.stale.map(({ test }) => `expectations.json lists ${test}, but the suite has no such page`);
  const seconds = ((run.timeEnd - run.timeStart) / 1000).toFixed(1);
  const skippedCases = run.pages.flatMap(({ result }) => result.skippedCases).length;
  const notRun =
    `not run: ${run.notRun.length} files, and ${skippedCases} optional cases that the context does not support`;
  return ["", ...lines, "", ...stale, notRun, `${seconds} s with ${run.jobs} jobs`].join("\n");
}

/** The unexpected results of a page with their messages; empty if there are none. */
export function formatUnexpected({ result, checks }: JudgedPage): string {
  return checks.filter(({ verdict }) => verdict === "unexpected").map((check) => {
    const message = check.message?.replaceAll("\n", "\n    ") ?? "";
    return `${check.status}, expected ${check.expected.join(" or ")}  ${result.id}\n  ${
      check.name ?? "(the page)"
    }\n    ${message}`
      .trimEnd();
  }).join("\n");
}

/**
 * The format of wptrunner's `--log-wptreport`, which wpt.fyi accepts. `expected` is present only if the result differs.
 */
export interface WptReport {
  results: {
    test: string;
    status: string;
    message: string | null;
    /** Milliseconds. */
    duration: number;
    expected?: string;
    subtests: { name: string; status: string; message: string | null; expected?: string }[];
  }[];
  run_info: { product: string; browser_version: string; os: string; processor: string; revision: string | undefined };
  time_start: number;
  time_end: number;
}

/** https://github.com/web-platform-tests/wpt.fyi/blob/main/api/README.md#results-creation */
export function wptReport(run: Run): WptReport {
  return {
    results: run.pages.map(({ result, checks }) => ({
      test: result.id,
      status: result.status,
      message: result.message,
      duration: result.duration,
      ...expectedStatus(checks.find(({ name }) => name === undefined)),
      subtests: result.subtests.map(({ name, status, message }) => ({
        name,
        status,
        message,
        ...expectedStatus(checks.find((check) => check.name === name)),
      })),
    })),
    run_info: {
      product: "deno",
      browser_version: Deno.version.deno,
      os: Deno.build.os === "darwin" ? "mac" : Deno.build.os,
      processor: Deno.build.arch,
      revision: run.revision?.commit,
    },
    time_start: run.timeStart,
    time_end: run.timeEnd,
  };
}

function expectedStatus(check: Check | undefined): { expected?: string } {
  return check?.verdict === "unexpected" ? { expected: check.expected[0]! } : {};
}

/** The text of docs/notes/conformance.md. */
export function conformanceDocument(run: Run): string {
  const { folders, total } = count(run.pages);
  const row = (name: string, { pages, pass, expected, unexpected }: Counts) =>
    `| ${name} | ${pages} | ${pass} | ${expected} | ${unexpected} |`;
  const revision = run.revision === undefined ? "unknown" : `${run.revision.commit} of ${run.revision.date}`;
  return `# Conformance

<!-- Written by \`deno task wpt --conformance-doc docs/notes/conformance.md\`. Do not edit. -->

The [web-platform-tests](https://github.com/web-platform-tests/wpt/tree/master/webnn) of WebNN, run unmodified in Deno, with
their own testharness.js.

| | |
| --- | --- |
| Command | \`${run.command}\` |
| web-platform-tests | ${revision} |
| Date | ${new Date(run.timeStart).toISOString().slice(0, 10)} |
| Deno | ${Deno.version.deno}, ${Deno.build.os} ${Deno.build.arch} |
| Time | ${((run.timeEnd - run.timeStart) / 1000).toFixed(1)} s with ${run.jobs} concurrent processes |

## Subtests

A page is a test file in one variant and one scope (window, or dedicated worker if the file asks for it). It runs in its
own process. A crash, a timeout or a harness error of a page counts as one more unexpected result.

| Folder | Pages | Pass | Expected not to pass | Unexpected |
| --- | ---: | ---: | ---: | ---: |
${[...folders].map(([folder, counts]) => row(folder, counts)).join("\n")}
${row("**all**", total)}

## Subtests that do not pass

${listExceptions(run.pages)}

## Tests that do not run

${listNotRun(run)}
`;
}

function listNotRun({ notRun, pages }: Run): string {
  const files = notRun.map(({ path, reason }) => `- ${path}: ${reason}`);
  const cases = pages.filter(({ result }) => result.skippedCases.length > 0).map(({ result: { id, skippedCases } }) =>
    `- ${id}: skips ${skippedCases.length} optional cases that need more than \`opSupportLimits()\` lists: ` +
    skippedCases.map((name) => `“${name}”`).join(", ")
  );
  return [...files, ...cases].join("\n") || "Nothing.";
}

function listExceptions(pages: JudgedPage[]): string {
  const lines = pages.flatMap(({ result, checks }) =>
    checks.filter(({ verdict }) => verdict !== "pass").map(({ name, status, verdict, expectation }) => {
      const reason = verdict === "unexpected" ? "unexpected" : expectation!.reason;
      const issue = expectation?.issue === undefined ? "" : ` ([issue](${expectation.issue}))`;
      return `- ${result.id}, ${name === undefined ? "the page" : `“${name}”`}: ${status}, ${reason}${issue}`;
    })
  );
  return lines.join("\n") || "Nothing: every subtest passes.";
}
