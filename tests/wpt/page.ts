/** The types of a test page, shared by the runner and the process that runs the page. */

/** One test file in one scope with one variant: what the web platform calls a test, and what one process runs. */
export interface Page {
  /** Path and query of the page, which is its name on wpt.fyi: `/webnn/validation_tests/pad.https.any.html?cpu`. */
  id: string;
  scope: "window" | "dedicatedworker";
  /** URL paths of the page's scripts after testharness.js: those of its META lines, then the test itself. */
  scripts: string[];
  timeout: "normal" | "long";
  title: string | undefined;
}

/** The parameters for opening a page. */
export interface PageRun {
  page: Page;
  /** The checkout that URL paths refer to. */
  root: string;
  /** URL of a module that makes the API under test available. */
  prelude: string | undefined;
  /** The page's own timeout, in milliseconds. */
  timeout: number;
  /** A prefix for each record, which distinguishes it from what tests and native code print. */
  marker: string;
}

export const SUBTEST_STATUS = ["PASS", "FAIL", "TIMEOUT", "NOTRUN", "PRECONDITION_FAILED"] as const;
export const HARNESS_STATUS = ["OK", "ERROR", "TIMEOUT", "PRECONDITION_FAILED"] as const;

export type SubtestStatus = typeof SUBTEST_STATUS[number];
/** A page that ends without a report has crashed. */
export type HarnessStatus = typeof HARNESS_STATUS[number] | "CRASH";

export interface SubtestResult {
  name: string;
  status: SubtestStatus;
  message: string | null;
}

/** How a page ended, as reported by itself. It includes the subtests that did not run. */
export interface Completion {
  status: HarnessStatus;
  message: string | null;
  subtests: SubtestResult[];
  /** The names of optional cases that the file left out because the context does not support them. */
  leftOut: string[];
}

/** A line that a page prints after the marker: a result or, at the end, all of them. */
export type PageRecord = { subtest: SubtestResult } | { completion: Completion };
