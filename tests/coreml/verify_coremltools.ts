/**
 * `deno task verify:coremltools`: Apple's library coremltools loads every program that this project writes. The status
 * is 1 if coremltools rejects a program, accepts a wrong one, or computes different numbers, unless the reason is
 * listed here.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { runProgram } from "../../support/program.ts";
import { pythonWith, runCommand } from "../../support/python.ts";
import { hasTestData, testData } from "../support/test_data.ts";
import { loadCases } from "../wpt_cases/cases.ts";
import { CASES } from "../wpt_cases/main.ts";
import { LOWERINGS, type Result, type SetResult } from "./coremltools_result.ts";
import { exportCases, exportHandwritten, exportNetworks, exportWrong, NETWORKS } from "./export_programs.ts";
import { digestOfAll } from "./files.ts";
import { WRONG_PROGRAMS } from "./sample_programs.ts";

const HELP =
  `Loads every ML Program that this project writes with coremltools, which it installs from PyPI into the cache.
Writes the findings to coremltools_result.json, unless a part of the test data is missing.

Usage: deno task verify:coremltools [--folder DIR | --schema]

  --folder   load the packages in a folder instead, and print the findings
  --schema   write mil_schema.json again instead
  --help     print this text`;

/** The packages, with the newest NumPy that coremltools' type inference supports. */
const PACKAGES = ["coremltools==9.0", "numpy<2.3"];

const RESULT = new URL("coremltools_result.json", import.meta.url);
const SCHEMA = new URL("mil_schema.json", import.meta.url);

/** Cases for which coremltools is known to compute different numbers or none, with the reason. */
const KNOWN_DIFFERENCES: readonly (readonly [cases: RegExp, reason: string])[] = [
  [
    /^\d+ cumulativeSum .*exclusive to true/,
    "coremltools' value inference of cumsum raises a TypeError when `exclusive` is true",
  ],
];

/** The findings of verify_coremltools.py about a program. */
interface Finding {
  readonly error?: string;
  readonly numbers?: string;
}

interface Findings {
  readonly coremltools: string;
  readonly numpy: string;
  readonly programs: Readonly<Record<string, Finding>>;
}

const OPTIONS = { string: ["folder"], boolean: ["schema"] } as const;

async function verifyAll(python: string): Promise<number> {
  const sets: SetResult[] = [];
  const verified = async (set: string, write: Write) => {
    const findings = await verifyPrograms(python, write);
    sets.push({ ...summarize(set, findings), digest: findings.digest });
    printSet(sets.at(-1)!);
    return findings;
  };
  const { coremltools, numpy } = await verified("written by hand", exportHandwritten);
  for (const [name, options] of hasTestData(CASES) ? Object.entries(LOWERINGS) : []) {
    const cases = await loadCases(testData(CASES));
    await verified(`WPT's numeric cases, ${name}`, (folder) => exportCases(folder, cases, options));
  }
  for (const [name, options] of hasNetworks() ? Object.entries(LOWERINGS) : []) {
    await verified(`networks, ${name}`, (folder) => exportNetworks(folder, options));
  }
  const wrong = summarizeWrong(await verifyPrograms(python, exportWrong));
  console.log(`wrong programs: ${wrong.rejected.length} of ${wrong.programs} rejected`);
  if (hasTestData(CASES) && hasNetworks()) await writeResult({ coremltools, numpy, sets, wrong });
  if (!hasTestData(CASES)) {
    console.log(`skipped: no ${CASES} in the test data; deno task data downloads it, WEBNN_TEST_DATA names its folder`);
  }
  if (!hasNetworks()) {
    console.log("skipped: no networks in the test data; deno task data downloads it, WEBNN_TEST_DATA names its folder");
  }
  const isCorrect = sets.every(({ rejected, numbers }) => isEmpty(rejected) && isEmpty(numbers.different));
  const isComplete = Object.entries(WRONG_PROGRAMS).every(([name, { coremltools }]) =>
    wrong.rejected.includes(name) === coremltools
  );
  if (!isComplete) {
    console.log("coremltools rejects other wrong programs than sample_programs.ts expects; see `coremltools` there");
  }
  const failed = sets.filter(({ rejected, numbers }) => !isEmpty(rejected) || !isEmpty(numbers.different)).length;
  console.log(`verify:coremltools: ${sets.length - failed} sets passed, ${failed} failed`);
  return isCorrect && isComplete && hasTestData(CASES) && hasNetworks() ? 0 : 1;
}

