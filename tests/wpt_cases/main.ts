/**
 * `deno task test:wpt-cases [--device NAME] [--filter OPERATOR] [--report FILE]`: WPT's numeric cases on the CPU or
 * another device. Exits with 1 if a case fails that the device's file of exceptions does not list with its reason, or if
 * one passes that it does.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { type ContextOptions, createContext } from "../../mod.ts";
import { cpu, deviceNamed } from "../support/devices.ts";
import { hasTestData, testData } from "../support/test_data.ts";
import { loadCases } from "./cases.ts";
import { exceptionsOf } from "./exceptions.ts";
import type { Limits } from "./limits.ts";
import { type CaseResult, failureLines, jsonReport, summarize, table } from "./report.ts";
import { runCase } from "./run_case.ts";

const HELP = `Runs WPT's numeric cases.

Usage: deno task test:wpt-cases [--device NAME] [--filter OPERATOR] [--report FILE]

  --device   what runs them: cpu (the default), webgpu, openvino, openvino-plugin, ggml, or another provider that
             devices() lists, such as cuda
  --filter   the cases of one operator only
  --report   where the JSON report is written (default reports/wpt-cases.json)
  --help     this text`;

/** Git ignores the folder. */
const REPORT = new URL("../../reports/wpt-cases.json", import.meta.url);

/** The folder of the cases in the test data. */
export const CASES = "wpt/cases";

/** Run all cases, or those of one operator, on a device; `progress` is told how many are done. */
export async function runCases(
  filter?: string,
  options: ContextOptions = cpu.options,
  progress: (done: number, all: number) => void = () => {},
): Promise<CaseResult[]> {
  const context = await createContext(options);
  try {
    const limits = context.opSupportLimits() as unknown as Limits;
    const results: CaseResult[] = [];
    const cases = await loadCases(testData(CASES), filter);
    for (const wptCase of cases) {
      progress(results.length, cases.length);
      results.push(await runCase(context, limits, wptCase));
    }
    return results;
  } finally {
    context.destroy();
  }
}

async function main(): Promise<number> {
  const unknown: string[] = [];
  const { device = "cpu", filter, help, report = REPORT } = parseArgs(Deno.args, {
    string: ["device", "filter", "report"],
    boolean: ["help"],
    unknown: (option) => void unknown.push(option),
  });
  if (help) {
    console.log(HELP);
    return 0;
  }
  if (unknown.length > 0) {
    console.error(`wpt-cases: there is no option ${unknown[0]}; --help lists them`);
    return 1;
  }
  if (!hasTestData(CASES)) {
    console.log(`wpt-cases: skipped, no ${CASES} in the test data; WEBNN_TEST_DATA names its folder`);
    return 0;
  }
  const { missing, options } = deviceNamed(device);
  if (missing !== undefined) {
    console.error(`wpt-cases: ${device} is ${missing}`);
    return 1;
  }
  const exceptions = exceptionsOf(device);
  const results = await runCases(filter, options, showProgress);
  if (results.length === 0) {
    console.error(`wpt-cases: no cases of ${filter}`);
    return 1;
  }
  const summary = summarize(results, exceptions, filter === undefined);
  console.log(table(results));
  const failures = results.filter(({ outcome }) => outcome === "failed");
  for (const line of failureLines(failures, exceptions)) console.log(line);
  for (const name of summary.stale) console.log(`STALE exception, the case passes or does not exist: ${name}`);
  const share = (100 * summary.passed / (summary.passed + summary.failed)).toFixed(2);
  console.log(
    `wpt-cases: ${summary.passed} passed (${share} % of those within the limits), ${summary.failed} failed, ` +
      `${summary.unsupported} not supported`,
  );
  if (report === REPORT) await Deno.mkdir(new URL(".", REPORT), { recursive: true });
  await Deno.writeTextFile(report, jsonReport(results, summary));
  return summary.unexpected.length === 0 && summary.stale.length === 0 ? 0 : 1;
}

/** One line that is written over again. */
function showProgress(done: number, all: number): void {
  if (!Deno.stderr.isTerminal()) return;
  const text = done + 1 < all ? `case ${done + 1} of ${all}` : "";
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

if (import.meta.main) Deno.exit(await main());
