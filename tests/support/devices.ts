/**
 * Devices for tests on a machine without a GPU: WebGPU on SwiftShader, a GPU in software, and OpenVINO on the CPU. Where
 * one is missing, a test is ignored, and its name says why.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ContextOptions } from "@webnn/deno";
import { isLoadable } from "../../ffi/library.ts";
import { cacheDirectory } from "./cache_directory.ts";
import { testWithData } from "./test_data.ts";

/** A device that tests use. */
export interface TestDevice {
  /** The name of its provider. */
  readonly name: string;
  /** How a context asks for it. */
  readonly options: ContextOptions;
  /** Why it is missing; `undefined` if it is there. */
  readonly missing: string | undefined;
}

/** The CPU, which is never missing. */
export const cpu: TestDevice = { name: "cpu", options: { device: "cpu" }, missing: undefined };

/** Where Debian's package chromium has SwiftShader. */
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** WebGPU: on what VK_DRIVER_FILES names, else on SwiftShader. */
export const webgpu: TestDevice = {
  name: "webgpu",
  options: { provider: "webgpu" },
  missing: findVulkan(),
};

function findVulkan(): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  if (!isLoadable("libvulkan.so.1")) return "no libvulkan.so.1; Debian's package libvulkan1 has it";
  if (Deno.env.get("VK_DRIVER_FILES")) return undefined;
  if (!existsSync(SWIFTSHADER)) return `no ${SWIFTSHADER}; Debian's package chromium has it`;
  // The loader of Vulkan reads both, the newer name and the older one.
  for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) Deno.env.set(name, SWIFTSHADER);
  return undefined;
}

/** A build of ONNX Runtime with OpenVINO in it, from PyPI. */
const OPENVINO = { project: "onnxruntime-openvino", version: "1.24.1", library: "libonnxruntime.so.1.24.1" };
const OPENVINO_FOLDER = join(cacheDirectory(), `${OPENVINO.project}-${OPENVINO.version}`);
const OPENVINO_LIBRARY = join(OPENVINO_FOLDER, "onnxruntime", "capi", OPENVINO.library);

/** OpenVINO on the CPU; `install_devices.ts` installs it. */
export const openvino: TestDevice = {
  name: "openvino",
  options: { provider: "openvino", library: OPENVINO_LIBRARY },
  missing: existsSync(OPENVINO_LIBRARY) ? undefined : "not installed; run tests/support/install_devices.ts",
};

/** Downloads OpenVINO with pip and unpacks it into the user's cache. Returns why that cannot be done. */
export async function installOpenVino(): Promise<string | undefined> {
  if (existsSync(OPENVINO_LIBRARY)) return undefined;
  if (`${Deno.build.os} ${Deno.build.arch}` !== "linux x86_64") return "there is a package for Linux on x64 only";
  const folder = await Deno.makeTempDir();
  try {
    const download = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--python-version=3.11"];
    const requirement = `${OPENVINO.project}==${OPENVINO.version}`;
    const reason = await python([...download, "--platform=manylinux_2_28_x86_64", `--dest=${folder}`, requirement]);
    if (reason !== undefined) return reason;
    const [wheel] = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name));
    return await python(["-m", "zipfile", "-e", wheel!, OPENVINO_FOLDER]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function python(args: string[]): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command("python3", { args, stdout: "null", stderr: "piped" }).output();
    return success ? undefined : new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `Deno.test` for a test that needs a device, and perhaps files of the test data. */
export function testOn(
  { name, missing }: TestDevice,
  title: string,
  fn: Deno.TestDefinition["fn"],
  files: readonly string[] = [],
): void {
  if (missing === undefined) testWithData(files, `${name}: ${title}`, fn);
  else Deno.test({ name: `${name}: ${title} (skipped: ${missing})`, ignore: true, fn });
}
