/**
 * The framework of native/fake_coreml/: builds it, runs test programs on it, and controls it.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testWithData } from "../support/test_data.ts";
import type { Runtime } from "../../ffi/objc/runtime.ts";
import { cString, readCString } from "../../ffi/memory.ts";

const SOURCES = ["runtime.m", "values.m", "model.m", "compute_plan.m", "interpreter.m", "msg_send.S"];
const FOLDER = new URL("../../native/fake_coreml/", import.meta.url);

/** GNUstep's compiler flags, or why the framework cannot be built here. */
const flags = await findFlags();

/** Whether the framework can be built here. */
export const available: boolean = flags instanceof Array;

/** The suffix for the name of a test that is skipped because the framework cannot be built. */
export const unavailable: string = typeof flags === "string" ? ` (skipped: ${flags})` : "";

/** Builds the framework in a folder. Returns the path of its library. */
export async function buildFakeFramework(folder: string): Promise<string> {
  if (typeof flags === "string") throw new Error(flags);
  const path = join(folder, "libfake_coreml.so");
  const server = fileURLToPath(new URL("./interpreter_server.ts", import.meta.url));
  const defines = { FAKE_COREML_DENO: Deno.execPath(), FAKE_COREML_SERVER: server };
  const args = [
    ...["-shared", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o", path],
    ...Object.entries(defines).map(([name, value]) => `-D${name}=${JSON.stringify(value)}`),
    ...SOURCES.map((name) => fileURLToPath(new URL(name, FOLDER))),
    ...flags,
    "-ldl",
  ];
  const { success, stderr } = await new Deno.Command("gcc", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return path;
}

/** Builds the framework in a folder and makes it this process's Core ML. GNUstep uses the folder for its files. */
export async function installFakeFramework(folder: string): Promise<void> {
  Deno.env.set("WEBNN_COREML_FRAMEWORK", await buildFakeFramework(folder));
  Deno.env.set("TMP", folder); // GNUstep does not read TMPDIR.
}

/**
 * Registers a test that runs a test file on the framework in a separate process, because GCC's runtime loads each class
 * only once. GNUstep reports problems, such as a missing autorelease pool, on standard error, which must be empty.
 *
 * @param name what the file tests
 * @param file in tests/coreml/programs/; its arguments are the path of the library and a folder
 * @param options flags for Deno, and required files of the test data
 */
export function testOnFake(
  name: string,
  file: string,
  { flags = [], data = [] }: { flags?: readonly string[]; data?: readonly string[] } = {},
): void {
  const title = `fake Core ML: ${name}`;
  if (!available) return Deno.test({ name: title + unavailable, ignore: true, fn() {} });
  testWithData(data, title, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const library = await buildFakeFramework(folder);
      const { code, stdout, stderr } = await runTests(file, library, folder, flags);
      if (code !== 0 || stderr !== "") console.log(stdout);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assertMatch(stdout, /^ok \| [1-9]/m, "the tests did not complete");
      console.log(stdout.split("\n").filter((line) => /^[A-Za-z0-9]/.test(line)).join("\n"));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function runTests(file: string, library: string, folder: string, flags: readonly string[]) {
  const program = fileURLToPath(new URL(`./programs/${file}`, import.meta.url));
  const config = fileURLToPath(new URL("../deno.json", import.meta.url));
  const options = ["--config", config, "--no-check", "--allow-all", "--sanitize-ops", "--sanitize-resources", ...flags];
  // Download missing packages first: `deno test` would report downloads on standard error, and its option --quiet would
  // also suppress the output of the tests.
  await new Deno.Command(Deno.execPath(), { args: ["cache", "--quiet", "--config", config, program] }).output();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", ...options, program, "--", library, folder],
    env: { TMPDIR: folder, TMP: folder, NO_COLOR: "1" }, // GNUstep does not read TMPDIR.
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Opens the callback of all completions. It is never closed, so without this the first test would seem to leak it. */
export async function openCallback({ completions }: Runtime): Promise<void> {
  const fail = () => {
    throw new Error("No call is started");
  };
  await completions.wait(fail, () => {}).catch(() => {});
}

const SYMBOLS = {
  fake_coreml_delay: { parameters: ["u32"], result: "void" }, // milliseconds
  fake_coreml_fail: { parameters: ["u32"], result: "void" }, // n
  fake_coreml_fired: { parameters: [], result: "pointer" },
  fake_coreml_hide: { parameters: ["buffer"], result: "void" }, // selector
  fake_coreml_ignore_backings: { parameters: ["bool"], result: "void" },
  fake_coreml_live: { parameters: ["buffer"], result: "u64" }, // name
  fake_coreml_objects: { parameters: [], result: "pointer" },
} as const;

/** Controls the framework. */
export interface FakeControls extends Disposable {
  /** Delays completions by this much. */
  delay(milliseconds: number): void;
  /** Makes the n-th failable call from now fail; 0 means none. */
  fail(n: number): void;
  /** The name of the call that failed. */
  fired(): string | undefined;
  /** Hides a selector of Core ML's classes; "" hides none. */
  hide(selector: string): void;
  /** Makes predictions ignore the arrays offered for their outputs. */
  ignoreBackings(ignore: boolean): void;
  /** The number of live objects of a class, or of all Core ML classes. */
  live(name?: string): number;
  /** The live objects by class, including those of Foundation. */
  objects(): Map<string, number>;
}

/** Opens the controls of the framework at this path. */
export function openFakeControls(path: string): FakeControls {
  const library = Deno.dlopen(path, SYMBOLS);
  const { symbols } = library;
  return {
    delay: (milliseconds) => symbols.fake_coreml_delay(milliseconds),
    fail: (n) => symbols.fake_coreml_fail(n),
    fired: () => readCString(symbols.fake_coreml_fired()) || undefined,
    hide: (selector) => symbols.fake_coreml_hide(cString(selector)),
    ignoreBackings: (ignore) => symbols.fake_coreml_ignore_backings(ignore),
    live: (name = "") => Number(symbols.fake_coreml_live(cString(name))),
    objects() {
      const lines = readCString(symbols.fake_coreml_objects()).trim().split("\n");
      return new Map(lines.map((line) => line.split("\t")).map(([count, name]) => [name!, Number(count)]));
    },
    [Symbol.dispose]: () => library.close(),
  };
}

async function findFlags(): Promise<readonly string[] | string> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    return "the fake Core ML needs GNUstep on Linux x86-64";
  }
  try {
    const compile = await wordsOf("gnustep-config", "--objc-flags");
    const link = await wordsOf("gnustep-config", "--base-libs");
    await wordsOf("gcc", "-print-prog-name=cc1obj").then((path) => Deno.stat(path[0]!));
    // Without flags for warnings, which GNUstep's own headers cause, and for dependency files.
    const kept = compile.filter((flag) => !/^-(M|Wall|Wno-import|O|g$|I\.)/.test(flag));
    return [...kept.map((flag) => flag.replace(/^-I/, "-isystem")), ...link];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "no Objective-C compiler or GNUstep; on Debian, install gobjc, libgnustep-base-dev and gnustep-make";
  }
}

/** The words that a command prints. */
async function wordsOf(command: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await new Deno.Command(command, { args }).output();
  return new TextDecoder().decode(stdout).split(/\s+/).filter((word) => word !== "");
}
