/** Runs each page in its own process, and collects the results. */

import { fileURLToPath } from "node:url";
import type { Completion, HarnessStatus, Page, PageRecord, PageRun, SubtestResult } from "./page.ts";

export interface PageResult {
  id: string;
  status: HarnessStatus;
  message: string | null;
  subtests: SubtestResult[];
  /** The names of optional cases that the file skipped. */
  skippedCases: string[];
  /** In milliseconds, including the start of the process. */
  duration: number;
}

export interface RunOptions {
  root: string;
  /** URL of the module that every page imports first. */
  prelude?: string | undefined;
  jobs: number;
  timeoutMultiplier: number;
}

/** The timeout of a page, as in testharness.js, and the extra time to report it. */
const TIMEOUT_SECONDS = { normal: 10, long: 60 };
const GRACE_SECONDS = 5;
const STDERR_LINES = 12;

/** Runs all pages, `jobs` at a time, and calls back when each ends. */
export async function runPages(
  pages: Page[],
  options: RunOptions,
  onResult: (result: PageResult) => void,
): Promise<void> {
  const queue = pages.values();
  const runQueue = async () => {
    for (const page of queue) onResult(await runPage(page, options));
  };
  await Promise.all(Array.from({ length: options.jobs }, runQueue));
}

async function runPage(page: Page, { root, prelude, timeoutMultiplier }: RunOptions): Promise<PageResult> {
  const timeout = TIMEOUT_SECONDS[page.timeout] * timeoutMultiplier * 1000;
  const marker = crypto.randomUUID();
  const start = performance.now();
  const child = startProcess({ page, root, prelude, timeout, marker });
  let killed = false;
  const timer = setTimeout(() => {
    killed = true;
    child.kill("SIGKILL");
  }, timeout + GRACE_SECONDS * Math.max(1, timeoutMultiplier) * 1000);
  const output = await child.output();
  clearTimeout(timer);

  const { reported, completion } = readRecords(output.stdout, marker);
  return {
    id: page.id,
    ...(killed ? { status: "TIMEOUT", message: "killed because it was blocked" } : endOf(output, completion)),
    subtests: completion?.subtests ?? reported,
    skippedCases: completion?.skippedCases ?? [],
    duration: Math.round(performance.now() - start),
  };
}

function startProcess(run: PageRun): Deno.ChildProcess {
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const script = new URL("./open_page.ts", import.meta.url).href;
  // All permissions: a page with FFI can do everything anyway.
  const args = ["run", "--quiet", "--no-check", "--no-prompt", "-A", "--config", config, script, JSON.stringify(run)];
  const env = { NO_COLOR: "1" };
  return new Deno.Command(Deno.execPath(), { args, env, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
}

function readRecords(stdout: Uint8Array, marker: string) {
  const reported: SubtestResult[] = [];
  let completion: Completion | undefined;
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    const start = line.indexOf(marker);
    if (start < 0) continue;
    const record: PageRecord = JSON.parse(line.slice(start + marker.length));
    if ("completion" in record) completion = record.completion;
    else reported.push(record.subtest);
  }
  return { reported, completion };
}

/** A page must report that it is complete, and then exit with status 0. */
function endOf(
  output: Deno.CommandOutput,
  completion: Completion | undefined,
): { status: HarnessStatus; message: string | null } {
  if (completion !== undefined && output.success) return { status: completion.status, message: completion.message };
  const how = output.signal === null ? `exited with code ${output.code}` : `was killed by ${output.signal}`;
  const when = completion === undefined ? "before its tests were complete" : "after its tests were complete";
  const lastLines = new TextDecoder().decode(output.stderr).trimEnd().split("\n").slice(-STDERR_LINES).join("\n");
  return { status: "CRASH", message: `the process ${how} ${when}\n${lastLines}`.trimEnd() };
}
