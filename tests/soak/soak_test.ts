/** Memory under overlapping requests, and whether the soak finds growth. The soak itself is `deno task soak`. */
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { drawChart } from "../../support/chart.ts";
import { runChild } from "../../support/child.ts";
import { random } from "../../support/random.ts";
import { runPhase } from "./main.ts";
import { chart, type PhaseResult, table, trendOf } from "./report.ts";

const MEGABYTE = 1e6;

/** Samples of a phase with 30 requests per second, in which memory grows by `bytesPerRequest`, with noise. */
function phase(bytesPerRequest: number, noise: number): PhaseResult {
  const { integer } = random(1);
  const samples = Array.from({ length: 101 }, (_, i) => ({
    seconds: i / 10,
    requests: 1000 + 3 * i,
    resident: 200 * MEGABYTE + 3 * i * bytesPerRequest + integer(-noise, noise),
  }));
  return { isolate: "main", inFlight: 8, samples };
}

Deno.test("the trend is the growth in the second half, in bytes per request", () => {
  const { slope, rise, isFlat } = trendOf(phase(100_000, 0).samples);
  assertEquals([Math.round(slope), Math.round(rise), isFlat], [100_000, 15_000_000, false]);
  const samples = phase(0, 0).samples.map((sample, i) => i < 50 ? { ...sample, resident: i * MEGABYTE } : sample);
  assertEquals(trendOf(samples), { slope: 0, rise: 0, error: 0, isFlat: true });
});

Deno.test("growth is distinguished from noise and from negligible growth", () => {
  assert(trendOf(phase(0, 15 * MEGABYTE).samples).isFlat);
  assert(trendOf(phase(1000, 0).samples).isFlat);
  assert(trendOf(phase(60_000, 0).samples).isFlat); // 9 MB in total
  assert(!trendOf(phase(300_000, 15 * MEGABYTE).samples).isFlat);
});

Deno.test("memory that wanders has a rise within its error, and a rise on top of that is found", () => {
  /** Waves of 30 MB, four of them in the second half: those of 64 requests in flight. */
  const wandering = (bytesPerRequest: number) =>
    phase(bytesPerRequest, 0).samples.map((sample, i) => ({
      ...sample,
      resident: sample.resident + 30 * MEGABYTE * Math.cos(i / 2),
    }));
  for (let start = 0; start < 12; start++) assert(trendOf(wandering(0).slice(start)).isFlat, `from sample ${start}`);
  assert(!trendOf(wandering(600_000)).isFlat);
});

Deno.test("the table names the phase that grows, and the chart has a line for each phase", async () => {
  const results = [phase(0, 0), { ...phase(200_000, 0), inFlight: 64 }];
  const [, , flat, growing] = table(results).split("\n") as [string, string, string, string];
  assert(!flat.includes("GROWS"));
  assertStringIncludes(growing, "| main | 64 | 300 | 30 |");
  assertStringIncludes(growing, "| 200000 B | 30.0 MB | 0.0 | GROWS |");
  const svg = await drawChart(chart(results));
  assertEquals(svg.match(/aria-roledescription="line mark"/g)?.length, 2);
});

for (const isolate of ["main", "workers"] as const) {
  Deno.test(`a short phase, ${isolate}: every request gets its own result`, async () => {
    const { samples } = await runPhase({ isolate, inFlight: 2 }, 1, 7);
    assertLess(0, samples.at(-1)!.requests - samples[0]!.requests);
    assertLess(samples.at(-1)!.resident, 1000 * MEGABYTE);
  });
}

for (const loops of [2, 8, 64]) {
  Deno.test(`${loops} overlapping loops that write 4 MB each: memory does not grow after a warm-up`, async () => {
    const rounds = 8 * loops + 200;
    const { code, stdout, stderr } = await runChild(
      new URL("programs/overlap.ts", import.meta.url),
      [loops, rounds].map(String),
    );
    assertEquals(code, 0, stderr);
    const samples: number[] = JSON.parse(stdout);
    // Memory may shrink, because on a busy machine fewer loops run at times. Only growth is an error.
    const quarter = samples.length >> 2;
    const highest = (from: number) => Math.max(...samples.slice(from, from + quarter)) / MEGABYTE;
    const [warm, end] = [Math.max(highest(quarter), highest(2 * quarter)), highest(3 * quarter)];
    console.log(`${loops} loops: ${warm.toFixed(0)} MB, at the end ${end.toFixed(0)} MB`);
    assertLess(end - warm, 30);
  });
}
