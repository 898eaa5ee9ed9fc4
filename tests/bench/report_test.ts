import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Contestant, contestants, REFERENCE, WEBNN } from "../../bench/report/contestants.ts";
import { compareReports, comparisonSection } from "../../bench/report/compare.ts";
import type { Report } from "../../bench/report/figures.ts";
import { goalTable } from "../../bench/report/goals.ts";
import { writeHtml } from "../../bench/report/html.ts";
import { writeDetails, writeSummary } from "../../bench/report/markdown.ts";
import { maxError, measureSuite, type SuiteResult } from "../../bench/report/measure.ts";
import { commandOf } from "../../bench/report/setup.ts";
import { median, quantile, spreadOf } from "../../support/statistics.ts";
import { compiler, withoutCompiler } from "../../support/c_compiler.ts";

Deno.test("the command in a report has no file names of the machine", () => {
  const files = ["--output-dir", "out", "--baseline=old.json", "--from", "a.json,b.json"];
  assertEquals(commandOf("bench:x", ["--threads", "1", ...files, "--quick"]), "deno task bench:x --threads 1 --quick");
});

Deno.test("quartiles are interpolated, in any order of the values", () => {
  assertEquals(spreadOf([5, 1, 2, 4, 3]), { median: 3, p25: 2, p75: 4 });
  assertEquals(spreadOf([4, 1, 3, 2]), { median: 2.5, p25: 1.75, p75: 3.25 });
  assertEquals(spreadOf([7]), { median: 7, p25: 7, p75: 7 });
  assertEquals([quantile([1, 2], 0), quantile([1, 2], 1)], [1, 2]);
  assertEquals([median([]), quantile([], 0.5)], [NaN, NaN]);
});

Deno.test("the largest error is NaN if a number is missing, or is NaN on one side only", () => {
  const of = (...values: number[]) => Float32Array.of(...values);
  assertEquals(maxError(of(1, 2.5, -1), of(1, 2, -2)), 1);
  assertEquals(maxError(of(NaN, Infinity, 0), of(NaN, Infinity, -0)), 0);
  assertEquals(maxError(of(NaN, 5), of(1, 2)), NaN);
  assertEquals(maxError(of(1), of(1, 2)), NaN);
});

const WORK = { operators: 1, flop: 2e6, bytes: 4e6, weightBytes: 3e6 };
const REPORT: Report = {
  command: "deno task bench:report --rounds 3",
  machine: { system: "a system", cpu: "a processor", cores: 2, deno: "2.9.6", load: 0.25 },
  device: "cpu",
  rounds: 3,
  reference: "c",
  contestants: ["webnn", "c", "fast", "absent"].map((name) => ({ name, title: `the ${name}`, reads: "copies" })),
  skipped: ["huge: skipped, no weights"],
  builder: [{ operators: 10_000, perSecond: { median: 400_000, p25: 390_000, p75: 410_000 } }],
  coldStart: [
    { name: "webnn, cached", times: [150, 100, 160] },
    { name: "onnxruntime-node", times: [200, 200, 200] },
  ],
  suites: [{
    suite: "small",
    threads: 2,
    work: WORK,
    runs: 7,
    contestants: [
      { name: "webnn", engine: "engine 1", maxError: 2e-7, peakMemory: 5e6, success: 1 },
      { name: "c", engine: "engine 1", maxError: 0, peakMemory: 4e6, success: 1 },
      { name: "fast", engine: "engine 2", maxError: 0, success: 1 },
      { name: "absent", problem: "did not start: not installed", success: 0.25 },
    ],
    measurements: [
      { kind: "build", times: { webnn: [30, 40, 60], c: [20, 20, 20] } },
      { kind: "dispatch + read", times: { webnn: [4, 9, 2], c: [2, 6, 2], fast: [0.05, 0.05, 0.05] } },
    ],
  }],
};

Deno.test("ratios are computed within a round", () => {
  const details = writeDetails(REPORT);
  const ratios = details.slice(details.indexOf("## Ratios"), details.indexOf("## Memory")).split("\n");
  assertEquals(ratios.slice(4, 8), [
    "| suite | work | threads | webnn | fast | absent |",
    "| --- | --- | --- | --- | --- | --- |",
    "| small | build | 2 | **2.000** (1.750 – 2.500) |  |  |",
    "| small | dispatch + read | 2 | **1.500** (1.250 – 1.750) | **0.025** (0.017 – 0.025) |  |",
  ]);
  const winners = details.slice(details.indexOf("## Faster than c"), details.indexOf("## Ratios")).split("\n");
  assertEquals(winners.filter((line) => line.startsWith("|")), [
    "| contestant | suite | threads | ÷ c |",
    "| --- | --- | --- | --- |",
    "| fast | small | 2 | **0.025** (0.017 – 0.025) |",
  ]);
});

