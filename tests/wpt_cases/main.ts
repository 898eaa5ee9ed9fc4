/**
 * `deno task test:wpt-cases [--filter OPERATOR] [--report FILE]`: WPT's numeric cases on the CPU backend. Exits with 1 if
 * a case fails that `exceptions.json` does not list with its reason, or if one passes that it does.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { createContext } from "../../mod.ts";
import { hasTestData, testData } from "../support/test_data.ts";
import { loadCases } from "./cases.ts";
import exceptions from "./exceptions.json" with { type: "json" };
import type { Limits } from "./limits.ts";
import { type CaseResult, failureLines, jsonReport, summarize, table } from "./report.ts";
import { runCase } from "./run_case.ts";

/** The folder of the cases in the test data. */
export const CASES = "wpt/cases";

/** Run all cases, or those of one operator. */
export async function runCases(filter?: string): Promise<CaseResult[]> {
  const context = await createContext({ device: "cpu" });
  try {
    const limits = context.opSupportLimits() as unknown as Limits;
    const results: CaseResult[] = [];
    for (const wptCase of await loadCases(testData(CASES), filter)) {
      results.push(await runCase(context, limits, wptCase));
    }
    return results;
  } finally {
    context.destroy();
  }
}

async function main(): Promise<number> {
  const { filter, report } = parseArgs(Deno.args, { string: ["filter", "report"] });
  if (!hasTestData(CASES)) {
    console.log(`wpt-cases: skipped, no ${CASES} in the test data; WEBNN_TEST_DATA names its folder`);
    return 0;
  }
  const results = await runCases(filter);
  if (results.length === 0) {
    console.error(`wpt-cases: no cases of ${filter}`);
    return 1;
  }
  const summary = summarize(results, exceptions, filter === undefined);
  console.log(table(results));
  for (const line of failureLines(results, exceptions)) console.log(line);
  for (const name of summary.stale) console.log(`STALE exception, the case passes or does not exist: ${name}`);
  console.log(`wpt-cases: ${summary.passed} passed, ${summary.failed} failed`);
  if (report !== undefined) await Deno.writeTextFile(report, jsonReport(results, summary));
  return summary.unexpected.length === 0 && summary.stale.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