async function writeResult(result: Result): Promise<void> {
  await Deno.writeTextFile(RESULT, `${JSON.stringify(result, null, 2)}\n`);
  await runCommand(Deno.execPath(), ["fmt", "--quiet", fileURLToPath(RESULT)]);
  console.log(`Written: ${fileURLToPath(RESULT)}`);
}

function hasNetworks(): boolean {
  return NETWORKS.every(([, , weights]) => hasTestData(weights));
}

/** Writes packages to a folder. Returns the hash of each. */
type Write = (folder: string) => Promise<string[]>;

/** Verifies programs that `write` puts into a folder. Removes the folder, because weights are large. */
async function verifyPrograms(python: string, write: Write): Promise<Findings & { readonly digest: string }> {
  const folder = await Deno.makeTempDir({ prefix: "coremltools-" });
  try {
    const digest = digestOfAll(await write(folder));
    return { ...await verifyPackages(python, folder), digest };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function verifyPackages(python: string, folder: string): Promise<Findings> {
  const result = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await runCommand(python, [script("verify_coremltools.py"), folder, result]);
    return JSON.parse(await Deno.readTextFile(result));
  } finally {
    await Deno.remove(result);
  }
}

async function verifyFolder(python: string, folder: string): Promise<number> {
  const result = summarize(folder, await verifyPackages(python, folder));
  printSet(result);
  return result.programs > 0 && isEmpty(result.rejected) && isEmpty(result.numbers.different) ? 0 : 1;
}

function summarize(set: string, { programs }: Findings): Omit<SetResult, "digest"> {
  const entries = Object.entries(programs);
  const rejected = entries.flatMap(([name, { error }]) => error === undefined ? [] : [[name, error]]);
  const loaded = entries.filter(([, { error }]) => error === undefined);
  const count = (numbers: string | undefined) => loaded.filter(([, finding]) => finding.numbers === numbers).length;
  const unequal = loaded.filter(([, { numbers }]) =>
    numbers !== undefined && numbers !== "equal" && numbers !== "not computed"
  );
  const reasonOf = (name: string) => KNOWN_DIFFERENCES.find(([cases]) => cases.test(name))?.[1];
  const expected = Object.groupBy(unequal, ([name]) => reasonOf(name) ?? "");
  const { "": different = [], ...known } = expected;
  return {
    set,
    programs: entries.length,
    loaded: loaded.length,
    rejected: Object.fromEntries(rejected),
    numbers: {
      equal: count("equal"),
      notComputed: count("not computed"),
      notGiven: count(undefined),
      expected: Object.fromEntries(Object.entries(known).map(([reason, group]) => [reason, group!.length])),
      different: Object.fromEntries(different.map(([name, { numbers }]) => [name, numbers!])),
    },
  };
}

function summarizeWrong({ programs }: Findings): Result["wrong"] {
  const names = Object.keys(programs);
  const rejected = names.filter((name) => programs[name]!.error !== undefined);
  return { programs: names.length, rejected, accepted: names.filter((name) => !rejected.includes(name)) };
}

function printSet({ set, programs, loaded, rejected, numbers }: Omit<SetResult, "digest">): void {
  const { equal, notComputed, notGiven, expected, different } = numbers;
  console.log(
    `${set}: ${loaded} of ${programs} loaded; numbers: ${equal} equal, ${notComputed} not computed, ` +
      `${notGiven} not given`,
  );
  for (const [reason, count] of Object.entries(expected)) console.log(`  ${count} differ: ${reason}`);
  for (const [name, reason] of Object.entries({ ...rejected, ...different })) console.log(`  ${name}: ${reason}`);
}

async function writeSchema(python: string): Promise<number> {
  await runCommand(python, [script("make_schema.py"), fileURLToPath(SCHEMA)]);
  await runCommand(Deno.execPath(), ["fmt", "--quiet", fileURLToPath(SCHEMA)]);
  console.log(`Written: ${fileURLToPath(SCHEMA)}`);
  return 0;
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}

if (import.meta.main) {
  await runProgram("verify:coremltools", HELP, OPTIONS, async ({ folder, schema }) => {
    const python = await pythonWith(PACKAGES);
    if (schema) return await writeSchema(python);
    return folder === undefined ? await verifyAll(python) : await verifyFolder(python, folder);
  });
}
