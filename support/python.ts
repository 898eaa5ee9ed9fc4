/**
 * Python with packages from PyPI, in virtual environments in the user's cache.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./cache_directory.ts";

/** The path of Python in an environment with these packages. Creates the environment if it does not exist. */
export async function pythonWith(packages: readonly string[]): Promise<string> {
  const folder = join(cacheDirectory(), packages.join(" ").replaceAll(/[^A-Za-z0-9.]+/g, "-"));
  const isWindows = Deno.build.os === "windows";
  const python = join(folder, ...(isWindows ? ["Scripts", "python.exe"] : ["bin", "python"]));
  const marker = join(folder, "installed");
  if (existsSync(marker)) return python;
  console.error(`Installing ${packages.join(", ")} into ${folder}`);
  await runCommand(isWindows ? "python" : "python3", ["-m", "venv", "--clear", folder]);
  await runCommand(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages]);
  await Deno.writeTextFile(marker, "");
  return python;
}

/** Runs a command with this program's standard output and error. Throws if it fails. */
export async function runCommand(command: string, args: readonly string[]): Promise<void> {
  const { success, code } = await new Deno.Command(command, { args: [...args] }).spawn().status;
  if (!success) throw new Error(`${command} ${args[0]} ended with status ${code}`);
}
