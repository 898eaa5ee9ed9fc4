/**
 * `deno task bench:seeds`: the suites' results, compared with the float64 reference; and, with sample data, the limits
 * of the machine, the page and the baseline.
 */
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { compareReports } from "../../bench/report/compare.ts";
import { writePage } from "../../bench/report/html.ts";
import { type Kind, measureSuite } from "../../bench/report/measure.ts";
import { cellOf, counts, figureOf, figuresOf, meanRatio, shareOfTriad } from "../../bench/seeds/figures.ts";
import { headlineTable } from "../../bench/seeds/headlines.ts";
import { boundOf, type MachineLimits, measureLimits, memoryRate, TRIAD } from "../../bench/seeds/machine.ts";
import { mergeReports } from "../../bench/seeds/main.ts";
import { jobsOf, LATENCY, PEER, type SeedsReport } from "../../bench/seeds/measure.ts";
import { chartsOf, writeSeeds } from "../../bench/seeds/page.ts";
import { CATEGORIES, type Category, RUNS, type Seed } from "../../bench/seeds/seed.ts";
import { seeds } from "../../bench/seeds/seeds.ts";
import { captureGraph } from "../../bench/support/capture.ts";
import { residualOf } from "../../bench/support/decompositions.ts";
import type { Suite } from "../../bench/support/suite.ts";
import { loadSuite, suites } from "../../bench/support/suites.ts";
import { createInference } from "../../examples/inference.ts";
import { compiler, withoutCompiler } from "../../support/c_compiler.ts";
import { decode, evaluate, type RefTensor, sizeOf, tensor, unrounded } from "../reference/mod.ts";
import "@webnn/deno/polyfill";

const ROOT = join(import.meta.dirname!, "../..");

/** The smallest suites of each category, and of each decomposition and layer that consists of several operators. */
const SMALLEST: Readonly<Record<Category, readonly string[]>> = {
  tensors: ["add", "sub", "mul", "div", "relu", "sigmoid", "tanh", "exp", "log", "sqrt", "sum"].map((name) =>
    `${name}-1000`
  ),
  matmul: ["matmul-64"],
  convolutions: ["conv1d", "conv2d-1x1", "conv2d-depthwise", "conv3d"],
  pools: ["adaptive-pool", "average-pool-2x2"],
  norms: ["group-normalization", "batch-normalization"],
  networks: ["mlp-1"],
  threads: ["mlp-128"],
  optimizers: ["adam-1024", "adamw-1024", "radam-1024", "nadam-1024", "adamax-1024", "lbfgs-1024"],
  decompositions: ["qr-4", "eigen-4", "svd-4", "qr-16", "eigen-8", "svd-8"],
  transfers: ["transfer-1x768"],
  memory: ["attention-block"],
  transformers: ["attention-32", "transformer-32"],
  models: [], // Their references are in the test data: tests/networks_test.ts and tests/bench/suites_test.ts.
  starts: ["simple"],
};

/** Suites that would take the reference long. Only their own checks run, which compute some elements in float64. */
const BY_SUITE = ["conv3d", "mlp-128", "attention-block", "transformer-32", "simple"];

/** The output of a suite by this module. */
async function compute(suite: Suite): Promise<Float32Array> {
  const context = await navigator.ml.createContext();
  try {
    const inference = await createInference(context, await suite.build(context));
    return (await inference.run(suite.inputs))[suite.output]!;
  } finally {
    context.destroy();
  }
}

/** The output of a suite in float64, operator by operator. */
async function computeExactly(suite: Suite): Promise<readonly number[]> {
  const { graph } = await captureGraph((context) => suite.build(context));
  const values = new Map<number, RefTensor>();
  for (const { value: { id, dataType, shape }, block } of graph.constants) {
    values.set(id, tensor(dataType, shape, decode(dataType, sizeOf(shape), block.bytes.slice().buffer)));
  }
  for (const { name, value } of graph.inputs) {
    values.set(value.id, tensor("float32", value.shape, Array.from(suite.inputs[name]!)));
  }
  for (const { operator, operands, attributes, outputs } of graph.nodes) {
    const given = Object.entries(operands).filter(([, operand]) => operand !== undefined).map(([name, operand]) => [
      name,
      "id" in operand! ? values.get(operand.id)! : operand!.map(({ id }) => values.get(id)!),
    ]);
    const results = unrounded(() => evaluate(operator, Object.fromEntries(given), attributes as object as never));
    outputs.forEach(({ id }, i) => values.set(id, results[i]!));
  }
  return values.get(graph.outputs[0]!.value.id)!.data.map(Number);
}

