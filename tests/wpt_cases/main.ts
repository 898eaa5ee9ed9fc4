/**
 * `deno task test:wpt-cases [--device NAME] [--filter OPERATOR] [--report FILE]`: runs WPT's numeric cases on the CPU
 * or another device. Exits with status 1 if a case fails that is not in the device's list of exceptions, or one passes
 * that is.
 *
 * @module
 */

import { type ContextOptions, createContext } from "../../mod.ts";
import { cpu, deviceNamed } from "../support/devices.ts";
import { hasTestData, testData } from "../support/test_data.ts";
import { runProgram, showProgress, writeFile } from "../../support/program.ts";
import { loadCases } from "./cases.ts";
import { exceptionsOf } from "./exceptions.ts";
import type { Limits } from "./limits.ts";
import { type CaseResult, type Exceptions, failureLines, jsonReport, summarize, table } from "./report.ts";
import { runCase } from "./run_case.ts";

const HELP = `Runs WPT's numeric cases.

Usage: deno task test:wpt-cases [--device NAME] [--filter OPERATOR] [--report FILE]

  --device   the device: cpu (default), webgpu, openvino, openvino-plugin, ggml, or another provider that
             devices() lists, such as cuda
  --filter   only the cases of one operator
  --report   the JSON report to write (default reports/wpt-cases.json)
  --help     print this text`;

/** Git ignores the folder. */
const REPORT = new URL("../../reports/wpt-cases.json", import.meta.url);

/** The folder of the cases in the test data. */
export const CASES = "wpt/cases";

/** Runs all cases, or those of one operator, on a device. `progress` gets the number of finished cases. */
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

const OPTIONS = { string: ["device", "filter", "report"], default: { device: "cpu" } } as const;

if (import.meta.main) {
  await runProgram("wpt-cases", HELP, OPTIONS, async ({ device, filter, report = REPORT }) => {
    if (!hasTestData(CASES)) {
      throw new Error(`no ${CASES} in the test data; deno task data downloads it, WEBNN_TEST_DATA names its folder`);
    }
    const { missing, options } = deviceNamed(device);
    if (missing !== undefined) throw new Error(`${device} is ${missing}`);
    const progress = (done: number, all: number) => showProgress(done + 1 < all ? `case ${done + 1} of ${all}` : "");
    const results = await runCases(filter, options, progress);
    if (results.length === 0) throw new Error(`no cases of ${filter}`);
    return await reportOn(results, exceptionsOf(device), filter === undefined, report);
  });
}

/** Prints and writes the results. Returns the exit status. */
async function reportOn(
  results: readonly CaseResult[],
  exceptions: Exceptions,
  isComplete: boolean,
  file: string | URL,
): Promise<number> {
  const summary = summarize(results, exceptions, isComplete);
  console.log(table(results));
  const failures = results.filter(({ outcome }) => outcome === "failed");
  for (const line of failureLines(failures, exceptions)) console.log(line);
  for (const name of summary.stale) console.log(`STALE exception, the case passes or does not exist: ${name}`);
  const share = (100 * summary.passed / (summary.passed + summary.failed)).toFixed(2);
  console.log(
    `wpt-cases: ${summary.passed} passed (${share} % of those within the limits), ${summary.failed} failed, ` +
      `${summary.unsupported} not supported`,
  );
  await writeFile(file, jsonReport(results, summary));
  return summary.unexpected.length === 0 && summary.stale.length === 0 ? 0 : 1;
}
