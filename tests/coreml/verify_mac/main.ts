/**
 * `deno task verify:mac`: tests Core ML on a real Mac, and writes a report to paste into an issue. The status is 1 if a
 * check fails.
 *
 * @module
 */

import { devices } from "@webnn/deno";
import { join } from "node:path";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { listDevices } from "../../../src/backends/coreml/mod.ts";
import { operators } from "../../../src/ops/operators.ts";
import { runProgram, showProgress, writeFile } from "../../../support/program.ts";
import { hasTestData } from "../../support/test_data.ts";
import { CASES } from "../../wpt_cases/main.ts";
import type { CaseResult } from "../../wpt_cases/report.ts";
import { installFakeFramework } from "../fake_framework.ts";
import { checkCache, checkChoice, measureCases, SETTINGS } from "./measure.ts";
import { BRIEF, filesOf, measureNetwork, type NetworkResult, NETWORKS, THOROUGH } from "./networks.ts";
import { type Findings, hasPassed, type Machine, report } from "./report.ts";

const HELP =
  `Runs WPT's numeric cases and two networks on Core ML with each choice of compute units; checks the devices, the cache
of compiled models, and the choice between Core ML and ONNX Runtime. Writes a Markdown report to paste into an issue.
Needs macOS 14 or newer.

Usage: deno task verify:mac [--filter OPERATOR] [--output FILE] [--fake]

  --filter   only the cases of one operator, or only one network: ${NETWORKS.map(({ name }) => name).join(", ")}
  --output   the file for the report; by default, it is printed
  --fake     use the fake framework of native/fake_coreml/ instead, on Linux: to test this program
  --help     print this text

The cases, weights and photos are read from the folder in WEBNN_TEST_DATA. Without them, their checks are skipped.`;

/** Checks the options. */
function checkOptions(filter: string | undefined, fake: boolean): void {
  if (filter !== undefined && !(filter in operators) && !isNetwork(filter)) {
    throw new Error(`${filter} is neither an operator nor a network`);
  }
  if (Deno.build.os !== "darwin" && !fake) {
    throw new Error(`Core ML is a part of macOS, and this is ${Deno.build.os}; --fake tests the program without it`);
  }
}

async function describeMachine(fake: boolean): Promise<Machine> {
  const { version, build } = openCoreMLFramework();
  const chip = fake ? "no Mac" : await readChip();
  return { chip, system: `macOS ${version} (${build}), ${Deno.build.arch}`, deno: Deno.version.deno };
}

async function readChip(): Promise<string> {
  const { stdout } = await new Deno.Command("sysctl", { args: ["-n", "machdep.cpu.brand_string"] }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** Runs everything. `folder` is an empty folder for caches. */
async function verify(folder: string, fake: boolean, filter: string | undefined): Promise<Findings> {
  const machine = await describeMachine(fake);
  const cases: Record<string, CaseResult[]> = {};
  const networks: NetworkResult[] = [];
  const statements = [...await checkCache(join(folder, "cache")), ...await checkChoice(join(folder, "choice"))];
  const selected = NETWORKS.filter(({ name }) => filter === undefined || filter === name);
  const hasCases = hasTestData(CASES) && !isNetwork(filter);
  for (const [i, setting] of SETTINGS.entries()) {
    const { title, device, float16 } = setting;
    const options = { device, allowReducedPrecision: float16, cacheDirectory: join(folder, `cache_${i}`) };
    if (!float16 && hasCases) {
      const show = (done: number, all: number) => showProgress(`${title}: case ${done} of ${all}`);
      cases[title] = await measureCases(options, filter, show);
    }
    for (const network of selected.filter(hasFiles)) {
      showProgress(`${title}: ${network.name}`);
      networks.push(await measureNetwork(network, setting, options, fake ? BRIEF : THOROUGH));
    }
  }
  showProgress("");
  // With the fake framework, list only its devices: the drivers of others may print messages.
  const entries = fake ? await listDevices() : await devices();
  return { machine, fake, devices: entries, cases, networks, statements, skipped: skippedChecks(filter) };
}

function skippedChecks(filter: string | undefined): string[] {
  return [
    ...filter === undefined ? [] : [`all but ${filter}, the cache and the choice of engines: because of --filter`],
    ...isNetwork(filter) || hasTestData(CASES) ? [] : [`WPT's cases: there is no ${CASES} in the test data`],
    ...NETWORKS.filter((network) => (filter === undefined || network.name === filter) && !hasFiles(network))
      .map(({ name }) => `${name}: no test data`),
  ];
}

function isNetwork(filter: string | undefined): boolean {
  return NETWORKS.some(({ name }) => name === filter);
}

function hasFiles(network: { readonly name: string }): boolean {
  return filesOf(network).every(hasTestData);
}

const OPTIONS = { string: ["filter", "output"], boolean: ["fake"] } as const;

if (import.meta.main) {
  await runProgram("verify:mac", HELP, OPTIONS, async ({ fake, filter, output }) => {
    checkOptions(filter, fake);
    const folder = await Deno.makeTempDir();
    try {
      if (fake) await installFakeFramework(folder);
      Deno.env.set("WEBNN_CACHE_DIR", join(folder, "default_cache")); // Not the user's cache.
      const findings = await verify(join(folder, "caches"), fake, filter);
      if (output === undefined) console.log(report(findings));
      else await writeFile(output, report(findings));
      return hasPassed(findings) ? 0 : 1;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
