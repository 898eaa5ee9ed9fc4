/**
 * Which providers there are: those of plug-ins, in the order in which they are named, then those of the library.
 *
 * @module
 */

import { isLoadable, missingBeside } from "../../../../ffi/library.ts";
import { messageOf } from "../../../errors.ts";
import type { DeviceEntry, DeviceKind, GpuAdapter } from "../../backend.ts";
import type { OrtRuntime } from "../runtime.ts";
import { type Accelerator, type AcceleratorOptions, openAccelerator } from "./accelerator.ts";
import { describeMismatch } from "./adapter.ts";
import { listEpDevices, listHardware } from "./ep_devices.ts";
import { pluginsOfEnvironment, registerPlugin } from "./plugins.ts";
import { compiledProviders, type DeviceRuntime, pluginProvider, type Provider } from "./provider.ts";

/** What a program asks for. */
export interface Request {
  /** The kind of device. */
  readonly kind?: DeviceKind | undefined;
  /** The name of a provider. */
  readonly provider?: string | undefined;
  /** Whether hardware is wanted that works well for whoever has named no provider; else what is named will do. */
  readonly byDefault: boolean;
  /** Absolute paths of plug-ins. */
  readonly plugins: readonly string[];
  /** The GPU that it must run on. */
  readonly adapter?: GpuAdapter | undefined;
}

/**
 * Who must be asked for by name: TensorRT, which takes minutes to build an engine, OpenVINO, which is no faster than the
 * CPU, and Core ML, which nobody has seen here on a Mac.
 */
const BY_NAME_ONLY = ["tensorrt", "openvino", "coreml"];

/** Why a provider did not open, by library and provider, so that hints do not lead there again and again. */
const failures = new Map<string, string>();

/**
 * Opens the first provider that fits a request and works.
 * @returns why there is none, if there is none
 * @throws {LibraryError} if a plug-in cannot be used
 */
export async function openFirst(
  runtime: DeviceRuntime,
  request: Request,
  options: AcceleratorOptions,
): Promise<Accelerator | readonly string[]> {
  const reasons: string[] = [];
  for (const provider of findProviders(runtime, request)) {
    const mismatch = request.adapter && describeMismatch(provider, listEpDevices(runtime), request.adapter);
    if (mismatch !== undefined) {
      reasons.push(mismatch);
      continue;
    }
    const key = `${runtime.path}\n${provider.name}`;
    const known = request.byDefault ? failures.get(key) : undefined;
    try {
      if (known === undefined) return await openAccelerator(runtime, provider, options);
      reasons.push(known);
    } catch (error) {
      const reason = `${provider.name}: ${whyAbsent(runtime, provider, error)}`;
      failures.set(key, reason);
      reasons.push(reason);
    }
  }
  return reasons;
}

/** The providers that fit, best first: hardware before what computes in software. */
function findProviders(runtime: DeviceRuntime, { byDefault, kind, plugins, provider: name }: Request): Provider[] {
  const all = [...pluginProviders(runtime, plugins), ...compiledProviders(runtime, listEpDevices(runtime))];
  return all
    .filter((provider) => name === undefined ? !BY_NAME_ONLY.includes(provider.name) : provider.name === name)
    .filter((provider) => kind === undefined || provider.kind === kind)
    .filter((provider) => !byDefault || provider.isHardware || isInstalled(runtime, provider))
    .toSorted((a, b) => Number(b.isHardware) - Number(a.isHardware));
}

/** Whoever puts a provider's own libraries beside ONNX Runtime has the hardware for it. */
function isInstalled({ path }: OrtRuntime, { needs: { beside } }: Provider): boolean {
  return beside.length > 0 && missingBeside(path, beside).length === 0;
}

function pluginProviders(runtime: DeviceRuntime, plugins: readonly string[]): Provider[] {
  return allPlugins(plugins).flatMap((path) => registerPlugin(runtime, path)).map(pluginProvider);
}

function allPlugins(plugins: readonly string[]): string[] {
  return [...new Set([...plugins, ...pluginsOfEnvironment()])];
}

/**
 * All providers, and whether each works: a small graph runs on each.
 */
export async function listDevices(
  runtime: DeviceRuntime,
  plugins: readonly string[],
  options: AcceleratorOptions,
): Promise<DeviceEntry[]> {
  const entries: DeviceEntry[] = [];
  for (const path of allPlugins(plugins)) entries.push(...await listPlugin(runtime, path, options));
  for (const provider of compiledProviders(runtime, listEpDevices(runtime))) {
    entries.push(await listProvider(runtime, provider, options));
  }
  return entries;
}

async function listPlugin(runtime: DeviceRuntime, path: string, options: AcceleratorOptions): Promise<DeviceEntry[]> {
  try {
    const devices = registerPlugin(runtime, path);
    if (devices.length === 0) {
      const hardware = listHardware(runtime).join(", ");
      return [absentPlugin(path, `the plug-in offers no device for the hardware of this machine (${hardware})`)];
    }
    const entries: DeviceEntry[] = [];
    for (const device of devices) entries.push(await listProvider(runtime, pluginProvider(device), options));
    return entries;
  } catch (error) {
    return [absentPlugin(path, messageOf(error))];
  }
}

function absentPlugin(provider: string, reason: string): DeviceEntry {
  const unknown = { vendor: "", hardware: "", version: "" };
  return { backend: "onnxruntime", provider, device: "npu", ...unknown, available: false, accelerated: false, reason };
}

async function listProvider(
  runtime: DeviceRuntime,
  provider: Provider,
  options: AcceleratorOptions,
): Promise<DeviceEntry> {
  const { name, kind, vendor, hardware, version, isHardware } = provider;
  const entry = { backend: "onnxruntime", provider: name, device: kind, vendor, hardware, version };
  try {
    (await openAccelerator(runtime, provider, options)).close();
    return { ...entry, available: true, accelerated: kind !== "cpu" && isHardware };
  } catch (error) {
    return { ...entry, available: false, accelerated: false, reason: whyAbsent(runtime, provider, error) };
  }
}

/** The libraries that are missing, if any are, in place of the engine's own words. */
function whyAbsent({ path }: OrtRuntime, { needs, vendor }: Provider, error: unknown): string {
  const beside = missingBeside(path, needs.beside);
  if (beside.length > 0) return `${beside.join(", ")} must lie beside ${path}`;
  const missing = needs.system.filter(([library]) => !isLoadable(library));
  const libraries = missing.map(([library, product]) => `${library} (${product})`);
  if (libraries.length > 0) {
    return `${libraries.join(", ")} cannot be loaded; install ${vendor === "NVIDIA" ? "it for your GPU" : "it"}`;
  }
  return plainly(messageOf(error));
}

/** What matters in the engine's words, which begin with places in its source. */
const WORDS = [/CUDA failure \d+: [^;]*/, /Failed to load library .*/s, /(?<= was false\. ).*/s];

function plainly(message: string): string {
  const words = WORDS.map((pattern) => pattern.exec(message)?.[0]).find((words) => words !== undefined);
  return (words ?? message).trim();
}
