/**
 * The process of one page: loads testharness.js and the page's scripts, and prints each result immediately, so that it is
 * not lost if the next test crashes the process.
 *
 * Usage: deno run -A open_page.ts PAGE_RUN_AS_JSON
 */

import { HARNESS_STATUS, type PageRecord, type PageRun, SUBTEST_STATUS, type SubtestResult } from "./page.ts";
import { installShims, loadScript, skippedCases } from "./shims.ts";

/** A test of testharness.js. */
interface HarnessTest {
  name: string;
  status: number;
  message: string | null;
}

/** The globals of testharness.js that are used here. */
interface Testharness {
  add_result_callback(callback: (test: HarnessTest) => void): void;
  add_completion_callback(callback: (tests: HarnessTest[], harness: Omit<HarnessTest, "name">) => void): void;
  fetch_tests_from_worker(worker: Worker): void;
  timeout(): void;
}

const run: PageRun = JSON.parse(Deno.args[0] ?? "");
const scope = globalThis as typeof globalThis & Testharness;

// Imports the module before the shims. If the tests run in a worker, the worker imports it.
if (run.prelude !== undefined && run.page.scope === "window") await import(run.prelude);
installShims(run);

// No await from here on: for testharness.js, loading ends at the first microtask.
loadScript(run.root, "/resources/testharness.js");
scope.add_result_callback((test) => write({ subtest: resultOf(test) }));
scope.add_completion_callback((tests, { status, message }) => {
  const subtests = tests.map(resultOf);
  write({ completion: { status: HARNESS_STATUS[status]!, message, subtests, skippedCases: skippedCases() } });
  Deno.exit();
});
// In a shell, testharness.js has no timeout. The timer also keeps the event loop alive.
setTimeout(scope.timeout, run.timeout);

if (run.page.scope === "window") {
  for (const path of run.page.scripts) loadScript(run.root, path);
} else {
  const script = new URL("./open_worker.ts", import.meta.url);
  const worker = new Worker(script, { type: "module", name: JSON.stringify(run) });
  // The worker handles errors of tests, so this event means that it could not start. testharness.js would only notice
  // that at the timeout.
  worker.addEventListener("error", (event) => {
    console.error(event.message);
    Deno.exit(1);
  });
  scope.fetch_tests_from_worker(worker);
}

function resultOf({ name, status, message }: HarnessTest): SubtestResult {
  return { name, status: SUBTEST_STATUS[status]!, message };
}

function write(record: PageRecord): void {
  let bytes = new TextEncoder().encode(`${run.marker}${JSON.stringify(record)}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}
