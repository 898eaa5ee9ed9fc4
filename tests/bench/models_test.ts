/** `deno task bench:models`: its report, the processes of its rounds, and a run on a model from npm. */
import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { CONTESTANTS, IMPORTER, REFERENCE } from "../../bench/models/engine.ts";
import { withTables } from "../../bench/models/main.ts";
import { errorOf } from "../../bench/models/encoded.ts";
import { measureModel, type ModelResult } from "../../bench/models/measure.ts";
import { MODELS } from "../../bench/models/models.ts";
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
      reloads: [5, 10],
      runs: [1, 2, 4],
      peak: 2e6,
      after: 1e6,
    },
    {
      contestant: IMPORTER,
      engine: "engine 2",
      loads: [20, 20],
      firsts: [4, 2],
      reloads: [15, 30],
      runs: [2, 4, 8],
      error: 1.5e-6,
    },
    {
      contestant: "onnxruntime-web",
      engine: "engine 3",
      failed: "no kernel for If",
      loads: [30],
      firsts: [],
      reloads: [],
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
  assertEquals(ratioOf(MODEL, IMPORTER, REFERENCE, ["reloads"])!.median, 3);
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
  assertStringIncludes(markdown, "| small | 7.50 ms | **3.000** (3.000 – 3.000) | failed |");
  assertStringIncludes(markdown, "in a new process. Times");
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
  const headings = ["## Loads", "## Loads with the first run", "## Loads again"];
  const found = (report: Report) => writeMarkdown(report).split("\n").filter((line) => line.startsWith("## Loads"));
  assertEquals(found(REPORT), headings);
  assertEquals(found(report), []);
  assertStringIncludes(writeMarkdown(report), "in a process of its own. Times");
});

Deno.test("the page has charts of the runs, the loads, and the loads again", async () => {
  const html = await writePage("ONNX models", charts(REPORT), writeMarkdown(REPORT));
  assertEquals(html.match(/<svg /g)!.length, 3);
  for (const title of ["runs", "loads", "loads again"]) assertStringIncludes(html, `>${title}, threads: 1</text>`);
  assertStringIncludes(html, "<td>small</td>");
});

Deno.test("docs/models.md has markers for the tables; a page without them is an error", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs/models.md"));
  assertStringIncludes(withTables(page, "the tables"), "the tables\n\n<!-- /models -->");
  assertThrows(() => withTables("a page", "the tables"), Error, "no markers for the tables");
});

/** Measures the importer for two rounds, and records the processes. If `interrupted`, an interrupt comes in the first. */
async function measure(runsOnly: boolean, processes: Deno.ChildProcess[], interrupted = false): Promise<ModelResult> {
  const { spawn } = Deno.Command.prototype;
  Deno.Command.prototype.spawn = function () {
    const process = spawn.call(this);
    processes.push(process);
    return process;
  };
  const controller = new AbortController();
  try {
    return await measureModel({
      model: MODELS.find(({ name }) => name === "wakeword-embedding")!,
      contestants: CONTESTANTS.filter(({ name }) => name === IMPORTER),
      reference: IMPORTER,
      threads: 1,
      rounds: 2,
      runsOnly,
      signal: controller.signal,
      progress: (step) => interrupted && step.startsWith("round 1") && controller.abort(),
    });
  } finally {
    Deno.Command.prototype.spawn = spawn;
  }
}

Deno.test("each round has a new process, which loads the model twice", async () => {
  const processes: Deno.ChildProcess[] = [];
  const { results: [result] } = await measure(false, processes);
  assertEquals(processes.length, 2);
  assertEquals([result!.loads.length, result!.firsts.length, result!.reloads.length], [2, 2, 2]);
  for (const { status } of processes) assertEquals((await status).success, true);
});

Deno.test("with --runs-only, one process stays for all rounds, and loads the model once", async () => {
  const processes: Deno.ChildProcess[] = [];
  const { results: [result] } = await measure(true, processes);
  assertEquals(processes.length, 1);
  assertEquals([result!.loads.length, result!.firsts.length, result!.reloads.length], [1, 1, 0]);
  assertEquals(result!.runs.length, 6);
});

Deno.test("an interrupt ends the measurement after the round, and its processes", async () => {
  const processes: Deno.ChildProcess[] = [];
  await assertRejects(() => measure(false, processes, true), DOMException, "aborted");
  assertEquals(processes.length, 1);
  assertEquals((await processes[0]!.status).success, true);
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
    for (const { loads, firsts, reloads, runs } of models[0]!.results) {
      assertEquals([loads.length, firsts.length, reloads.length], [1, 1, 1]);
      assert(runs.length > 0 && [...loads, ...firsts, ...reloads, ...runs].every((time) => time > 0));
    }
    assertStringIncludes(await Deno.readTextFile(join(folder, "models.html")), "<svg ");
    assertStringIncludes(await Deno.readTextFile(join(folder, "models.md")), "| wakeword-embedding |");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
