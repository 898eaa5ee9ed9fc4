/**
 * `deno task device:bundle`: packs the check of a machine's devices into a folder. To run it, a machine needs no
 * network, checkout or installed Deno. See HELP.
 *
 * @module
 */

import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openOnnxRuntime } from "../ffi/onnxruntime/library.ts";
import { messageOf } from "../src/errors.ts";
import { SWIFTSHADER } from "../support/devices.ts";
import { installWheel } from "../cli/install/pip.ts";
import { runProgram } from "../support/program.ts";
import { hasTestData, testData } from "../support/test_data.ts";
import { contestants, REFERENCE } from "../bench/report/contestants.ts";
import { MODELS_FOLDER } from "./models.ts";

const HELP = `Creates a folder with programs that check the devices of a similar machine, without a network.

Usage: deno task device:bundle [--output DIR] [--cuda] [--models]

  --output   the new folder (default device_bundle); it must not exist
  --cuda     add ONNX Runtime's CUDA and TensorRT providers, from PyPI's onnxruntime-gpu of the same version, and
             cuRAND: 300 MB. The machine or its Python needs CUDA 13 and cuDNN 9 (PyTorch includes them), and
             TensorRT 10 for TensorRT
  --models   add the models of bench:models, with MiniLM: 400 MB
  --help     print this text

To check the devices, run ./run in the folder; see ./run --help. No file is larger than 48 MB.`;

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const PART_BYTES = 48_000_000;
/** Libraries that ONNX Runtime looks for in its own folder. */
const CUDA_LIBRARIES = ["shared", "cuda", "tensorrt"].map((name) =>
  `onnxruntime/capi/libonnxruntime_providers_${name}.so`
);
/** The CUDA provider needs it, and PyTorch does not include it. */
const CURAND = { project: "nvidia-curand", version: "10.4.5.25", files: ["nvidia/cu13/lib/libcurand.so.10"] };
const NEEDED = ["models", "wpt/cases"];

/** The programs, and their names in the bundle. */
const PROGRAMS = { "check.js": "hardware/check.ts", "webnn.js": "bench/baselines/webnn.ts" };
const PYTHON = ["protocol.py", "pytorch_contestant.py"].map((file) => `bench/baselines/python/${file}`);

const OPTIONS = { string: ["output"], boolean: ["cuda", "models"], default: { output: "device_bundle" } } as const;

if (import.meta.main) {
  await runProgram("device:bundle", HELP, OPTIONS, ({ output, ...extras }) => bundle(output, extras));
}

/** What is added only if it is asked for. */
interface Extras {
  readonly cuda: boolean;
  readonly models: boolean;
}

