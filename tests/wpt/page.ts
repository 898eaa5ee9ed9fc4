/** What a test page is, on both sides of the process that runs one: the runner starts it, the page reports to it. */

/** One test file, in one scope, with one variant: what the web platform calls a test, and what one process runs. */
export interface Page {
  /** Path and query of the page, its name on wpt.fyi: `/webnn/validation_tests/pad.https.any.html?cpu`. */
  id: string;
  scope: "window" | "dedicatedworker";
  /** URL paths of the scripts of the page after testharness.js: those of its META lines, then the test itself. */
  scripts: string[];
  timeout: "normal" | "long";
  title: string | undefined;
}

/** What a page is told when it is opened. */
export interface PageRun {
  page: Page;
  /** The checkout that URL paths are resolved against. */
  root: string;
  /** URL of a module that brings what is tested into the scope. */
  prelude: string | undefined;
  /** When the page gives up by itself, in milliseconds. */
  timeout: number;
  /** Stands before each record, and tells it from what tests and native code print on the same stream. */
  marker: string;
}

export const SUBTEST_STATUS = ["PASS", "FAIL", "TIMEOUT", "NOTRUN", "PRECONDITION_FAILED"] as const;
export const HARNESS_STATUS = ["OK", "ERROR", "TIMEOUT", "PRECONDITION_FAILED"] as const;

export type SubtestStatus = typeof SUBTEST_STATUS[number];
/** A page that died without a word has crashed: no page says so of itself. */
export type HarnessStatus = typeof HARNESS_STATUS[number] | "CRASH";

export interface SubtestResult {
  name: string;
  status: SubtestStatus;
  message: string | null;
}

/** How a page ended, by its own account. It also knows of the subtests that it never came to. */
export interface Completion {
  status: HarnessStatus;
  message: string | null;
  subtests: SubtestResult[];
  /** Names of the optional cases that the file itself did not make subtests of, for what the context does not support. */
  leftOut: string[];
}

/** A line that a page writes on its standard output, after the marker of its run: a result, and in the end all of them. */
export type PageRecord = { subtest: SubtestResult } | { completion: Completion };
