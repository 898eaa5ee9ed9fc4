/**
 * `deno task soak [--minutes M] [--seed S] [--output-dir DIR]`: tests whether memory grows under overlapping requests.
 * Exits with status 1 if it does, or if a request fails.
 *
 * @module
 */

import { drawChart } from "../../support/chart.ts";
import { runChild } from "../../support/child.ts";
import { positiveInteger, runProgram, showProgress, writeFile } from "../../support/program.ts";
import { chart, type PhaseResult, report, table, trendOf } from "./report.ts";
import type { Phase } from "./sampling.ts";

const HELP =
  `Measures resident memory under load: 1, 2, 8 and 64 concurrent loops that write 4 MB, dispatch and read, and
sometimes build and destroy graphs, in the main isolate and in workers.

Usage: deno task soak [--minutes M] [--seed S] [--output-dir DIR]

  --minutes     the total duration (default 1)
  --seed        the seed of the requests (default 1)
  --output-dir  the folder for soak.md (a table) and soak.svg (a chart) (default reports)
  --help        print this text

Exits with status 1 if memory grows in the second half of a phase by more than 1 KB per request and 10 MB in total, plus
three standard errors of the rise, and does so again in a run 4 times as long.`;

const OPTIONS = {
  string: ["minutes", "seed", "output-dir"],
  default: { minutes: "1", seed: "1", "output-dir": "reports" },
} as const;

/** If memory seems to grow in a phase, the phase runs again, this many times as long. */
const RETRY_FACTOR = 4;

/** The phases of a soak. */
export const PHASES: readonly Phase[] = (["main", "workers"] as const).flatMap((isolate) =>
  [1, 2, 8, 64].map((inFlight) => ({ isolate, inFlight }))
);

/** Runs a phase in a process of its own. */
export async function runPhase({ inFlight, isolate }: Phase, seconds: number, seed: number): Promise<PhaseResult> {
  const args = [isolate, inFlight, seconds, seed].map(String);
  const flags = ["--allow-all", "--v8-flags=--expose-gc"];
  const { code, signal, stdout, stderr } = await runChild(new URL("phase.ts", import.meta.url), args, flags);
  if (code === 0) return { inFlight, isolate, samples: JSON.parse(stdout) };
  throw new Error(`${inFlight} requests in flight (${isolate}) ended with ${signal ?? code}: ${stderr.trim()}`);
}

if (import.meta.main) {
  await runProgram("soak", HELP, OPTIONS, async (args) => {
    const seconds = minutesOf(args.minutes) * 60 / PHASES.length;
    const seed = positiveInteger(args.seed, "--seed");
    const results: PhaseResult[] = [];
    for (const phase of PHASES) {
      showProgress(`soak: ${results.length} of ${PHASES.length} phases`);
      const result = await runPhase(phase, seconds, seed);
      // A longer run has less noise, but the same growth per request.
      results.push(trendOf(result.samples).isFlat ? result : await runPhase(phase, RETRY_FACTOR * seconds, seed));
    }
    showProgress("");
    console.log(table(results));
    await writeFile(`${args["output-dir"]}/soak.md`, report(results));
    await writeFile(`${args["output-dir"]}/soak.svg`, await drawChart(chart(results)));
    return results.every(({ samples }) => trendOf(samples).isFlat) ? 0 : 1;
  });
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (!(minutes > 0) || minutes > 1e4) {
    throw new Error(`--minutes must be a number above 0 and up to 10000, not "${text}"`);
  }
  return minutes;
}
