/**
 * `deno task bench:seeds`: what the seed documents measure, with PyTorch beside it.
 *
 * @module
 */
import { basename, join } from "node:path";
import { namesIn, positiveInteger, runProgram, showProgress, writeFile } from "../../support/program.ts";
import { compareReports, comparisonSection } from "../report/compare.ts";
import { writePage } from "../report/html.ts";
import { writeDetails } from "../report/markdown.ts";
import { INTERRUPTED, interruptible, toJson } from "../report/setup.ts";
import { measureSeeds, type Plan, type SeedsReport } from "./measure.ts";
import { chartsOf, writeSeeds } from "./page.ts";
import { CATEGORIES } from "./seed.ts";
import { seeds } from "./seeds.ts";

const TASK = "bench:seeds";
const NAMES = Object.keys(CATEGORIES);

const HELP = `Measures what the documents behind this project measure: this module and PyTorch do the same work in turn.

Usage: deno task ${TASK} [options]

  --category NAME,...  ${NAMES.slice(0, 8).join(", ")},
                       ${NAMES.slice(8).join(", ")} (all)
  --threads N[,N]      numbers of threads to measure (1); the category threads has its own
  --rounds N           turns of each measurement (7)
  --quick              3 rounds, and nothing that takes long: no 10 M elements, detectors or large batches
  --output-dir DIR     write seeds.md, .json and .html there; without it, print Markdown
  --baseline FILE      compare with an earlier seeds.json; status 1 if something became slower beyond the noise
  --from FILE,...      measure nothing; write the page of these reports (seeds.json) together
  --help               print this text

PyTorch and NumPy are those of bench/baselines/python/make_venv.py; without them there are no ratios. The roofs need a C
compiler. All of it takes about ten minutes. Run nothing else on the machine. Exits with status 1 if something cannot be
measured. Ctrl-C ends it and writes nothing.`;

const OPTIONS = {
  string: ["category", "threads", "rounds", "output-dir", "baseline", "from"],
  boolean: ["quick"],
  default: { category: NAMES.join(), threads: "1" },
} as const;

if (import.meta.main) {
  await runProgram(TASK, HELP, OPTIONS, async ({ category, threads, rounds, quick, from, baseline, ...rest }) => {
    const names = namesIn(category, NAMES, "--category");
    const plan: Plan = {
      task: TASK,
      seeds: seeds.filter((seed) => names.includes(seed.category) && !(quick && seed.isLong)),
      threads: threads.split(",").map((text) => positiveInteger(text, "--threads")),
      rounds: positiveInteger(rounds ?? (quick ? "3" : "7"), "--rounds"),
    };
    const before = baseline === undefined ? undefined : await readReport(baseline);
    const report = from === undefined
      ? await interruptible((signal) => measureSeeds(plan, signal, showProgress))
      : mergeReports(await Promise.all(from.split(",").map(readReport)));
    if (report === undefined) return INTERRUPTED;
    return await write(report, before && { report: before, name: basename(baseline!) }, rest["output-dir"]);
  });
}

async function readReport(path: string): Promise<SeedsReport> {
  const report = JSON.parse(await Deno.readTextFile(path)) as SeedsReport;
  if (!Array.isArray(report.suites) || !Array.isArray(report.roofs)) throw new Error(`${path} is no report of ${TASK}`);
  return report;
}

/** One report of several. Of what two have measured, the first has the word. */
export function mergeReports(reports: readonly SeedsReport[]): SeedsReport {
  const first = <T>(items: readonly T[], keyOf: (item: T) => unknown) =>
    [
      ...new Map(items.toReversed().map((item) => [keyOf(item), item])).values(),
    ].toReversed();
  return {
    ...reports[0]!,
    command: [...new Set(reports.map(({ command }) => command))].join("`, `"),
    skipped: first(reports.flatMap(({ skipped }) => skipped), (reason) => reason),
    roofs: first(reports.flatMap(({ roofs }) => roofs), ({ threads }) => threads),
    suites: mergeSuites(reports.flatMap(({ suites }) => suites)),
  };
}

function mergeSuites(results: readonly SeedsReport["suites"][number][]): SeedsReport["suites"] {
  const merged = new Map<string, SeedsReport["suites"][number]>();
  for (const result of results) {
    const key = `${result.suite} ${result.threads}`;
    const earlier = merged.get(key);
    const known = earlier?.measurements.map(({ kind }) => kind) ?? [];
    const news = result.measurements.filter(({ kind }) => !known.includes(kind));
    merged.set(key, earlier ? { ...earlier, measurements: [...earlier.measurements, ...news] } : result);
  }
  return [...merged.values()];
}

/** Writes the page, and returns the exit status. */
async function write(
  report: SeedsReport,
  before: { readonly report: SeedsReport; readonly name: string } | undefined,
  folder: string | undefined,
): Promise<number> {
  const changes = before ? compareReports(before.report, report) : [];
  const summary = writeSeeds(report, seeds, before ? comparisonSection(changes, before.name) : []);
  if (folder === undefined) console.log(summary);
  else {
    await writeFile(join(folder, "seeds.md"), summary);
    await writeFile(join(folder, "seeds.json"), toJson(report));
    const page = `${summary}\n${writeDetails(report)}`;
    await writeFile(
      join(folder, "seeds.html"),
      await writePage("The benches of the seeds", chartsOf(report, seeds), page),
    );
  }
  const slower = changes.filter(({ verdict }) => verdict === "slower");
  for (const { suite, threads, kind } of slower) console.error(`slower: ${suite}, ${kind}, threads: ${threads}`);
  for (const reason of report.skipped) console.error(reason);
  return slower.length + report.skipped.length > 0 ? 1 : 0;
}