for (const [category, names] of Object.entries(SMALLEST)) {
  for (const name of names) {
    Deno.test(`${category}: ${name} agrees with float64`, async () => {
      const suite = await loadSuite(name);
      const values = await compute(suite);
      suite.check(values);
      if (BY_SUITE.includes(name)) return;
      const expected = await computeExactly(suite);
      assertEquals(values.length, expected.length);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (const [i, value] of expected.entries()) {
        assertAlmostEquals(values[i]!, value, 2e-5 * largest, `element ${i}`);
      }
    });
  }
}

Deno.test("every seed has a suite, and every category has seeds", () => {
  const known = suites.map(({ name }) => name);
  assertEquals(seeds.filter(({ suite }) => !known.includes(suite)), []);
  assertEquals(new Set(seeds.map(({ category }) => category)), new Set(Object.keys(CATEGORIES)));
  const cells = seeds.map(({ category, row, column }) => `${category}, ${row}, ${column}`);
  assertEquals(cells.filter((cell, i) => cells.indexOf(cell) !== i), []);
});

Deno.test("the residual of a wrong decomposition is large", async () => {
  const suite = await loadSuite("qr-4");
  const [values, input] = [await compute(suite), Object.values(suite.inputs)[0]!];
  assert(residualOf("qr", 4, input, values) < 1e-6);
  assert(residualOf("qr", 4, input, values.map((value, i) => i === 3 ? value + 0.01 : value)) > 1e-3);
  assert(residualOf("qr", 4, input, values.map((value, i) => i < 16 ? value : 0)) > 0.1);
});

const seed = (suite: string, more: Partial<Seed> = {}): Seed => ({
  category: "tensors",
  row: "add",
  column: "1 K",
  suite,
  kind: RUNS,
  ...more,
});

Deno.test("a suite in two categories runs once; it runs alone if its memory is measured", () => {
  const chosen = [
    seed("a"),
    seed("a", { kind: "read" }),
    seed("a", { category: "memory", kind: "memory" }),
    seed("b", { threads: [1, 2], isLong: true }),
  ];
  const jobs = jobsOf({ seeds: chosen, threads: [1], rounds: 7 });
  const [latency, a, b] = [{ suite: LATENCY, kinds: [RUNS], isAlone: true, rounds: 7 }, "a", "b"];
  assertEquals(jobs, [
    { ...latency, threads: 1 },
    { suite: a, threads: 1, kinds: [RUNS, "read"], isAlone: true, rounds: 7 },
    { suite: b, threads: 1, kinds: [RUNS], isAlone: false, rounds: 3 },
    { ...latency, threads: 2 },
    { suite: b, threads: 2, kinds: [RUNS], isAlone: false, rounds: 3 },
  ]);
});

const LIMITS: MachineLimits = { threads: 1, memory: [{ bytes: 1e3, rate: 100 }, { bytes: 1e9, rate: 10 }], flops: 80 };

Deno.test("the memory rate is interpolated between sizes, and an operation is bound by what takes half of its time", () => {
  assertEquals([1, 1e3, 1e6, 1e9, 1e12].map((bytes) => memoryRate(LIMITS, bytes)), [100, 100, 55, 10, 10]);
  const bytes = 1e9; // The triad moves them in 100 ms.
  assertEquals(boundOf(LIMITS, { time: 150, bytes, latency: 1 }), "memory");
  assertEquals(boundOf(LIMITS, { time: 250, bytes, latency: 1 }), "compute");
  assertEquals(boundOf(LIMITS, { time: 1.9, bytes: 1e6, latency: 1 }), "latency");
});

