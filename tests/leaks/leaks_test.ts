/** Long programs, each in a process of its own: memory does not grow, and unreachable objects are freed. */
import { assertEquals, assertLess } from "@std/assert";
import { available, buildFaults, unavailable } from "../faults/library.ts";
import { runChild } from "../../support/child.ts";
import { fitLine } from "../../support/statistics.ts";

const CYCLES = 10_000;
const FORGOTTEN = 300;
/** Bytes of resident memory per cycle. */
const MAX_SLOPE = 1024;

Deno.test({
  name: `${CYCLES} cycles leak neither resident memory nor native objects${unavailable}`,
  ignore: !available,
  fn: async () => {
    const { samples, before, end, after, reports } = await run("cycles.ts", CYCLES);
    const sizes = samples as number[];
    const slope = fitLine(sizes).slope / (CYCLES / sizes.length);
    console.log(`resident memory after a warm-up, in MB: ${sizes.map(megabytes).join(" ")}`);
    console.log(`slope: ${slope.toFixed(0)} bytes per cycle`);
    assertEquals({ end, after, reports }, { end: before, after: {}, reports: [] });
    assertLess(slope, MAX_SLOPE);
  },
});

Deno.test({
  name: `${FORGOTTEN} unreachable graphs with weights of 1 MB are freed${unavailable}`,
  ignore: !available,
  fn: async () => {
    const { before, most, end, after, rss, rssAtEnd, reports } = await run("forgotten_graphs.ts", FORGOTTEN);
    console.log(`at most ${most} of ${FORGOTTEN} graphs live at a time; ${megabytes(rss as number)} MB resident`);
    console.log(`after garbage collection: ${JSON.stringify(end)} live; ${megabytes(rssAtEnd as number)} MB resident`);
    // The context keeps the options of its sessions: those for one graph, and those for several, whose threads wait
    // differently.
    assertEquals({ end, after, reports }, { end: { ...before as object, session_options: 2 }, after: {}, reports: [] });
  },
});

/** Runs a program on the library that counts objects. Returns the program's output. */
async function run(program: string, count: number): Promise<Record<string, unknown>> {
  const folder = await Deno.makeTempDir();
  try {
    using faults = await buildFaults(folder);
    const url = new URL(`programs/${program}`, import.meta.url);
    const { code, signal, stdout, stderr } = await runChild(url, [faults.path, String(count)], [
      "--allow-all",
      "--v8-flags=--expose-gc",
    ]);
    assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" });
    return JSON.parse(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
