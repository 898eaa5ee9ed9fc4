import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Contestant, contestants, REFERENCE, WEBNN } from "../../bench/report/contestants.ts";
import { type Report, writeMarkdown } from "../../bench/report/markdown.ts";
import { maxError, measureSuite, type SuiteResult } from "../../bench/report/measure.ts";
import { median, quantile, spreadOf } from "../../bench/support/statistics.ts";
import { compiler, withoutCompiler } from "../support/c_compiler.ts";

Deno.test("the quartiles of measurements are interpolated, in whatever order they come", () => {
  assertEquals(spreadOf([5, 1, 2, 4, 3]), { median: 3, p25: 2, p75: 4 });
  assertEquals(spreadOf([4, 1, 3, 2]), { median: 2.5, p25: 1.75, p75: 3.25 });
  assertEquals(spreadOf([7]), { median: 7, p25: 7, p75: 7 });
  assertEquals([quantile([1, 2], 0), quantile([1, 2], 1)], [1, 2]);
  assertEquals([median([]), quantile([], 0.5)], [NaN, NaN]);
});

Deno.test("the largest error is NaN as soon as one number is missing or not a number", () => {
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
  rounds: 3,
  reference: "c",
  contestants: ["webnn", "c", "fast", "absent"].map((name) => ({ name, title: `the ${name}`, reads: "copies" })),
  skipped: ["huge: skipped, no weights"],
  suites: [{
    suite: "small",
    threads: 2,
    work: WORK,
    contestants: [
      { name: "webnn", engine: "engine 1", maxError: 2e-7 },
      { name: "c", engine: "engine 1", maxError: 0 },
      { name: "fast", engine: "engine 2", maxError: 0 },
      { name: "absent", problem: "did not start: not installed" },
    ],
    measurements: [
      { kind: "build", times: { webnn: [30, 40, 60], c: [20, 20, 20] } },
      { kind: "dispatch + read", times: { webnn: [4, 9, 2], c: [2, 6, 2], fast: [0.05, 0.05, 0.05] } },
    ],
  }],
};

Deno.test("the report begins with ratios, which are quotients within a round", () => {
  const markdown = writeMarkdown(REPORT);
  const ratios = markdown.slice(markdown.indexOf("## Ratios"), markdown.indexOf("## Contestants")).split("\n");
  assertEquals(ratios.slice(4, 8), [
    "| suite | work | threads | webnn | fast | absent |",
    "| --- | --- | --- | --- | --- | --- |",
    "| small | build | 2 | **2.000** (1.750 – 2.500) |  |  |",
    "| small | dispatch + read | 2 | **1.500** (1.250 – 1.750) | **0.025** (0.017 – 0.025) |  |",
  ]);
  assertStringIncludes(markdown, "**fast was faster than c**: small, dispatch + read, 2 threads, 0.025.");
  assertEquals(markdown.match(/was faster than/g)!.length, 1);
});

Deno.test("the report tells times, rates of work, errors, and who or what is missing", () => {
  const markdown = writeMarkdown(REPORT);
  assertStringIncludes(markdown, "1 operator, 3.0 MB of weights; a run is 2.0 MFLOP, 4.0 MB.");
  const lines = markdown.split("\n");
  const row = (start: string) => lines.filter((line) => line.startsWith(start));
  assertEquals(row("| webnn (engine 1)"), [
    "| webnn (engine 1) | **2.000** (1.750 – 2.500) | 40.0 ms | 35.0 ms – 50.0 ms | 25 |  |  | 2.0e-7 |",
    "| webnn (engine 1) | **1.500** (1.250 – 1.750) | 4.00 ms | 3.00 ms – 6.50 ms | 250 | 0.500 | 1.00 | 2.0e-7 |",
  ]);
  assertEquals(row("| fast (engine 2)"), [
    "| fast (engine 2) | **0.025** (0.017 – 0.025) | 50.0 µs | 50.0 µs – 50.0 µs | 20,000 | 40.0 | 80.0 | 0 |",
  ]);
  assertEquals(row("**absent**"), ["**absent**, small, 2 threads: did not start: not installed"]);
  assertEquals(row("Not measured"), ["Not measured: huge: skipped, no weights"]);
});

const find = (name: string) => contestants.find((contestant) => contestant.name === name)!;

function measureTrivial(contestants: readonly Contestant[]): Promise<SuiteResult> {
  return measureSuite({
    suite: "trivial",
    threads: 1,
    rounds: 2,
    contestants,
    reference: contestants[0]!.name,
    progress: () => {},
  });
}

/** A contestant that is a line of JavaScript. */
function impostor(name: string, code: string): Contestant {
  return { name, title: "", reads: "", prepare: () => Promise.resolve([Deno.execPath(), "eval", code]) };
}

const ready = compiler !== null && Deno.build.os !== "windows";
Deno.test({
  name: `the C program builds, and computes what this module computes${ready ? "" : withoutCompiler || " (skipped)"}`,
  ignore: !ready,
  async fn() {
    const { contestants, measurements } = await measureTrivial([find(REFERENCE), find(WEBNN)]);
    assertEquals(contestants.map(({ name, problem, maxError }) => ({ name, problem, maxError })), [
      { name: REFERENCE, problem: undefined, maxError: 0 },
      { name: WEBNN, problem: undefined, maxError: 0 },
    ]);
    for (const { engine } of contestants) assertMatch(engine!, /onnx ?runtime \d+\.\d+\.\d+$/i);
    assertEquals(measurements.length, 4);
    for (const { times } of measurements) {
      assertEquals(Object.keys(times).toSorted(), [REFERENCE, WEBNN]);
      for (const values of Object.values(times)) assert(values.length === 2 && values.every((time) => time > 0));
    }
  },
});

Deno.test("a contestant that cannot start, stops, or computes something else is told from the others", async () => {
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
  ]);
  assertEquals(contestants.slice(1).map(({ name, problem }) => [name, problem]), [
    ["unbuilt", "did not start: no compiler"],
    ["broken", "did not start: it broke"],
    ["silent", "it ended with status 3"],
    ["wrong", "its numbers are wrong: element 0 is 0, not 3.5"],
  ]);
  assertEquals(contestants[0]!.problem, undefined);
  assertEquals(contestants[4]!.maxError, 3.5);
  assertEquals(Object.keys(measurements[0]!.times), ["webnn"]);
});
