/**
 * Devices for tests and measurements, also on machines without a GPU: WebGPU on SwiftShader (a software rasteriser),
 * and OpenVINO and ggml on the CPU. `install_devices.ts` installs them. If a device is missing, its tests are ignored,
 * with the reason in their names.
 *
 * @module
 */

import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ContextOptions } from "@webnn/deno";
import { isLoadable, openLibrary } from "../ffi/library.ts";
import { cacheDirectory } from "./cache_directory.ts";
import type { Wheel } from "../cli/install/pip.ts";

/** A device for tests. */
export interface TestDevice {
  /** Its name for `--device`. */
  readonly name: string;
  /** The options of a context on it. */
  readonly options: ContextOptions;
  /** Why it is missing; `undefined` if it is available. */
  readonly missing: string | undefined;
}

/** A PyPI package with native libraries, unpacked in the user's cache. */
export interface TestWheel extends Wheel {
  readonly folder: string;
  /** The library to load. */
  readonly library: string;
}

function wheel(project: string, version: string, file: string): TestWheel {
  const folder = join(cacheDirectory(), `${project}-${version}`);
  return { project, version, folder, library: join(folder, file) };
}

/** A build of ONNX Runtime that contains OpenVINO. */
const OPENVINO = wheel("onnxruntime-openvino", "1.24.1", "onnxruntime/capi/libonnxruntime.so.1.24.1");
/** OpenVINO as a plug-in provider. */
const OPENVINO_PLUGIN = wheel(
  "onnxruntime-ep-openvino",
  "1.8.1",
  "onnxruntime_ep_openvino/libonnxruntime_providers_openvino_plugin.so",
);
/** A plug-in provider that uses ggml on any CPU. */
const GGML = wheel("onnxruntime-ggml", "0.2.0", "onnxruntime_ggml/lib/libonnxruntime_ggml.so");

/** The packages that `install_devices.ts` downloads from PyPI. */
export const WHEELS: readonly TestWheel[] = [OPENVINO, OPENVINO_PLUGIN, GGML];

/** SwiftShader and a Vulkan loader, unpacked from the npm package @sparticuz/chromium. */
export const SWIFTSHADER = join(cacheDirectory(), "swiftshader-153.0.0");

const NOT_INSTALLED = "not installed; run support/install_devices.ts";

const vulkan = prepareVulkan();

// Without this, the plug-in prints to standard error for each graph.
if (!Deno.env.has("ORT_GGML_LOG")) Deno.env.set("ORT_GGML_LOG", "error");

/** The CPU, which is always available. */
export const cpu: TestDevice = { name: "cpu", options: { device: "cpu" }, missing: undefined };

/** WebGPU: on the machine's GPU or the driver in VK_DRIVER_FILES, else on SwiftShader. */
export const webgpu: TestDevice = { name: "webgpu", options: { provider: "webgpu" }, missing: vulkan.missing };

/** OpenVINO on the CPU, in a build of ONNX Runtime that contains it. */
export const openvino: TestDevice = {
  name: "openvino",
  options: { provider: "openvino", library: OPENVINO.library },
  missing: missingWheel(OPENVINO),
};

/** OpenVINO on the CPU, as a plug-in; for Intel processors only. */
export const openvinoPlugin: TestDevice = {
  name: "openvino-plugin",
  options: { provider: "openvino", device: "cpu", plugins: [OPENVINO_PLUGIN.library] },
  missing: missingWheel(OPENVINO_PLUGIN),
};

/** ggml on the CPU, as a plug-in. */
export const ggml: TestDevice = {
  name: "ggml",
  options: { provider: "ggml", plugins: [GGML.library] },
  missing: missingWheel(GGML),
};

/** Whether WebGPU runs on SwiftShader. */
export const isGpuSoftware: boolean = vulkan.isSoftware;

/** The device with this name: one of those above, or any provider that `devices()` lists. */
export function deviceNamed(name: string): TestDevice {
  const device = [cpu, webgpu, openvino, openvinoPlugin, ggml].find((device) => device.name === name);
  return device ?? { name, options: { provider: name }, missing: undefined };
}

function missingWheel({ library }: TestWheel): string | undefined {
  return existsSync(library) ? undefined : NOT_INSTALLED;
}

/** Without a GPU, makes the Vulkan loader use SwiftShader, by environment variables that child processes inherit. */
function prepareVulkan(): { readonly missing: string | undefined; readonly isSoftware: boolean } {
  if (Deno.build.os !== "linux") return { missing: undefined, isSoftware: false };
  if (!isLoadable("libvulkan.so.1")) preloadLoader(join(SWIFTSHADER, "libvulkan.so.1"));
  const driver = join(SWIFTSHADER, "vk_swiftshader_icd.json");
  if (!hasGpu() && !Deno.env.has("VK_DRIVER_FILES") && existsSync(driver)) {
    // The Vulkan loader reads both variables: the new name and the old one.
    for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) Deno.env.set(name, driver);
  }
  const isSoftware = Deno.env.get("VK_DRIVER_FILES") === driver;
  const isAvailable = (isSoftware || hasGpu() || Deno.env.has("VK_DRIVER_FILES")) && isLoadable("libvulkan.so.1");
  return { missing: isAvailable ? undefined : NOT_INSTALLED, isSoftware };
}

/** Makes a Vulkan loader available by its name to this process and its children. */
function preloadLoader(file: string): void {
  if (!existsSync(file)) return;
  openLibrary(file, {}, () => {}); // A library that is already loaded is found by its name.
  Deno.env.set("LD_LIBRARY_PATH", [dirname(file), Deno.env.get("LD_LIBRARY_PATH")].filter(Boolean).join(":"));
}

function hasGpu(): boolean {
  const names = (folder: string) => existsSync(folder) ? readdirSync(folder) : [];
  return names("/dev/dri").some((name) => name.startsWith("renderD")) || names("/dev").includes("nvidiactl");
}
