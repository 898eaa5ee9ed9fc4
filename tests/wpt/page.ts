/** The types of a test page, shared by the runner and the process that runs the page. */

/** A test file in one scope and one variant, which runs in its own process. WPT calls this a test. */
export interface Page {
  /** Path and query of the page, which is its name on wpt.fyi: `/webnn/validation_tests/pad.https.any.html?cpu`. */
  id: string;
  scope: "window" | "dedicatedworker";
  /** URL paths of the page's scripts after testharness.js: those in its META lines, then the test file. */
  scripts: string[];
  timeout: "normal" | "long";
  title: string | undefined;
}

/** The parameters for opening a page. */
export interface PageRun {
  page: Page;
  /** The checkout that URL paths refer to. */
  root: string;
  /** The URL of a module that defines the API under test. */
  prelude: string | undefined;
  /** The page's own timeout, in milliseconds. */
  timeout: number;
  /** A prefix of each record, which distinguishes it from the output of tests and native code. */
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

/** The final report of a page, including subtests that did not run. */
export interface Completion {
  status: HarnessStatus;
  message: string | null;
  subtests: SubtestResult[];
  /** The names of optional cases that the file skipped because the context does not support them. */
  skippedCases: string[];
}

/** A line that a page prints after the marker: a result, or the final report. */
export type PageRecord = { subtest: SubtestResult } | { completion: Completion };
