/** The report on Core ML: its figures, and that it has none if it ran on the fake framework. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CoreMLReport } from "../../hardware/coreml/measure.ts";
import { writeCoreMLMarkdown } from "../../hardware/coreml/markdown.ts";
import { available, unavailable } from "../coreml/fake_framework.ts";

const PROGRAM = fileURLToPath(new URL("../../hardware/coreml/main.ts", import.meta.url));

const NO_TIMES = { "cold build": [], "warm build": [], "first run": [], "dispatch + read": [] };
const REPORT: CoreMLReport = {
  command: "deno task device:coreml",
  machine: { system: "a system", cpu: "a chip", cores: 8, deno: "2.9.6", load: 0.25 },
  rounds: 3,
  isFake: false,
  suites: [{
    suite: "small",
    results: [
      {
        choice: "cpu",
        devices: ["cpu"],
        maxError: 0,
        times: {
          "cold build": [10, 10, 20],
          "warm build": [10, 10, 10],
          "first run": [4, 4, 4],
          "dispatch + read": [2, 2, 2],
        },
      },
      {
        choice: "default",
        devices: ["npu", "gpu"],
        maxError: 2e-6,
        times: {
          "cold build": [30, 40, 40],
          "warm build": [5, 5, 5],
          "first run": [4, 5, 6],
          "dispatch + read": [1, 1, 1],
        },
      },
      { choice: "low-power", devices: [], problem: "it | broke", times: NO_TIMES },
      { choice: "high-performance", devices: ["gpu"], maxError: 3, problem: "element 0 is 4, not 1", times: NO_TIMES },
    ],
  }],
  conversions: [
    { shape: [1, 1000], dataType: "float32", write: [10, 11, 12], read: [20, 21, 22], gather: [5, 6, 7] },
    { shape: [1, 1000], dataType: "uint8", write: [1, 1, 1], read: [2, 2, 2], gather: [] },
  ],
  skipped: ["huge: skipped, no weights"],
};

Deno.test("the report on Core ML starts with ratios to the CPU, which are computed within a round", () => {
  const lines = writeCoreMLMarkdown(REPORT).split("\n");
  const row = (start: string) => lines.filter((line) => line.startsWith(start));
  assertEquals(row("| suite | work"), ["| suite | work | default | low-power | high-performance |"]);
  assertEquals(row("| small | cold build"), ["| small | cold build | **3.000** (2.500 – 3.500) |  |  |"]);
  assertEquals(row("| small | dispatch"), ["| small | dispatch + read | **0.500** (0.500 – 0.500) |  |  |"]);
});

Deno.test("the report on Core ML has the devices, errors, missing suites, times and rates of copies", () => {
  const lines = writeCoreMLMarkdown(REPORT).split("\n");
  for (
    const line of [
      "| small | default | npu, gpu | 2.0e-6 | right |",
      "| small | low-power | – | – | **it \\| broke** |",
      "| small | high-performance | gpu | 3.0e+0 | **element 0 is 4, not 1** |",
      "| default | 40.0 ms (35.0 ms – 40.0 ms) | 5.00 ms (5.00 ms – 5.00 ms) | 5.00 ms (4.50 ms – 5.50 ms) | 1.00 ms (1.00 ms – 1.00 ms) |",
      "| [1, 1000] | float32 | 11.0 | 21.0 | 6.00 |",
      "| [1, 1000] | uint8 | 1.00 | 2.00 | – |",
      "Not measured: huge: skipped, no weights",
    ]
  ) assertEquals(lines.filter((other) => other === line).length, 1, line);
});

Deno.test("on the fake framework, the report says so and has no figures", () => {
  const text = writeCoreMLMarkdown({ ...REPORT, isFake: true });
  assertStringIncludes(text, "**Run on the fake framework of native/fake_coreml/, not on Core ML.**");
  assertEquals(text.match(/\d ms|\d µs|GB\/s|÷|## Ratios|Load before/g), null);
  assertStringIncludes(text, "| small | default | npu, gpu | 2.0e-6 | right |");
});

Deno.test({
  name: `device:coreml runs its suites on the fake framework, without times${unavailable}`,
  ignore: !available,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const options = ["--suite", "trivial", "--rounds", "3", "--output-dir", folder];
      const args = ["run", "--no-check", "--allow-all", PROGRAM, ...options];
      const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      const text = await Deno.readTextFile(join(folder, "performance_coreml.md"));
      assertStringIncludes(text, "Run on the fake framework");
      const report: CoreMLReport = JSON.parse(await Deno.readTextFile(join(folder, "performance_coreml.json")));
      assert(report.isFake);
      assertEquals(report.suites.map(({ suite }) => suite), ["trivial"]);
      assertEquals(report.suites[0]!.results.map(({ choice, maxError, problem }) => [choice, maxError, problem]), [
        ["cpu", 0, undefined],
        ["default", 0, undefined],
        ["low-power", 0, undefined],
        ["high-performance", 0, undefined],
      ]);
      for (const { times } of report.suites[0]!.results) assertEquals(times, NO_TIMES);
      assert(report.conversions.length > 10);
      for (const { write, read, gather } of report.conversions) assertEquals([write, read, gather], [[], [], []]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
