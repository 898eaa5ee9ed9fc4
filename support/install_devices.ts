/**
 * `deno run -A support/install_devices.ts`: puts the devices that tests can use without a GPU into the user's cache,
 * as far as that is possible: SwiftShader from npm, OpenVINO and ggml from PyPI. It always succeeds: tests say what
 * they skip.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { SWIFTSHADER, type Wheel, WHEELS } from "./devices.ts";

/** The package's own entry point, of which nothing is run. */
const CHROMIUM = "npm:@sparticuz/chromium@153.0.0";

async function installSwiftShader(): Promise<void> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") throw new Error("there is one for Linux on x64 only");
  await run(Deno.execPath(), ["cache", "--quiet", CHROMIUM]);
  const archive = fileURLToPath(new URL("../bin/swiftshader.tar.br", import.meta.resolve(CHROMIUM)));
  await unpack(SWIFTSHADER, async (folder) => {
    const tar = join(folder, "swiftshader.tar");
    await Deno.writeFile(tar, brotliDecompressSync(await Deno.readFile(archive)));
    await run("tar", ["-xf", tar, "-C", folder]);
    await Deno.remove(tar);
  });
}

async function installWheel({ folder, project, version }: Wheel): Promise<void> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") throw new Error("tried on Linux on x64 only");
  await unpack(folder, (folder) => downloadWheel(`${project}==${version}`, folder));
}

/** Downloads a package of PyPI, and unpacks it into a folder. */
export async function downloadWheel(requirement: string, folder: string): Promise<void> {
  const download = await Deno.makeTempDir();
  try {
    const platforms = ["2_17", "2_27", "2_28", "2_35"].map((glibc) => `--platform=manylinux_${glibc}_x86_64`);
    const options = ["--no-deps", "--only-binary=:all:", "--python-version=3.11", ...platforms];
    await run("python3", ["-m", "pip", "download", ...options, `--dest=${download}`, requirement]);
    const [file] = [...Deno.readDirSync(download)].map(({ name }) => join(download, name));
    await run("python3", ["-m", "zipfile", "-e", file!, folder]);
  } finally {
    await Deno.remove(download, { recursive: true });
  }
}

/** Fills a folder beside its place, and moves it there when it is whole. */
export async function unpack(place: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${place}.${crypto.randomUUID()}`;
  await Deno.mkdir(folder, { recursive: true });
  try {
    await fill(folder);
    await Deno.rename(folder, place);
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}

async function run(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`);
}

async function install(name: string, place: string, install: () => Promise<void>): Promise<void> {
  try {
    if (!existsSync(place)) await install();
    console.log(`${name}: installed`);
  } catch (error) {
    console.log(`${name}: not installed: ${error instanceof Error ? error.message : error}`);
  }
}

if (import.meta.main) {
  await install("SwiftShader", SWIFTSHADER, installSwiftShader);
  for (const wheel of WHEELS) await install(wheel.project, wheel.library, () => installWheel(wheel));
}
