/** `deno task verify:mac` on the framework of native/fake_coreml/, because Core ML needs a Mac. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasTestData, testWithData } from "../support/test_data.ts";
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
      const expected = { code: 0, stdout: `Written: ${output}\n`, stderr: "" };
      assertEquals(await run("--fake", "--filter", "softmax", "--output", output), expected);
      const text = await Deno.readTextFile(output);
      assertStringIncludes(text, "# Core ML: all checks that ran passed");
      assertStringIncludes(text, "**Run on the fake framework, not on Core ML");
      assertEquals(text.match(/^- yes: /gm)?.length, 5, "statements about the cache and the choice of engines");
      const counts = [...text.matchAll(/^\| (CPU only|CPU and Neural Engine|all) \| [1-9]\d* \| 0 \| 0 \| \d+ \|$/gm)];
      assertEquals(counts.length, hasTestData(CASES) ? 3 : 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

testOnNetwork(
  "verify:mac runs a network on the fake framework with every setting, and classifies photos",
  async (output) => {
    assertEquals(await run("--fake", "--filter", "squeezenet1.1", "--output", output), {
      code: 0,
      stdout: `Written: ${output}\n`,
      stderr: "",
    });
    const rows = (await Deno.readTextFile(output)).split("\n").filter((line) => line.startsWith("| squeezenet1.1 |"));
    const columns = rows.map((row) => row.split("|").map((cell) => cell.trim()));
    assertEquals(columns.map(([, , setting, agrees, , photos]) => [setting, agrees, photos]), [
      ["CPU only", "yes", "1 of 1"],
      ["CPU and Neural Engine", "yes", "1 of 1"],
      ["all", "yes", "1 of 1"],
      ["CPU and Neural Engine, float16", "yes", "1 of 1"],
    ]);
  },
);

/** Registers a test that needs SqueezeNet and writes a report. */
function testOnNetwork(name: string, body: (output: string) => Promise<void>): void {
  const files = [
    "models/squeezenet1.1.safetensors",
    "models/squeezenet1.1.reference.json",
    "models/images/red_panda.jpg",
  ];
  if (!available) return Deno.test({ name: name + unavailable, ignore: true, fn() {} });
  testWithData(files, name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await body(join(folder, "reports", "report.md"));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("verify:mac prints its usage, and rejects unknown options, unknown filters and other systems", async () => {
  const help = await run("--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "Usage: deno task verify:mac");
  const wrong = await run("--fast");
  assertEquals([wrong.code, wrong.stderr], [1, "verify:mac: unknown option --fast; --help lists the options\n"]);
  const unknown = await run("--filter", "softmux");
  assertEquals([unknown.code, unknown.stderr], [1, "verify:mac: softmux is neither an operator nor a network\n"]);
  if (Deno.build.os === "darwin") return; // It would run there.
  const elsewhere = await run();
  assertEquals([elsewhere.code, elsewhere.stdout], [1, ""]);
  assertMatch(elsewhere.stderr, /^verify:mac: Core ML is a part of macOS, and this is \w+; --fake tests/);
});

Deno.test("the report of verify:mac lists failures, and the times of a Mac", () => {
  const failure: CaseResult = {
    operator: "relu",
    name: "relu float32 1D tensor",
    required: true,
    outcome: "failed",
    error: 3,
    tolerance: "0 ULP",
    reason: "output[0] is 2",
  };
  const engine = { backend: "coreml", provider: "coreml", vendor: "Apple", version: "14.4" };
  const findings: Findings = {
    machine: { chip: "Apple M0", system: "macOS 14.4 (23E214), aarch64", deno: "2.9.6" },
    fake: false,
    devices: [{
      ...engine,
      device: "npu",
      hardware: "Neural Engine",
      available: false,
      accelerated: false,
      reason: "bad\nluck",
    }],
    cases: {
      all: [
        failure,
        { ...failure, outcome: "passed" },
        { ...failure, outcome: "not supported" },
        { ...failure, name: "batchNormalization options.axis=0 + gelu" },
      ],
    },
    networks: [{
      network: "squeezenet1.1",
      setting: "all",
      passed: true,
      error: 0.00025,
      photos: [3, 4],
      devices: ["npu", "cpu"],
      cold: 1234.56,
      warm: 12,
      firstRun: 3.25,
      run: NaN,
    }],
    statements: [{ statement: "it is kept", passed: true }],
    skipped: ["mobilenetv2: no test data"],
  };
  assertEquals(hasPassed(findings), false);
  const fine = { ...findings, cases: {}, devices: findings.devices.map((entry) => ({ ...entry, available: true })) };
  assertEquals(hasPassed(fine), true);
  assertEquals(hasPassed({ ...fine, devices: findings.devices }), false, "no device works");
  assertEquals(hasPassed({ ...fine, statements: [{ statement: "it is kept", passed: false }] }), false);
  const text = report(findings);
  for (
    const line of [
      "# Core ML: there are failures",
      "- Apple M0, macOS 14.4 (23E214), aarch64",
      "| all | 1 | 1 | 1 | 1 |",
      "FAIL relu [required] relu float32 1D tensor: output[0] is 2 (max error 3, tolerance 0 ULP)",
      "| squeezenet1.1 | all | yes | 2.5e-4 | 3 of 4 | npu, cpu | 1234.6 | 12.0 | 3.3 | – |",
      "| coreml | coreml | npu | Neural Engine | no | bad luck |",
      "- yes: it is kept",
      "- mobilenetv2: no test data",
    ]
  ) assertEquals(text.split("\n").filter((other) => other === line).length, 1, line);
});