Deno.test("the summary has a row for the runs of each suite, and for the builds and the memory of networks", () => {
  const small = REPORT.suites[0]!;
  const network = { ...small, suite: "network", work: { ...WORK, operators: 50 } };
  const light = { ...small, suite: "light", work: { ...WORK, weightBytes: 10 } };
  const trivial = { ...small, suite: "trivial" };
  const summary = writeSummary({ ...REPORT, suites: [trivial, small, network, light] });
  const section = (title: string) => summary.split("\n## ").find((part) => part.startsWith(title))!.split("\n");
  const rows = (title: string) => section(title).filter((line) => line.startsWith("|")).slice(2);
  assertEquals(rows("Runs")[1], "| small | 2 | 4.00 ms | **1.500** (1.250 – 1.750) | **0.025** (0.017 – 0.025) |  |");
  assertEquals(rows("Runs").length, 4);
  assertEquals(rows("Builds"), ["| network | build | 2 | **2.000** (1.750 – 2.500) |  |  |"]);
  assertEquals(rows("Memory").map((row) => row.split(" ")[1]), ["small", "network"]);
  assert(summary.indexOf("## Runs") < summary.indexOf("## Goals"));
});

Deno.test("the report has times, rates of work, errors, and missing contestants and suites", () => {
  const markdown = writeSummary(REPORT) + writeDetails(REPORT);
  assertStringIncludes(markdown, "1 operator, 3.0 MB of weights; a run is 2.0 MFLOP, 4.0 MB. 7 runs a turn.");
  assertStringIncludes(
    markdown,
    "The builder adds 400,000 operators per second (390,000 – 410,000) to a graph of 10,000.",
  );
  const lines = markdown.split("\n");
  const row = (start: string) => lines.filter((line) => line.startsWith(start));
  assertEquals(row("| webnn (engine 1)"), [
    "| webnn (engine 1) | **2.000** (1.750 – 2.500) | 40.0 ms | 35.0 ms – 50.0 ms | 25 |  |  | 5.0 MB | 2.0e-7 | 100 % |",
    "| webnn (engine 1) | **1.500** (1.250 – 1.750) | 4.00 ms | 3.00 ms – 6.50 ms | 250 | 0.500 | 1.00 | 5.0 MB | 2.0e-7 | 100 % |",
  ]);
  assertEquals(row("| absent | "), [
    "| absent | the absent | copies |",
    ...Array.from({ length: 2 }, () => "| absent |  |  |  |  |  |  |  |  | 25 % |"),
  ]);
  assertEquals(row("| fast (engine 2)"), [
    "| fast (engine 2) | **0.025** (0.017 – 0.025) | 50.0 µs | 50.0 µs – 50.0 µs | 20,000 | 40.0 | 80.0 |  | 0 | 100 % |",
  ]);
  assertEquals(row("| webnn, cached"), ["| webnn, cached | **0.750** (0.625 – 0.775) | 150 ms | 125 – 155 ms |"]);
  assertEquals(row("**absent**"), ["**absent**: did not start: not installed"]);
  assertEquals(row("Not measured"), ["Not measured: huge: skipped, no weights"]);
});

Deno.test("a goal is met, not met or not measured", () => {
  const suite = (name: string, kind: "build" | "dispatch + read", own: number, others: number) => ({
    ...REPORT.suites[0]!,
    suite: name,
    threads: 1,
    measurements: [{ kind, times: { webnn: [own, own], c: [others, others] } }],
  });
  const suites = [suite("simple", "dispatch + read", 1.04, 1), suite("mobilenetv2", "build", 3, 2)];
  const lines = goalTable({ ...REPORT, suites }).split("\n");
  const row = (start: string) => lines.find((line) => line.startsWith(start));
  assertEquals(row("| simple, dispatch"), "| simple, dispatch + read, ÷ c | 1 | ≤ 1.05 | 1.040 | yes |");
  assertEquals(row("| mobilenetv2, build"), "| mobilenetv2, build, ÷ c | 1 | ≤ 1.10 | 1.500 | **no** |");
  assertEquals(row("| complex"), "| complex, dispatch + read, ÷ c | 1 | ≤ 1.02 | not measured |  |");
  assertStringIncludes(lines.join(), "| ≥ 300,000 | 400,000 | yes |");
  assertStringIncludes(
    lines.join(),
    "process start to first result, cached, ÷ onnxruntime-node |  | ≤ 0.90 | 0.750 | yes |",
  );
});

Deno.test("memory is measured above that of the trivial suite, with ratios to the reference", () => {
  const small = REPORT.suites[0]!;
  const contestants = small.contestants.map((result) => ({ ...result, peakMemory: 1e6 }));
  const markdown = writeSummary({ ...REPORT, suites: [{ ...small, suite: "trivial", contestants }, small] });
  assertStringIncludes(markdown, "| small | 2 | **1.33**, 4.0 MB | **1.00**, 3.0 MB |  |  |");
});

/** The report with these times for this module, and a reference that always takes 1 ms. */
function withTimes(webnn: number[], reference = "c"): Report {
  const times = { webnn, c: webnn.map(() => 1) };
  return { ...REPORT, reference, suites: [{ ...REPORT.suites[0]!, measurements: [{ kind: "build", times }] }] };
}

