/** The check of a machine's devices: its report, and that its bundle runs without the checkout. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Findings, hasPassed, writeReport } from "../../hardware/report.ts";
import { openOnnxRuntime } from "../../ffi/onnxruntime/library.ts";
import { testData, testWithData } from "../support/test_data.ts";

const CPU = { provider: "cpu", device: "cpu", vendor: "", hardware: "", version: "1", accelerated: false } as const;

const FINDINGS: Findings = {
  command: "./run",
  machine: { system: "a system", cpu: "a processor", cores: 2, deno: "2.9.6" },
  listing: { result: [{ ...CPU, backend: "onnxruntime", available: false, reason: "no | luck\n" }] },
  devices: [{
    device: "cpu",
    context: { result: { version: "1.30.0", accelerated: false, float16: true } },
    cases: { result: { passed: 95, failed: 5, unsupported: 7, failures: ["FAIL relu"] } },
    networks: { result: [{ name: "SqueezeNet", maxError: 1e-6 }] },
    models: {
      result: [{ name: "magika", cpuTime: 12, time: 3, error: 2e-6 }],
    },
    copies: { result: [{ bytes: 2e9, write: 1, read: 0.5 }] },
    suites: [{
      result: {
        suite: "simple",
        threads: 2,
        work: { operators: 1, flop: 3e9, bytes: 1, weightBytes: 0 },
        runs: 1,
        contestants: [
          { name: "webnn", engine: "ours", success: 1, peakMemory: 5e6, maxError: 0 },
          { name: "c", engine: "theirs", success: 1 },
          { name: "pytorch", problem: "did not start", success: 0 },
        ],
        measurements: [{ kind: "dispatch + read", times: { webnn: [3, 3], c: [2, 2] } }],
      },
    }],
  }],
};

Deno.test("the report has each step, what failed, and ratios of this module to the others", () => {
  const text = writeReport(FINDINGS);
  for (
    const part of [
      "no: no \\| luck |",
      "95 passed (95.00 % of those within the limits), 5 failed, 7 not supported.\n- FAIL relu",
      "| SqueezeNet | 1.0e-6 |  |",
      "| magika | 12.0 ms | 3.00 ms | 2.0e-6 |  |",
      "1000 ms, 2.00 GB/s | 500 ms, 4.00 GB/s",
      "| dispatch + read | c (theirs) | 2.00 ms | **1.500** (1.500 – 1.500) | 1.50e+3 |",
      "- pytorch: did not start",
    ]
  ) assertStringIncludes(text, part);
  assert(hasPassed(FINDINGS));
});

Deno.test("a check fails if a step or a network fails, or more than one case in twenty", () => {
  const [device] = FINDINGS.devices;
  const passes = (found: Partial<Findings["devices"][number]>) =>
    hasPassed({ ...FINDINGS, devices: [{ ...device!, ...found }] });
  assertEquals(passes({ copies: { problem: "ended by SIGSEGV" } }), false);
  assertEquals(passes({ networks: { result: [{ name: "SqueezeNet", problem: "wrong" }] } }), false);
  assertEquals(passes({ models: { result: [{ name: "magika", problem: "no kernel" }] } }), false);
  assertEquals(passes({ cases: { result: { passed: 94, failed: 6, unsupported: 0, failures: [] } } }), false);
  assertEquals(hasPassed({ ...FINDINGS, listing: { problem: "no library" } }), false);
});

testWithData(
  ["wpt/cases"],
  "the bundled program checks devices, and continues after a device that is missing",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const program = join(folder, "check.js");
      const source = fileURLToPath(new URL("../../hardware/check.ts", import.meta.url));
      const config = fileURLToPath(new URL("../../hardware/deno.json", import.meta.url));
      await run(
        ["bundle", "--quiet", "--config", config, "--keep-names", "--platform=deno", "--output", program, source],
        {},
      );
      const env = { WEBNN_TEST_DATA: testData("."), WEBNN_ORT_PATH: (await openOnnxRuntime()).path };
      const options = ["--device", "abacus,cpu", "--steps", "cases", "--filter", "relu", "--output-dir", folder];
      const { code, stderr } = await run(["run", "--allow-all", "--no-config", program, ...options], env);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "no provider abacus is available");
      const { devices: [abacus, cpu] }: Findings = JSON.parse(
        await Deno.readTextFile(join(folder, "device_report.json")),
      );
      assert("problem" in abacus!.context);
      assertEquals(cpu?.cases, { result: { passed: 17, failed: 0, unsupported: 0, failures: [] } });
      assertStringIncludes(await Deno.readTextFile(join(folder, "device_report.md")), "17 passed (100.00 %");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

async function run(args: string[], env: Record<string, string>): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, env, stdout: "null" }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}
