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
import { downloadWheel, run, unpack } from "./wheels.ts";

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
