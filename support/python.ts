/**
 * Python with packages of PyPI, in environments of our own below the user's cache.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./cache_directory.ts";

/** The Python of an environment with these packages, which is made now if need be. */
export async function pythonWith(packages: readonly string[]): Promise<string> {
  const folder = join(cacheDirectory(), packages.join(" ").replaceAll(/[^A-Za-z0-9.]+/g, "-"));
  const isWindows = Deno.build.os === "windows";
  const python = join(folder, ...(isWindows ? ["Scripts", "python.exe"] : ["bin", "python"]));
  const isInstalled = join(folder, "installed");
  if (existsSync(isInstalled)) return python;
  console.error(`Installing ${packages.join(", ")} into ${folder}`);
  await runCommand(isWindows ? "python" : "python3", ["-m", "venv", "--clear", folder]);
  await runCommand(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages]);
  await Deno.writeTextFile(isInstalled, "");
  return python;
}

/** Runs a command with the terminal of this one. Throws if it fails. */
export async function runCommand(command: string, args: readonly string[]): Promise<void> {
  const { success, code } = await new Deno.Command(command, { args: [...args] }).spawn().status;
  if (!success) throw new Error(`${command} ${args[0]} ended with ${code}`);
}
