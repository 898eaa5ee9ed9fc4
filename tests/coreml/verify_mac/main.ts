/**
 * `deno task verify:mac`: Core ML on a real Mac, and a report to paste into an issue. Exits with 1 if something is wrong.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { join } from "node:path";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { messageOf } from "../../../src/errors.ts";
import { hasTestData } from "../../support/test_data.ts";
import { CASES } from "../../wpt_cases/main.ts";
import type { CaseResult } from "../../wpt_cases/report.ts";
import { buildFakeFramework } from "../fake_framework.ts";
import {
  checkCache,
  filesOf,
  measureCases,
  measureNetwork,
  type NetworkResult,
  NETWORKS,
  SETTINGS,
} from "./measure.ts";
import { type Findings, hasPassed, type Machine, report } from "./report.ts";

const HELP =
  `Runs WPT's numeric cases and two networks on Core ML, with each choice of compute units, looks at the cache of
compiled models, and reports in Markdown, to be pasted into an issue. For macOS 14 and newer.

Usage: deno task verify:mac [--filter OPERATOR] [--output FILE] [--fake]

  --filter   the cases of one operator only, and no network
  --output   where the report is written; by default it is printed
  --fake     runs on the framework of native/fake_coreml/ instead, on Linux: to test this program. Networks run once
  --help     this text

The cases and the weights are in the folder that WEBNN_TEST_DATA names; what is missing there is not run.`;

interface Options {
  readonly filter: string | undefined;
  readonly output: string | undefined;
  readonly fake: boolean;
}

/** The options, or the code with which the program ends. */
function readOptions(): Options | number {
  const unknown: string[] = [];
  const { fake, filter, help, output } = parseArgs(Deno.args, {
    string: ["filter", "output"],
    boolean: ["fake", "help"],
    unknown: (option) => void unknown.push(option),
  });
  if (help) {
    console.log(HELP);
    return 0;
  }
  if (unknown.length > 0) {
    console.error(`verify:mac: there is no option ${unknown[0]}; --help lists them`);
    return 1;
  }
  if (Deno.build.os !== "darwin" && !fake) {
    console.error(
      `verify:mac: Core ML is a part of macOS, and this is ${Deno.build.os}; --fake tests the program itself`,
    );
    return 1;
  }
  return { filter, output, fake };
}

async function describeMachine(library: string | undefined): Promise<Machine> {
  const { version, build, devices } = openCoreMLFramework(library);
  const chip = library === undefined ? await readChip() : "no Mac";
  return { chip, system: `macOS ${version} (${build}), ${Deno.build.arch}`, devices, deno: Deno.version.deno };
}

async function readChip(): Promise<string> {
  const { stdout } = await new Deno.Command("sysctl", { args: ["-n", "machdep.cpu.brand_string"] }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** Runs everything; `folder` is empty, for the caches. */
async function verify(folder: string, library: string | undefined, filter: string | undefined): Promise<Findings> {
  const options = library === undefined ? {} : { library };
  const machine = await describeMachine(library);
  const skipped: string[] = [];
  const cases: Record<string, CaseResult[]> = {};
  const networks: NetworkResult[] = [];
  const cache = await checkCache({ ...options, cacheDirectory: join(folder, "cache") });
  for (const [i, setting] of SETTINGS.entries()) {
    const { title, device, float16 } = setting;
    const cacheDirectory = join(folder, `cache_${i}`);
    if (!float16 && hasTestData(CASES)) {
      const show = (done: number, all: number) => progress(`${title}: case ${done} of ${all}`);
      cases[title] = await measureCases({ ...options, device, cacheDirectory }, filter, show);
    }
    for (const network of filter === undefined ? NETWORKS.filter(hasFiles) : []) {
      progress(`${title}: ${network.name}`);
      const runs = library === undefined ? undefined : 0;
      networks.push(await measureNetwork(network, setting, { ...options, device, float16, cacheDirectory }, runs));
    }
  }
  progress("");
  if (!hasTestData(CASES)) skipped.push(`WPT's cases: there is no ${CASES} in the test data`);
  if (filter !== undefined) skipped.push(`all but the cases of ${filter}, and the cache: as --filter says`);
  else for (const { name } of NETWORKS.filter((network) => !hasFiles(network))) skipped.push(`${name}: no test data`);
  return { machine, fake: library !== undefined, cases, networks, cache, skipped };
}

function hasFiles(network: { readonly name: string }): boolean {
  return filesOf(network).every(hasTestData);
}

/** Shows how far things are, in one line, where somebody looks on. */
function progress(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "number") return options;
  const folder = await Deno.makeTempDir();
  try {
    const library = options.fake ? await buildFakeFramework(folder) : undefined;
    const caches = join(folder, "caches");
    const findings = await verify(caches, library, options.filter);
    if (Object.values(findings.cases).some(({ length }) => length === 0)) {
      throw new Error(`no cases of ${options.filter}`);
    }
    const text = report(findings);
    if (options.output === undefined) console.log(text);
    else await Deno.writeTextFile(options.output, text);
    return hasPassed(findings) ? 0 : 1;
  } catch (error) {
    console.error(`verify:mac: ${messageOf(error)}`);
    return 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exitCode = await main();