Deno.test("a measurement has changed if the middle halves of both reports do not overlap", () => {
  const before = withTimes([1, 1.1, 1.2, 1.3, 1.4]); // The middle half is 1.1 to 1.3.
  const verdict = (times: number[]) => compareReports(before, withTimes(times)).map(({ verdict }) => verdict);
  assertEquals(verdict([1.25, 1.25, 1.25]), ["same"]);
  assertEquals(verdict([1.3, 1.3, 9, 9, 9]), ["same"]);
  assertEquals(verdict([1.31, 1.31, 1.31]), ["slower"]);
  assertEquals(verdict([1.09, 1.09, 1.09]), ["faster"]);
  assertEquals(compareReports({ ...before, suites: [] }, before), []);
  const section = comparisonSection(compareReports(before, withTimes([2, 2, 2])), "old.json").join("\n");
  assertStringIncludes(section, "## Since old.json\nOf 1 measurements of webnn, 1 became slower");
  assertStringIncludes(
    section,
    "| small | build | 2 | **1.200** (1.100 – 1.300) | **2.000** (2.000 – 2.000) | **slower** |",
  );
});

Deno.test("reports with different references are compared by times, not ratios", () => {
  const [change] = compareReports(withTimes([4, 4, 4], "fast"), withTimes([2, 2, 2]));
  assertEquals([change!.before.median, change!.after.median, change!.verdict], [4, 2, "faster"]);
});

Deno.test("the page has the charts and the tables, and loads no other files", async () => {
  const html = await writeHtml(REPORT, writeSummary(REPORT) + writeDetails(REPORT));
  assertEquals(html.match(/<svg /g)!.length, 2);
  assertStringIncludes(html, ">dispatch + read, threads: 2</text>");
  assertStringIncludes(html, "<td>small</td>");
  assertEquals(html.match(/(src|href)="[^#"]/g), null);
});

const find = (name: string) => contestants.find((contestant) => contestant.name === name)!;

function measureTrivial(contestants: readonly Contestant[]): Promise<SuiteResult> {
  return measureSuite({
    suite: "trivial",
    threads: 1,
    device: "cpu",
    rounds: 2,
    contestants,
    reference: contestants[0]!.name,
    progress: () => {},
  });
}

/** A contestant that runs some JavaScript. */
function impostor(name: string, code: string): Contestant {
  return {
    name,
    title: "",
    reads: "",
    devices: ["cpu"],
    prepare: () => Promise.resolve([Deno.execPath(), "eval", code]),
  };
}

const ready = compiler !== null && Deno.build.os !== "windows";
Deno.test({
  name: `the C program compiles, and has the same results as this module${
    ready ? "" : withoutCompiler || " (skipped)"
  }`,
  ignore: !ready,
  async fn() {
    const { contestants, measurements } = await measureTrivial([find(REFERENCE), find(WEBNN)]);
    assertEquals(contestants.map(({ name, problem, maxError }) => ({ name, problem, maxError })), [
      { name: REFERENCE, problem: undefined, maxError: 0 },
      { name: WEBNN, problem: undefined, maxError: 0 },
    ]);
    for (const { engine } of contestants) assertMatch(engine!, /onnx ?runtime \d+\.\d+\.\d+$/i);
    assertEquals(measurements.length, 6);
    assertEquals(contestants.map(({ success }) => success), [1, 1]);
    if (Deno.build.os === "linux") { for (const { peakMemory } of contestants) assert(peakMemory! > 1e6); }
    for (const { times } of measurements) {
      assertEquals(Object.keys(times).toSorted(), [REFERENCE, WEBNN]);
      for (const values of Object.values(times)) assert(values.length === 2 && values.every((time) => time > 0));
    }
  },
});

Deno.test("the result says which contestants did not start, ended early or computed wrong numbers", async () => {
  const greeting = `console.log('{"engine":"an engine"}');`;
  const answers = `for await (const bytes of Deno.stdin.readable) {
    const command = new TextDecoder().decode(bytes).trim();
    if (command.startsWith("output ")) Deno.writeFileSync(command.slice(7), new Uint8Array(4));
    console.log('{"milliseconds":1}');
  }`;
  const { contestants, measurements } = await measureTrivial([
    find(WEBNN),
    { ...impostor("unbuilt", ""), prepare: () => Promise.reject(new Error("no compiler")) },
    impostor("broken", `console.error("it broke"); Deno.exit(3);`),
    impostor("silent", `${greeting} await Deno.stdin.readable.getReader().read(); Deno.exit(3);`),
    impostor("wrong", greeting + answers),
    { ...impostor("elsewhere", greeting), devices: ["gpu"] },
  ]);
  assertEquals(contestants.slice(1).map(({ name, problem }) => [name, problem]), [
    ["unbuilt", "did not start: no compiler"],
    ["broken", "did not start: it broke"],
    ["silent", "it ended with status 3"],
    ["wrong", "its numbers are wrong: element 0 is 0, not 3.5"],
    ["elsewhere", "did not start: it does not support the device cpu, only gpu"],
  ]);
  assertEquals(contestants[0]!.problem, undefined);
  assertEquals(contestants[4]!.maxError, 3.5);
  assertEquals(Object.keys(measurements[0]!.times), ["webnn"]);
});
