/** WPT's numeric cases on the fake framework: each must have the same outcome as with the interpreter alone. */
import { assertEquals } from "@std/assert";
import { createMLContext, type MLContext } from "../../../src/api/ml_context.ts";
import { openCoreML } from "../../../src/backends/coreml/mod.ts";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { testData } from "../../support/test_data.ts";
import { loadCases } from "../../wpt_cases/cases.ts";
import type { Limits } from "../../wpt_cases/limits.ts";
import { CASES } from "../../wpt_cases/main.ts";
import type { CaseResult } from "../../wpt_cases/report.ts";
import { runCase } from "../../wpt_cases/run_case.ts";
import { openCallback } from "../fake_framework.ts";
import { openInterpretedDevice } from "../interpreted_device.ts";

const [library, folder] = Deno.args as [string, string];
await openCallback(openCoreMLFramework(library).runtime);

Deno.test("WPT's numeric cases", async () => {
  const expected = await runAll(createMLContext(openInterpretedDevice({ specificationVersion: 9, float16: false })));
  const device = openCoreML({ device: "cpu", cacheDirectory: `${folder}/cache` }, library);
  const actual = await runAll(createMLContext(device));
  const different = actual.filter(({ outcome }, i) => outcome !== expected[i]!.outcome);
  assertEquals(different, []);
  const passed = actual.filter(({ outcome }) => outcome === "passed").length;
  console.log(`${passed} of ${actual.length} cases pass on the fake Core ML, as many as the interpreter passes`);
});

async function runAll(context: MLContext): Promise<CaseResult[]> {
  const limits = context.opSupportLimits() as unknown as Limits;
  const results: CaseResult[] = [];
  for (const wptCase of await loadCases(testData(CASES))) results.push(await runCase(context, limits, wptCase));
  context.destroy();
  return results;
}
