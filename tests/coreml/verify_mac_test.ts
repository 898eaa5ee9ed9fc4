/** The program behind `deno task verify:mac`, on the framework of native/fake_coreml/: Core ML itself is for Macs. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasTestData } from "../support/test_data.ts";
import { CASES } from "../wpt_cases/main.ts";
import type { CaseResult } from "../wpt_cases/report.ts";
import { available, unavailable } from "./fake_framework.ts";
import { type Findings, hasPassed, report } from "./verify_mac/report.ts";

const PROGRAM = fileURLToPath(new URL("verify_mac/main.ts", import.meta.url));

async function run(...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ["run", "--no-check", "--allow-all", PROGRAM, ...options];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test({
  name: `verify:mac reports on the fake framework${unavailable}`,
  ignore: !available,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const output = join(folder, "report.md");
      assertEquals(await run("--fake", "--filter", "softmax", "--output", output), { code: 0, stdout: "", stderr: "" });
      const text = await Deno.readTextFile(output);
      assertStringIncludes(text, "# Core ML: all that was run passed");
      assertStringIncludes(text, "**Run on the fake framework, not on Core ML");
      assertEquals(text.match(/^- yes: /gm)?.length, 3, "statements about the cache");
      const counts = [...text.matchAll(/^\| (CPU only|CPU and Neural Engine|all) \| [1-9]\d* \| 0 \| \d+ \|$/gm)];
      assertEquals(counts.length, hasTestData(CASES) ? 3 : 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("verify:mac explains itself, and what it cannot do", async () => {
  const help = await run("--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "Usage: deno task verify:mac");
  const wrong = await run("--fast");
  assertEquals([wrong.code, wrong.stderr], [1, "verify:mac: there is no option --fast; --help lists them\n"]);
  if (Deno.build.os === "darwin") return; // There it would run.
  const elsewhere = await run();
  assertEquals([elsewhere.code, elsewhere.stdout], [1, ""]);
  assertMatch(elsewhere.stderr, /^verify:mac: Core ML is a part of macOS, and this is \w+; --fake tests/);
});

Deno.test("the report of verify:mac shows what failed, and the times of a Mac", () => {
  const failure: CaseResult = {
    operator: "relu",
    name: "relu float32 1D tensor",
    required: true,
    outcome: "failed",
    error: 3,
    tolerance: "0 ULP",
    reason: "output[0] is 2",
  };
  const findings: Findings = {
    machine: { chip: "Apple M0", system: "macOS 14.4 (23E214), aarch64", devices: ["cpu", "npu"], deno: "2.9.6" },
    fake: false,
    cases: { all: [failure, { ...failure, outcome: "passed" }, { ...failure, outcome: "not supported" }] },
    networks: [{
      network: "squeezenet1.1",
      setting: "all",
      passed: true,
      error: 0.00025,
      devices: ["npu", "cpu"],
      cold: 1234.56,
      warm: 12,
      firstRun: 3.25,
      run: NaN,
    }],
    cache: [],
    skipped: ["mobilenetv2: no test data"],
  };
  assertEquals(hasPassed(findings), false);
  const text = report(findings);
  for (
    const line of [
      "# Core ML: there are failures",
      "- Apple M0, macOS 14.4 (23E214), aarch64",
      "| all | 1 | 1 | 1 |",
      "FAIL relu [required] relu float32 1D tensor: output[0] is 2 (max error 3, tolerance 0 ULP)",
      "| squeezenet1.1 | all | yes | 2.5e-4 | npu, cpu | 1234.6 | 12.0 | 3.3 | – |",
      "- mobilenetv2: no test data",
    ]
  ) assertEquals(text.split("\n").filter((other) => other === line).length, 1, line);
});
