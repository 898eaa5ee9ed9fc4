/**
 * The program of `deno task test`: runs the static checks, then all tests and doc examples, and prints the counts. Every
 * part runs even if an earlier one failed. Half of the tests run in a second process at the same time; their output is
 * printed after that of the others, and the failures of both at the end.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../../support/program.ts";
// Sets the environment variables for SwiftShader here, because the tests inherit them, and WebGPU looks for devices only
// once per process, when the first context is created.
import "./devices.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const TESTS_CONFIG = "--config=tests/deno.json";

/** With `--frozen`, an incomplete lock file is also an error. */
const CHECK = ["check", "--quiet", "--frozen"];

/** Folders with doc examples, which may use the imports of tests, such as assertions. */
const DOCUMENTED = ["src", "ffi", "mod.ts"];

/** Pages whose blocks of code are run by tests/docs. */
const PAGES = ["docs", "README.md", "cli/README.md", "serve/README.md"];

const CHECKS: Record<string, readonly string[]> = {
  formatting: ["fmt", "--check"],
  lint: ["lint"],
  "types of the module": [...CHECK, "src", "ffi", "mod.ts", "globals.d.ts"],
  "types of tests and documentation": [...CHECK, TESTS_CONFIG, "--doc", "tests", "support", ...PAGES, ...DOCUMENTED],
  "types of benches": [...CHECK, "--config=bench/deno.json", "--doc", "bench"],
  "types of the hardware check": [...CHECK, "--config=hardware/deno.json", "--doc", "hardware"],
  "types of examples": [...CHECK, "--config=examples/deno.json", "--doc", "examples"],
  "types of the command line": [...CHECK, "--config=cli/deno.json", "--doc", "cli"],
  "types of the server": [...CHECK, "--config=serve/deno.json", "--doc", "serve"],
  documentation: ["doc", "--lint", "mod.ts", "src/polyfill.ts", "src/onnx/mod.ts"],
  package: ["publish", "--dry-run", "--allow-dirty"],
  "package of the command line": ["publish", "--config=cli/deno.json", "--dry-run", "--allow-dirty"],
  "package of the server": ["publish", "--config=serve/deno.json", "--dry-run", "--allow-dirty"],
};

// CHECKS checks the types. The sanitizers are off by default since Deno 2.9.
const TEST = ["test", TESTS_CONFIG, "--allow-all", "--no-check", "--doc", "--sanitize-ops", "--sanitize-resources"];
const TESTED = ["tests", "support", ...DOCUMENTED];

/** The tests of the second process: they mostly use one thread, and take half of the time. */
const SECOND = ["tests/clients", "tests/coreml", "tests/examples", "tests/process", "tests/wpt", "tests/wpt_cases"];

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** The failed tests, each with its file and error. */
  failures: readonly string[];
}

const CRASHED: Counts = { passed: 0, failed: 1, skipped: 0, failures: ["the process ended without a report"] };

/** Whether a Deno process succeeded, and its output if that was piped. */
interface Ending {
  success: boolean;
  printed: string;
}

async function deno(args: readonly string[], output: "inherit" | "piped"): Promise<Ending> {
  const options: Deno.CommandOptions = { args: [...args], cwd: ROOT, stdin: "null", stdout: output, stderr: output };
  const child = new Deno.Command(Deno.execPath(), options).spawn();
  const kept = output === "piped" ? [new Response(child.stdout).text(), new Response(child.stderr).text()] : [];
  const [{ success, signal }, ...printed] = await Promise.all([child.status, ...kept]);
  if (signal !== null) printed.push(`\nThe process was killed by ${signal}.`);
  return { success, printed: printed.join("") };
}

/** Runs one part, with its output on the terminal under a title. */
async function show(title: string, args: readonly string[]): Promise<boolean> {
  console.log(`\n== ${title}: deno ${args.join(" ")}`);
  const { success, printed } = await deno(args, "inherit");
  if (printed !== "") console.log(printed);
  return success;
}

/** The failures in a JUnit report of `deno test`. */
function readFailures(junit: string): string[] {
  const testcase = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*>\s*<failure message="([^"]*)"/g;
  return [...junit.matchAll(testcase)].map(([, name, file, message]) => unescapeXml(`${file}: ${name}: ${message}`));
}

function unescapeXml(text: string): string {
  const characters: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(/&(\w+);/g, (entity, name) => characters[name] ?? entity);
}

/** The counts in a JUnit report of `deno test`; steps count as tests. */
function readCounts(junit: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0, failures: readFailures(junit) };
  for (const [suite] of junit.matchAll(/<testsuite .*?>/g)) {
    const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
    const failed = count("failures") + count("errors");
    counts.failed += failed;
    counts.skipped += count("disabled");
    counts.passed += count("tests") - failed - count("disabled");
  }
  return counts;
}

/** Runs tests with `run`, which gets Deno's arguments, and counts them. */
async function count<E>(args: readonly string[], run: (args: readonly string[]) => Promise<E>): Promise<[E, Counts]> {
  const folder = await Deno.makeTempDir();
  const report = join(folder, "tests.xml");
  try {
    const ending = await run([...TEST, `--junit-path=${report}`, ...args]);
    const junit = await Deno.readTextFile(report).catch(() => undefined);
    // Without a report, the process has crashed, which counts as one failure.
    return [ending, junit === undefined ? CRASHED : readCounts(junit)];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HELP = `Checks format, lint, types, documentation and packages, and runs all tests.

Usage: deno task test

Tests whose data is missing are skipped, with the reason in their names. deno task data downloads it, to the folder
WEBNN_TEST_DATA (by default shared, next to the checkout).`;

await runProgram("test", HELP, {}, async () => {
  const second = count(SECOND, (args) => deno(args, "piped"));
  const failed: string[] = [];
  for (const [title, args] of Object.entries(CHECKS)) {
    if (!await show(title, args)) failed.push(title);
  }
  const rest = [`--ignore=${SECOND}`, ...TESTED];
  const [success, counts] = await count(rest, (args) => show("tests", args));
  if (!success) failed.push("tests");

  const [ending, more] = await second;
  console.log(`\n== tests of ${SECOND.join(", ")}\n${ending.printed}`);
  if (!ending.success) failed.push("tests of the second process");

  for (const failure of [...counts.failures, ...more.failures]) console.log(`Failed: ${failure}`);
  if (failed.length > 0) console.log(`Failed parts: ${failed.join(", ")}`);
  const skipped = counts.skipped + more.skipped;
  const tail = skipped > 0 ? `, ${skipped} skipped` : "";
  console.log(`${counts.passed + more.passed} passed, ${counts.failed + more.failed} failed${tail}`);
  return failed.length > 0 ? 1 : 0;
});
