/**
 * WPT's numeric cases: lowered to Core ML, encoded, and interpreted. Cases beyond the limits of Core ML are counted by
 * reason.
 */

import { assertEquals } from "@std/assert";
import { createMLContext } from "../../src/api/ml_context.ts";
import type { LowerOptions } from "../../src/backends/coreml/lower.ts";
import { testData, testWithData } from "../support/test_data.ts";
import { loadCases } from "../wpt_cases/cases.ts";
import type { Limits } from "../wpt_cases/limits.ts";
import { CASES } from "../wpt_cases/main.ts";
import { type CaseResult, failureLines, summarize } from "../wpt_cases/report.ts";
import { runCase } from "../wpt_cases/run_case.ts";
import { assertLoaded, LOWERINGS } from "./coremltools_result.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { openInterpretedDevice } from "./interpreted_device.ts";

/** Why cases are excluded, and how many per reason: features that Core ML does not have. */
const EXCLUDED = {
  "64-bit integers": 50,
  "uint32": 23,
  "more than 5 dimensions": 4,
};

for (const [name, options] of Object.entries(LOWERINGS)) {
  testWithData([CASES], `WPT's numeric cases as ML Programs: ${name}`, async () => {
    const { results, digests } = await run(options);
    const excluded = results.filter(({ outcome }) => outcome === "not supported");
    assertEquals(countReasons(excluded), EXCLUDED);
    assertEquals([results.length, digests.length], [2482, 2405]);
    assertLoaded(`WPT's numeric cases, ${name}`, digests);
    if (options.float16) return; // Less precise than WPT requires.
    const summary = summarize(results.filter((result) => !excluded.includes(result)), EXCEPTIONS, true);
    assertEquals(failureLines(summary.unexpected, EXCEPTIONS), []);
    assertEquals(summary.stale, [], "exceptions whose case passes");
    assertEquals(summary.passed, 2404);
  });
}

/** The results of the cases, and the hashes of their packages. */
async function run(options: LowerOptions): Promise<{ results: CaseResult[]; digests: readonly string[] }> {
  const device = openInterpretedDevice(options);
  const context = createMLContext(device);
  const limits = context.opSupportLimits() as unknown as Limits;
  const results: CaseResult[] = [];
  for (const wptCase of await loadCases(testData(CASES))) results.push(await runCase(context, limits, wptCase));
  context.destroy();
  return { results, digests: device.digests };
}

function countReasons(results: readonly CaseResult[]): Record<string, number> {
  const groups = Map.groupBy(results, ({ reason }) => kindOf(reason!));
  return Object.fromEntries([...groups].map(([kind, group]) => [kind, group.length]));
}

function kindOf(reason: string): string {
  if (reason.includes("int64")) return "64-bit integers";
  if (reason.includes("uint32")) return "uint32";
  return reason.includes("rank") ? "more than 5 dimensions" : reason;
}
