/**
 * The program behind `deno task test`: the static checks, then all tests and doc examples, then one line that counts.
 * Every part runs even if an earlier one failed, so that one run tells everything.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../../support/program.ts";
// Names SwiftShader to the loader of Vulkan in the environment that the tests inherit: WebGPU looks for devices once a
// process, when the first context of any test is opened.
import "./devices.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const TESTS_CONFIG = "--config=tests/deno.json";

/** With `--frozen` a lock file that lacks something is an error too. */
const CHECK = ["check", "--quiet", "--frozen"];

/** The documentation may use what tests may use, such as assertions; the module may not. */
const DOCUMENTED = ["src", "ffi", "mod.ts", "README.md"];

const CHECKS: Record<string, readonly string[]> = {
  formatting: ["fmt", "--check"],
  lint: ["lint"],
  "types of the module": [...CHECK, "src", "ffi", "mod.ts", "globals.d.ts"],
  "types of tests and documentation": [...CHECK, TESTS_CONFIG, "--doc", "tests", "support", "docs", ...DOCUMENTED],
  "types of benches": [...CHECK, "--config=bench/deno.json", "--doc", "bench"],
  "types of the hardware check": [...CHECK, "--config=hardware/deno.json", "--doc", "hardware"],
  "types of examples": [...CHECK, "--config=examples/deno.json", "--doc", "examples"],
  "types of the command line": [...CHECK, "--config=cli/deno.json", "--doc", "cli"],
  documentation: ["doc", "--lint", "mod.ts", "src/polyfill.ts"],
  package: ["publish", "--dry-run", "--allow-dirty"],
  "package of the command line": ["publish", "--config=cli/deno.json", "--dry-run", "--allow-dirty"],
};

// The types have been checked by then. The sanitizers are off by default since Deno 2.9.
const TEST = ["test", TESTS_CONFIG, "--allow-all", "--no-check", "--doc", "--sanitize-ops", "--sanitize-resources"];
const TESTED = ["tests", "support", ...DOCUMENTED];

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs this Deno on the repository and answers whether it ended well. */
async function deno(title: string, args: readonly string[]): Promise<boolean> {
  console.log(`\n== ${title}: deno ${args.join(" ")}`);
  const child = new Deno.Command(Deno.execPath(), { args: [...args], cwd: ROOT, stdin: "null" }).spawn();
  const { success, signal } = await child.status;
  if (signal !== null) console.log(`\nThe process was ended by ${signal}.`);
  return success;
}

/** The counts in a JUnit report of `deno test`; a test's steps count like tests. */
function readCounts(junit: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [suite] of junit.matchAll(/<testsuite .*?>/g)) {
    const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
    const failed = count("failures") + count("errors");
    counts.failed += failed;
    counts.skipped += count("disabled");
    counts.passed += count("tests") - failed - count("disabled");
  }
  return counts;
}

async function runTests(): Promise<{ success: boolean; counts: Counts }> {
  const folder = await Deno.makeTempDir();
  const report = join(folder, "tests.xml");
  try {
    const success = await deno("tests", [...TEST, `--junit-path=${report}`, ...TESTED]);
    const junit = await Deno.readTextFile(report).catch(() => undefined);
    if (junit !== undefined) return { success, counts: readCounts(junit) };
    console.log("The tests ended without a report, which counts as one failure.");
    return { success: false, counts: { passed: 0, failed: 1, skipped: 0 } };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HELP = `Checks all that must hold: format, lint, types, documentation, the package, and all tests.

Usage: deno task test

Weights, photos and reference results are in the folder that WEBNN_TEST_DATA names (by default shared, beside the
checkout). Where they are missing, tests that need them are skipped and say so.`;

await runProgram("test", HELP, {}, async () => {
  const failed: string[] = [];
  for (const [title, args] of Object.entries(CHECKS)) {
    if (!await deno(title, args)) failed.push(title);
  }
  const { success, counts } = await runTests();
  if (!success) failed.push("tests");

  if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}`);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  return failed.length > 0 ? 1 : 0;
});
