/**
 * `deno run -A support/install_devices.ts`: installs the devices for tests without a GPU in the user's cache, as far as
 * possible: SwiftShader from npm, OpenVINO and ggml from PyPI. It always succeeds; tests say what they skip.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { SWIFTSHADER, type TestWheel, WHEELS } from "./devices.ts";
import { installWheel, unpack } from "../cli/install/pip.ts";

/** The package's entry point. None of its code runs. */
const CHROMIUM = "npm:@sparticuz/chromium@153.0.0";

/** Resolves a package in a new process, because this one does not see packages that were cached after it started. */
async function resolveInNewProcess(specifier: string): Promise<string> {
  const args = ["eval", `console.log(import.meta.resolve(${JSON.stringify(specifier)}))`];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
  return new TextDecoder().decode(stdout).trim();
}

async function installSwiftShader(): Promise<void> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") throw new Error("available only for Linux on x64");
  await run(Deno.execPath(), ["cache", "--quiet", CHROMIUM]);
  const archive = fileURLToPath(new URL("../bin/swiftshader.tar.br", await resolveInNewProcess(CHROMIUM)));
  await unpack(SWIFTSHADER, async (folder) => {
    const tar = join(folder, "swiftshader.tar");
    await Deno.writeFile(tar, brotliDecompressSync(await Deno.readFile(archive)));
    await run("tar", ["-xf", tar, "-C", folder]);
    await Deno.remove(tar);
  });
}

async function installLibrary(wheel: TestWheel): Promise<void> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") throw new Error("tested only on Linux on x64");
  await unpack(wheel.folder, (folder) => installWheel(wheel, folder));
}

/** Runs a program. If it fails, throws an error with the last line of its standard error. */
async function run(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`);
}

async function install(name: string, path: string, install: () => Promise<void>): Promise<void> {
  try {
    if (!existsSync(path)) await install();
    console.log(`${name}: installed`);
  } catch (error) {
    console.log(`${name}: not installed: ${error instanceof Error ? error.message : error}`);
  }
}

if (import.meta.main) {
  await install("SwiftShader", SWIFTSHADER, installSwiftShader);
  for (const wheel of WHEELS) await install(wheel.project, wheel.library, () => installLibrary(wheel));
}
