/** `deno task bench:models`: its report, and a run on a model from npm. */
import { assert, assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { IMPORTER, REFERENCE } from "../../bench/models/engine.ts";
import { withTables } from "../../bench/models/main.ts";
import { errorOf } from "../../bench/models/encoded.ts";
import type { ModelResult } from "../../bench/models/measure.ts";
import { charts, failures, ratioOf, type Report, writeMarkdown } from "../../bench/models/report.ts";
import { writePage } from "../../bench/report/html.ts";

const ROOT = join(import.meta.dirname!, "../..");

const MODEL: ModelResult = {
  model: "small",
  task: "a test",
  data: "numbers",
  size: 1_500_000,
  results: [
    {
      contestant: REFERENCE,
      engine: "engine 1",
      loads: [10, 20],
      firsts: [2, 2],
      runs: [1, 2, 4],
      peak: 2e6,
      after: 1e6,
    },
    { contestant: IMPORTER, engine: "engine 2", loads: [20, 20], firsts: [4, 2], runs: [2, 4, 8], error: 1.5e-6 },
    {
      contestant: "onnxruntime-web",
      engine: "engine 3",
      failed: "no kernel for If",
      loads: [30],
      firsts: [],
      runs: [],
    },
  ],
};

const REPORT: Report = {
  command: "deno task bench:models",
  machine: { system: "linux", cpu: "a CPU", cores: 2, deno: "2.9.6", load: 0.1 },
  threads: 1,
  rounds: 2,
  runsOnly: false,
  reference: REFERENCE,
  contestants: [REFERENCE, IMPORTER, "onnxruntime-web"].map((name) => ({ name, what: `what ${name} is` })),
  skipped: ["large: there is no registry"],
  models: [MODEL],
};

Deno.test("ratios are medians of the ratios within a turn; failed engines have none", () => {
  assertEquals(ratioOf(MODEL, IMPORTER, REFERENCE, ["runs"]), { median: 2, p25: 2, p75: 2 });
  assertEquals(ratioOf(MODEL, IMPORTER, REFERENCE, ["loads"])!.median, 1.5);
  assertEquals(ratioOf(MODEL, IMPORTER, REFERENCE, ["loads", "firsts"])!.median, 1.5);
  assertEquals(ratioOf(MODEL, "onnxruntime-web", REFERENCE, ["loads"]), undefined);
});

Deno.test("the error is the largest difference, relative to the largest magnitude of the output", () => {
  const output = (...data: (number | string)[]) => ({ y: { shape: [data.length], data } });
  assertEquals(errorOf(output(1, -4.5), output(1, -4)), 0.125);
  assertEquals(errorOf(output(0, 0), output(0, 0)), 0);
  assertEquals(errorOf(output(0, "NaN"), output(0, "NaN")), 0);
  assertEquals(errorOf(output(0, "NaN"), output(0, 1)), Infinity);
  assertEquals(errorOf(output(1e-9, 0), output(0, 0)), Infinity);
  assertEquals(errorOf(output(1), output(1, 2)), Infinity);
  assertEquals(errorOf({}, output(1)), Infinity);
});

Deno.test("the report has times, memory, errors and failures", () => {
  const markdown = writeMarkdown(REPORT);
  assertStringIncludes(markdown, "| small | 2.00 ms | **2.000** (2.000 – 2.000) | failed |");
  assertStringIncludes(markdown, "| small | 15.0 ms | **1.500** (1.250 – 1.750) | failed |");
  assertStringIncludes(markdown, "| small | 1.5 MB | 2.0 MB, 1.0 MB |  | failed |");
  assertStringIncludes(markdown, "| small | 1.5e-6 | failed |");
  assertStringIncludes(markdown, "Not measured: large: there is no registry");
  assertEquals(markdown.includes("other programs were running"), false);
  const busy = { ...REPORT, machine: { ...REPORT.machine, load: 2 } };
  assertStringIncludes(writeMarkdown(busy), "other programs were running");
  assertEquals(failures(REPORT), ["small, onnxruntime-web: no kernel for If"]);
});

Deno.test("with --runs-only, the report has no loads", () => {
  const report = { ...REPORT, runsOnly: true };
  assertEquals(charts(report).map(({ title }) => title), ["runs, threads: 1"]);
  assertEquals(writeMarkdown(REPORT).includes("## Loads"), true);
  assertEquals(writeMarkdown(report).includes("## Loads"), false);
});

Deno.test("the page has a chart of the runs and one of the loads", async () => {
  const html = await writePage("ONNX models", charts(REPORT), writeMarkdown(REPORT));
  assertEquals(html.match(/<svg /g)!.length, 2);
  for (const text of [">runs, threads: 1</text>", ">loads, threads: 1</text>", "<td>small</td>"]) {
    assertStringIncludes(html, text);
  }
});

Deno.test("docs/models.md has markers for the tables; a page without them is an error", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs/models.md"));
  assertStringIncludes(withTables(page, "the tables"), "the tables\n\n<!-- /models -->");
  assertThrows(() => withTables("a page", "the tables"), Error, "no markers for the tables");
});

/** The packaged Chromium is for Linux. */
const AGAINST = [REFERENCE, ...Deno.build.os === "linux" ? ["chromium"] : []];

Deno.test(`bench:models measures the importer, ${AGAINST.join(" and ")}`, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const options = [
      "--model",
      "wakeword-embedding",
      "--against",
      AGAINST.join(),
      "--rounds",
      "1",
      "--output-dir",
      folder,
    ];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "bench:models", ...options],
      cwd: ROOT,
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const { models } = JSON.parse(await Deno.readTextFile(join(folder, "models.json"))) as Report;
    const [, ...others] = models[0]!.results;
    assertEquals(models[0]!.results.map(({ contestant }) => contestant), [REFERENCE, IMPORTER, ...AGAINST.slice(1)]);
    assertEquals(models[0]!.results.map(({ failed }) => failed), AGAINST.map(() => undefined).concat(undefined));
    for (const { error } of others) assertLess(error!, 1e-4);
    for (const { loads, firsts, runs } of models[0]!.results) {
      assertEquals([loads.length, firsts.length], [1, 1]);
      assert(runs.length > 0 && [...loads, ...firsts, ...runs].every((time) => time > 0));
    }
    assertStringIncludes(await Deno.readTextFile(join(folder, "models.html")), "<svg ");
    assertStringIncludes(await Deno.readTextFile(join(folder, "models.md")), "| wakeword-embedding |");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
