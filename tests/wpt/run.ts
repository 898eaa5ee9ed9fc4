/** `deno task wpt`: the command line of the runner. */

import { parseArgs } from "@std/cli";
import { availableParallelism } from "node:os";
import { writeFile } from "../../support/program.ts";
import { findCheckout } from "./checkout.ts";
import { type JudgedPage, parseExpectations } from "./expectations.ts";
import { htmlReport } from "./html_report.ts";
import { conformanceDocument, formatSummary, formatUnexpected, isAsExpected, wptReport } from "./report.ts";
import { DEVICES, runSuite } from "./suite.ts";

const HELP = `Runs the web-platform-tests of WebNN, unmodified, in Deno.

Usage: deno task wpt [--wpt DIR] [options]

  --wpt DIR                 a checkout of web-platform-tests (default: WPT_DIR, or a sparse clone in the cache)
  --filter PATTERN          run only pages whose id matches a regular expression, for example "pad|/idlharness"
  --device cpu|gpu|npu      run only the variants of this device, and pages without variants
  --jobs N                  the number of concurrent processes (default: the number of cores)
  --timeout-multiplier X    multiply all timeouts, for slow machines
  --report FILE             write the results as JSON, in the format of wpt.fyi
  --html FILE               write the results as an HTML page
  --conformance-doc FILE    write the results as Markdown, as in docs/notes/conformance.md
  --help                    print this text

Exits with status 1 if a result differs from expectations.json, or the tests cannot run.`;

/** The module under test, and its expectations. */
const SUITE = {
  prelude: new URL("../../src/polyfill.ts", import.meta.url).href,
  expectations: new URL("./expectations.json", import.meta.url),
};

/** Runs a command line, and returns the exit status. */
export async function main(args: string[], suite: typeof SUITE = SUITE): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const root = await findCheckout(options.wpt);
  const expectations = parseExpectations(await Deno.readTextFile(suite.expectations));
  const run = await runSuite({ ...options, root, prelude: suite.prelude, expectations, onPage: showProgress });
  console.log(formatSummary(run));
  if (options.report) await writeFile(options.report, JSON.stringify(wptReport(run)) + "\n");
  if (options.html) await writeFile(options.html, htmlReport(run));
  if (options["conformance-doc"]) await writeFile(options["conformance-doc"], conformanceDocument(run));
  return isAsExpected(run) ? 0 : 1;
}

function parseOptions(args: string[]) {
  const values = parseArgs(args, {
    string: ["wpt", "filter", "device", "jobs", "timeout-multiplier", "report", "html", "conformance-doc"],
    boolean: ["help"],
    unknown: (arg) => {
      throw new Error(`unknown option ${arg}; --help lists the options`);
    },
  });
  const { device } = values;
  if (device !== undefined && !DEVICES.includes(device)) throw new Error(`--device must be one of ${DEVICES}`);
  const jobs = Number(values.jobs ?? availableParallelism());
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error("--jobs must be a positive integer");
  const timeoutMultiplier = Number(values["timeout-multiplier"] ?? 1);
  if (!(timeoutMultiplier > 0)) throw new Error("--timeout-multiplier must be a positive number");
  const filter = values.filter === undefined ? undefined : new RegExp(values.filter);
  return { ...values, device, jobs, timeoutMultiplier, filter };
}

function showProgress(page: JudgedPage, done: number, all: number): void {
  const clear = Deno.stdout.isTerminal() ? "\r\x1b[K" : "";
  const unexpected = formatUnexpected(page);
  if (unexpected !== "") console.log(clear + unexpected);
  if (clear !== "") {
    const line = `[${done}/${all}] ${page.result.id}`.slice(0, 100);
    Deno.stdout.writeSync(new TextEncoder().encode(clear + (done < all ? line : "")));
  }
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(`wpt: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
