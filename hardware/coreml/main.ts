/**
 * The program behind `deno task device:coreml`. See HELP.
 *
 * @module
 */
import { join } from "node:path";
import {
  commandOf,
  DEFAULT_SUITES,
  describeMachine,
  INTERRUPTED,
  interruptible,
  LISTED_NAMES,
  missingReasons,
  suitesIn,
  toJson,
} from "../../bench/report/setup.ts";
import { positiveInteger, runProgram, showProgress, writeFile } from "../../support/program.ts";
import { writeCoreMLMarkdown } from "./markdown.ts";
import { measureCoreML } from "./measure.ts";

const TASK = "device:coreml";

const HELP = `Measures Core ML with each power preference, and the CPU, which do the same work in turn. On systems
other than macOS, it runs on the fake framework and measures nothing.

Usage: deno task ${TASK} [options]

  --suite NAME,...   suites of bench:report:
                     ${LISTED_NAMES.join(", ")}
  --rounds N         turns of each measurement (15)
  --output-dir DIR   write performance_coreml.md and .json there; without it, print Markdown
  --help             print this text

Exits with status 1 if a suite could not be measured, or its results are wrong.`;

const OPTIONS = {
  string: ["suite", "rounds", "output-dir"],
  default: { suite: DEFAULT_SUITES, rounds: "15" },
} as const;

await runProgram(TASK, HELP, OPTIONS, async ({ suite, rounds: times, "output-dir": folder }) => {
  const [suites, rounds] = [suitesIn(suite), positiveInteger(times, "--rounds")];
  const what = { command: commandOf(TASK), machine: describeMachine(), suites, rounds, progress: showProgress };
  const report = await interruptible((signal) => measureCoreML({ ...what, signal }));
  if (report === undefined) return INTERRUPTED;
  const markdown = writeCoreMLMarkdown(report);
  if (folder === undefined) console.log(markdown);
  else {
    await writeFile(join(folder, "performance_coreml.md"), markdown);
    await writeFile(join(folder, "performance_coreml.json"), toJson(report));
  }
  const missing = missingReasons(suites);
  for (const reason of missing) console.error(reason);
  const isRight = report.suites.every(({ results }) => results.every(({ problem }) => problem === undefined));
  return isRight && missing.length === 0 ? 0 : 1;
});