/** A report with these times in milliseconds, of this module and of the peer, by suite. */
function reportOf(times: Record<string, readonly [own: number[], peer: number[]]>, kind: Kind = RUNS): SeedsReport {
  const work = { operators: 1, flop: 2e6, bytes: 12e6, weightBytes: 0 };
  const success = { success: 1 };
  return {
    command: "deno task bench:seeds",
    machine: { system: "a system", cpu: "a processor", cores: 2, deno: "2.9.6", load: 0.25 },
    device: "cpu",
    rounds: 3,
    reference: PEER,
    contestants: [{ name: "webnn", title: "", reads: "" }, { name: PEER, title: "", reads: "" }],
    skipped: ["b: no data"],
    builder: [],
    coldStart: [],
    threads: [1],
    limits: [LIMITS],
    suites: Object.entries(times).map(([suite, [webnn, pytorch]]) => ({
      suite,
      threads: 1,
      work,
      runs: 1,
      contestants: [
        { name: "webnn", engine: "engine 1", peakMemory: suite === LATENCY ? 1e6 : 5e6, ...success },
        { name: PEER, engine: "engine 2", peakMemory: suite === LATENCY ? 1e6 : 3e6, ...success },
      ],
      measurements: [{ kind, times: { webnn, pytorch, [TRIAD.name]: webnn.map(() => 0.9) } }],
    })),
  };
}

const REPORT = reportOf({
  [LATENCY]: [[0.001, 0.001, 0.001], [0.001, 0.001, 0.001]],
  "add-1000000": [[1, 2, 4], [2, 2, 2]],
  "add-10000000": [[1, 1, 1], [4, 4, 4]],
  "matmul-64": [[5, 5, 5], [1, 1, 1]],
  "qr-4": [[90, 90, 90], [1, 1, 1]],
});
const find = (suite: string, category?: Category) =>
  seeds.find((seed) => seed.suite === suite && (category ?? seed.category) === seed.category)!;

Deno.test("a figure has rates, a ratio of times of the same round, and what bounds it", () => {
  const figure = figureOf(REPORT, find("add-1000000"), 1)!;
  assertEquals(figure.value, 2);
  assertEquals([figure.ratio!.median, figure.elements, figure.traffic, figure.flops], [1, 5e8, 6, 1]);
  assertEquals(cellOf(figure), "2.00 ms, 0.500 G/s, 6.00 GB/s, **1.00**, c");
  assertEquals(cellOf(figureOf(REPORT, find("matmul-64"), 1)!), "5.00 ms, 0.400 GFLOP/s, 1 %, **5.00**");
  const memory = { ...find("attention-block", "memory"), suite: "matmul-64" };
  assertEquals(cellOf(figureOf(REPORT, memory, 1)!), "4.0 MB, **2.00**");
  assertEquals(figureOf(REPORT, find("conv1d"), 1), undefined);
  assertAlmostEquals(shareOfTriad(REPORT, 1)!, 0.9);
});

Deno.test("the mean ratio is geometric, over the figures that count", () => {
  const figures = figuresOf(REPORT, seeds);
  assertEquals(figures.length, 4);
  assertAlmostEquals(meanRatio(figures.filter(counts)), Math.cbrt(1 * 0.25 * 5));
});

Deno.test("the page has the goals, slow suites, headlines, and what was not measured", async () => {
  const page = writeSeeds(REPORT, seeds);
  assertStringIncludes(page, "| each ÷ pytorch | 1 | ≤ 2 | 2 of 3 | **no** |");
  assertStringIncludes(page, "| all ÷ pytorch, geometric mean | 1 | ≤ 1 | 1.08 | **no** |");
  assertStringIncludes(page, "| add of 10 M elements, rate ÷ STREAM's triad | 1 | ≥ 0.9 | 0.90 | yes |");
  assertStringIncludes(page, "More than 2 times pytorch's: matmul 64³ (1 thread): 5.00, 5.00 ms.");
  assertStringIncludes(page, "Not measured here: automatic differentiation (WebNN has none)");
  assertStringIncludes(page, "Not measured: b: no data");
  const headlines = headlineTable(REPORT, seeds);
  assertStringIncludes(
    headlines,
    "| 002 | additions of 10 M and 1 K elements | 34 K to 2.3 M /s | 1,000/s; not measured |",
  );
  assertEquals(headlines.match(/undefined|NaN/), null);
  const html = await writePage("Seeds", chartsOf(REPORT, seeds), page);
  assertEquals(html.match(/<svg /g)!.length, 3);
});