async function bundle(output: string, extras: Extras): Promise<void> {
  if (Deno.build.os === "windows") {
    throw new Error("the bundle's command is a shell script; on Windows run bench:report and test:wpt-cases instead");
  }
  const missing = NEEDED.filter((folder) => !hasTestData(folder));
  if (missing.length > 0) {
    throw new Error(
      `no ${missing.join(", ")} in the test data; deno task data downloads it, WEBNN_TEST_DATA names its folder`,
    );
  }
  await Deno.mkdir(output); // Fails if the folder exists, so nothing else ends up in the bundle.
  const folder = await Deno.makeTempDir();
  try {
    await fill(folder, extras);
    const bytes = await pack(folder, output);
    console.log(
      `${output}: ${(bytes / 1e6).toFixed(0)} MB in parts; run ./run in it to check the devices of a machine`,
    );
  } catch (error) {
    await Deno.remove(output, { recursive: true });
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Puts all files where `run` expects them. */
async function fill(folder: string, { cuda, models }: Extras): Promise<void> {
  for (const name of ["lib", "data/wpt", "python", "cache/webnn-deno"]) {
    await Deno.mkdir(join(folder, name), { recursive: true });
  }
  console.log("programs");
  for (const [file, source] of Object.entries(PROGRAMS)) {
    await run(Deno.execPath(), [
      "bundle",
      "--quiet",
      "--config",
      ROOT + "hardware/deno.json",
      "--keep-names",
      "--platform=deno",
      "--output",
      join(folder, file),
      ROOT + source,
    ]);
  }
  for (const file of PYTHON) await Deno.copyFile(ROOT + file, join(folder, "python", basename(file)));
  await Deno.copyFile(Deno.execPath(), join(folder, "deno"));
  const { path, version } = await openOnnxRuntime();
  const library = join(folder, "lib", basename(path));
  await Deno.copyFile(path, library);
  await compileReference(folder, library);
  console.log("data");
  await run("cp", ["-R", testData("models"), join(folder, "data")]);
  await run("cp", ["-R", testData("wpt/cases"), join(folder, "data/wpt")]);
  await run("cp", ["-R", SWIFTSHADER, join(folder, "cache/webnn-deno")]).catch(() => console.log("no SwiftShader"));
  if (models) await addModels(join(folder, "data", MODELS_FOLDER));
  if (cuda) await addCuda(folder, version);
}

/** Compiles the contestant that uses ONNX Runtime directly from C, if there is a compiler. */
async function compileReference(folder: string, library: string): Promise<void> {
  const reference = contestants.find(({ name }) => name === REFERENCE)!;
  await reference.prepare({ folder, library }).catch((error) =>
    console.log(`without ${REFERENCE}: ${messageOf(error)}`)
  );
}

/** Adds the models of bench:models and their inputs. The libraries that make the inputs are not part of the bundle. */
async function addModels(folder: string): Promise<void> {
  console.log("models");
  await Deno.mkdir(folder);
  const program = ["--config", ROOT + "bench/deno.json", "--allow-all", ROOT + "bench/models/write_jobs.ts", folder];
  await run(Deno.execPath(), ["run", "--quiet", ...program]);
}

async function addCuda(folder: string, version: string): Promise<void> {
  for (const { files, ...wheel } of [{ project: "onnxruntime-gpu", version, files: CUDA_LIBRARIES }, CURAND]) {
    console.log(`${wheel.project} ${wheel.version} of PyPI`);
    const unpacked = await Deno.makeTempDir();
    try {
      await installWheel(wheel, unpacked);
      for (const file of files) await Deno.rename(join(unpacked, file), join(folder, "lib", basename(file)));
    } finally {
      await Deno.remove(unpacked, { recursive: true });
    }
  }
}

/** Packs a folder into parts, next to the command that unpacks them. Returns the size of the parts in bytes. */
async function pack(folder: string, output: string): Promise<number> {
  console.log("packing");
  const tar = new Deno.Command("tar", { args: ["-czf", "-", "-C", folder, "."], stdout: "piped" }).spawn();
  const sums: string[] = [];
  let bytes = 0;
  for await (const part of parts(tar.stdout)) {
    const name = `part.${String(sums.length).padStart(3, "0")}`;
    await Deno.writeFile(join(output, name), part);
    sums.push(`${new Uint8Array(await crypto.subtle.digest("SHA-256", part)).toHex()}  ${name}\n`);
    bytes += part.length;
  }
  if (!(await tar.status).success) throw new Error("tar failed");
  await Deno.writeTextFile(join(output, "parts.sha256"), sums.join(""));
  await Deno.copyFile(fileURLToPath(new URL("run.sh", import.meta.url)), join(output, "run"));
  await Deno.chmod(join(output, "run"), 0o755);
  return bytes;
}

/** Splits a stream into pieces of at most PART_BYTES. */
async function* parts(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const part = new Uint8Array(PART_BYTES);
  let length = 0;
  for await (let chunk of stream) {
    while (chunk.length > 0) {
      const taken = chunk.subarray(0, PART_BYTES - length);
      part.set(taken, length);
      length += taken.length;
      chunk = chunk.subarray(taken.length);
      if (length < PART_BYTES) continue;
      yield part;
      length = 0;
    }
  }
  if (length > 0) yield part.subarray(0, length);
}

async function run(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${command} ${args[0]}: ${new TextDecoder().decode(stderr).trim()}`);
}
