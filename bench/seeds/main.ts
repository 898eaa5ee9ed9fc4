/**
 * `deno task bench:seeds`: the benchmarks of the seed documents, compared with PyTorch.
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

const HELP = `Runs the benchmarks of this project's seed documents: this module and PyTorch do the same work in turn.

Usage: deno task ${TASK} [options]

  --category NAME,...  ${NAMES.slice(0, 8).join(", ")},
                       ${NAMES.slice(8).join(", ")} (all)
  --threads N[,N]      numbers of threads (1); the category threads has its own numbers
  --rounds N           rounds of each measurement (7)
  --quick              3 rounds, without long work: 10 M elements, detectors and large batches
  --output-dir DIR     write seeds.md, .json and .html there; without it, print Markdown
  --baseline FILE      compare with an earlier seeds.json; exit with 1 if something is slower by more than the noise
  --from FILE,...      measure nothing; write one page from these reports (seeds.json)
  --help               print this text

PyTorch and NumPy come from the environment of bench/baselines/python/make_venv.py; without them there are no ratios.
Measuring the machine's limits needs a C compiler. A whole run takes about ten minutes; run nothing else on the machine.
Exits with status 1 if something cannot be measured. Ctrl-C ends the run and writes nothing.`;

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
  if (!Array.isArray(report.suites) || !Array.isArray(report.limits)) {
    throw new Error(`${path} is not a report of ${TASK}`);
  }
  return report;
}

/** Merges reports. If two have measured the same, the first is used. */
export function mergeReports(reports: readonly SeedsReport[]): SeedsReport {
  const first = <T>(items: readonly T[], keyOf: (item: T) => unknown) =>
    [
      ...new Map(items.toReversed().map((item) => [keyOf(item), item])).values(),
    ].toReversed();
  return {
    ...reports[0]!,
    command: [...new Set(reports.map(({ command }) => command))].join("`, `"),
    skipped: first(reports.flatMap(({ skipped }) => skipped), (reason) => reason),
    limits: first(reports.flatMap(({ limits }) => limits), ({ threads }) => threads),
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
      await writePage("The benchmarks of the seeds", chartsOf(report, seeds), page),
    );
  }
  const slower = changes.filter(({ verdict }) => verdict === "slower");
  for (const { suite, threads, kind } of slower) console.error(`slower: ${suite}, ${kind}, threads: ${threads}`);
  for (const reason of report.skipped) console.error(reason);
  return slower.length + report.skipped.length > 0 ? 1 : 0;
}