Deno.test("each headline has a figure from a seed", () => {
  const all = reportOf(Object.fromEntries(seeds.map(({ suite }) => [suite, [[1], [1]]])));
  const kinds = [...new Set(seeds.map(({ kind }) => kind))].filter((kind) => kind !== "memory");
  const complete = {
    ...all,
    suites: all.suites.map((result) => ({
      ...result,
      measurements: kinds.map((kind) => ({ kind, times: result.measurements[0]!.times })),
    })),
  };
  assertEquals(headlineTable(complete, seeds).match(/not measured/), null);
});

Deno.test("reports of several categories are merged, and a baseline shows what became slower", () => {
  const other = reportOf({ "matmul-64": [[9, 9, 9], [1, 1, 1]], "matmul-128": [[1, 1, 1], [1, 1, 1]] });
  const read = reportOf({ "matmul-64": [[3, 3, 3], [1, 1, 1]] }, "read");
  const merged = mergeReports([REPORT, other, read]);
  assertEquals(merged.suites.map(({ suite }) => suite), [...REPORT.suites.map(({ suite }) => suite), "matmul-128"]);
  const product = merged.suites.find(({ suite }) => suite === "matmul-64")!;
  assertEquals(product.measurements.map(({ kind, times }) => [kind, times.webnn]), [[RUNS, [5, 5, 5]], ["read", [
    3,
    3,
    3,
  ]]]);
  assertEquals(merged.skipped, ["b: no data"]);
  const slower = compareReports(REPORT, other).filter(({ verdict }) => verdict === "slower");
  assertEquals(slower.map(({ suite }) => suite), ["matmul-64"]);
});

const isReady = compiler !== null && Deno.build.os !== "windows";
Deno.test({
  name: `STREAM's triad computes the sum, and the limits of the machine are measured${
    isReady ? "" : withoutCompiler || " (skipped)"
  }`,
  ignore: !isReady,
  async fn() {
    const { contestants, measurements } = await measureSuite({
      suite: "add-1000",
      threads: 2,
      device: "cpu",
      rounds: 1,
      contestants: [TRIAD],
      reference: TRIAD.name,
      kinds: [RUNS],
      progress: () => {},
    });
    assertEquals(contestants.map(({ problem, maxError }) => [problem, maxError]), [[undefined, 0]]);
    assert(measurements[0]!.times[TRIAD.name]!.every((time) => time > 0));
    const { memory, flops } = await measureLimits(1);
    assert(flops > 0.1 && memory.every(({ rate }) => rate > 0.1));
  },
});

async function run(...args: string[]): Promise<{ code: number; stderr: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", join(ROOT, "bench/seeds/main.ts"), ...args],
    env: { NO_COLOR: "1", WEBNN_BENCH_PYTHON: join(ROOT, "no_such_folder") },
  });
  const { code, stderr } = await command.output();
  return { code, stderr: new TextDecoder().decode(stderr).trim() };
}

Deno.test("a file that is not a report and an unknown category are errors", async () => {
  const { code, stderr } = await run("--baseline", join(ROOT, "deno.json"));
  assertEquals(code, 1);
  assertMatch(stderr, /deno\.json is not a report of bench:seeds$/);
  assertEquals((await run("--category", "cats")).code, 1);
});

Deno.test("a run writes the page, its data and its charts, with contestants that did not start", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await run("--category", "transfers", "--rounds", "1", "--output-dir", folder);
    const report = JSON.parse(await Deno.readTextFile(join(folder, "seeds.json"))) as SeedsReport;
    const chosen = seeds.filter(({ category }) => category === "transfers");
    assertEquals(figuresOf(report, chosen).map(({ seed }) => seed.suite), chosen.map(({ suite }) => suite));
    assert(figuresOf(report, chosen).every(({ value }) => value > 0));
    assertStringIncludes(
      await Deno.readTextFile(join(folder, "seeds.md")),
      "**pytorch**: did not start: not installed",
    );
    assertStringIncludes(await Deno.readTextFile(join(folder, "seeds.html")), "<table>");
    const second = join(folder, "second");
    const { code } = await run("--from", join(folder, "seeds.json"), "--output-dir", second);
    assertEquals(code, report.skipped.length > 0 ? 1 : 0);
    assertEquals(JSON.parse(await Deno.readTextFile(join(second, "seeds.json"))).suites, report.suites);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
