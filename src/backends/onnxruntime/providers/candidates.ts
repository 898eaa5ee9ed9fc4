/**
 * Finds providers: those of plug-ins, in the order in which they are named, then those of the library.
 *
 * @module
 */

import { isLoadable, missingBeside } from "../../../../ffi/library.ts";
import { messageOf } from "../../../errors.ts";
import { describeUnmet, type Selection } from "../../../options.ts";
import type { DeviceEntry, DeviceKind, GpuAdapter } from "../../backend.ts";
import type { OrtRuntime } from "../runtime.ts";
import { type Settings, settingsOf } from "../session_options.ts";
import { type Accelerator, openAccelerator } from "./accelerator.ts";
import { describeMismatch } from "./adapter.ts";
import { listEpDevices, listHardware } from "./ep_devices.ts";
import { compiledProviders, pluginProvider } from "./installed.ts";
import { pluginsOfEnvironment, registerPlugin } from "./plugins.ts";
import type { DeviceRuntime, Provider } from "./provider.ts";

/** An opened provider, or why none could be opened. */
export type Found =
  | { readonly kind: "open"; readonly accelerator: Accelerator }
  | { readonly kind: "absent"; readonly reasons: readonly string[] };

/** Why a provider failed to open, by library and provider, so that hints do not try it again. */
const failures = new Map<string, string>();

/**
 * Opens the first provider that matches the program's options and works.
 * @param adapter the GPU that it must run on, if any
 * @throws {LibraryError} if a plug-in cannot be used
 */
export async function openFirst(
  runtime: DeviceRuntime,
  selection: Selection,
  device: DeviceKind,
  adapter: GpuAdapter | undefined,
): Promise<Found> {
  const isHint = isOnlyHinted(selection);
  const reasons: string[] = [];
  for (const provider of findProviders(runtime, selection, device)) {
    const key = `${runtime.path}\n${provider.name}`;
    const known = describeUnfit(runtime, provider, selection, adapter) ?? (isHint ? failures.get(key) : undefined);
    if (known !== undefined) {
      reasons.push(known);
      continue;
    }
    try {
      return { kind: "open", accelerator: await openAccelerator(runtime, provider, settingsOf(selection)) };
    } catch (error) {
      const reason = `${provider.name}: ${whyAbsent(runtime, provider, error)}`;
      failures.set(key, reason);
      reasons.push(reason);
    }
  }
  return { kind: "absent", reasons };
}

/** Whether only hints ask for an accelerator. Then only hardware that works well is used. */
function isOnlyHinted({ device, provider }: Selection): boolean {
  return device === undefined && provider === undefined;
}

/** Why a provider does not match the program's options, whether it works or not. */
function describeUnfit(
  runtime: DeviceRuntime,
  provider: Provider,
  selection: Selection,
  adapter: GpuAdapter | undefined,
): string | undefined {
  return describeUnmet(`the provider ${provider.name}`, provider.honours, selection) ??
    (adapter && describeMismatch(provider, listEpDevices(runtime), adapter));
}

/** The matching providers, best first: hardware before software. */
function findProviders(runtime: DeviceRuntime, selection: Selection, device: DeviceKind): Provider[] {
  const { plugins = [], provider: name } = selection;
  const all = [...pluginProviders(runtime, plugins), ...compiledProviders(runtime, listEpDevices(runtime))];
  return all
    .filter((provider) => name === undefined ? !provider.byNameOnly : provider.name === name)
    .filter((provider) => provider.device === device)
    .filter((provider) => !isOnlyHinted(selection) || provider.isHardware || isInstalled(runtime, provider))
    .toSorted((a, b) => Number(b.isHardware) - Number(a.isHardware));
}

/** If a provider's own libraries are installed next to ONNX Runtime, the machine has hardware for it. */
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
 * All providers, and whether each works: runs a small graph on each.
 */
export async function listDevices(
  runtime: DeviceRuntime,
  settings: Settings,
): Promise<DeviceEntry[]> {
  const entries: DeviceEntry[] = [];
  for (const path of allPlugins(settings.plugins ?? [])) entries.push(...await listPlugin(runtime, path, settings));
  for (const provider of compiledProviders(runtime, listEpDevices(runtime))) {
    entries.push(await listProvider(runtime, provider, settings));
  }
  return entries;
}

async function listPlugin(runtime: DeviceRuntime, path: string, settings: Settings): Promise<DeviceEntry[]> {
  try {
    const devices = registerPlugin(runtime, path);
    if (devices.length === 0) {
      const hardware = listHardware(runtime).join(", ");
      return [absentPlugin(path, `the plug-in offers no device for the hardware of this machine (${hardware})`)];
    }
    const entries: DeviceEntry[] = [];
    for (const device of devices) entries.push(await listProvider(runtime, pluginProvider(device), settings));
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
  settings: Settings,
): Promise<DeviceEntry> {
  const { name, device, vendor, hardware, version, isHardware } = provider;
  const entry = { backend: "onnxruntime", provider: name, device, vendor, hardware, version };
  try {
    (await openAccelerator(runtime, provider, settings)).close();
    return { ...entry, available: true, accelerated: device !== "cpu" && isHardware };
  } catch (error) {
    return { ...entry, available: false, accelerated: false, reason: whyAbsent(runtime, provider, error) };
  }
}

/** Why a provider cannot be opened: missing libraries, or else the engine's own message. */
function whyAbsent({ path }: OrtRuntime, { failureWords, needs }: Provider, error: unknown): string {
  const beside = missingBeside(path, needs.beside);
  if (beside.length > 0) return `${beside.join(", ")} must be in the folder of ${path}`;
  const missing = needs.system.filter(([library]) => !isLoadable(library));
  const libraries = missing.map(([library, product]) => `${library} (${product})`);
  if (libraries.length > 0) return `${libraries.join(", ")} cannot be loaded; ${needs.remedy ?? "install it"}`;
  return plainly(messageOf(error), failureWords ? [failureWords, ...FAILURE_WORDS] : FAILURE_WORDS);
}

/** The relevant part of an engine's message, which starts with a source location. */
const FAILURE_WORDS = [/Failed to load library .*/s, /(?<= was false\. ).*/s];

function plainly(message: string, patterns: readonly RegExp[]): string {
  const words = patterns.map((pattern) => pattern.exec(message)?.[0]).find((words) => words !== undefined);
  return (words ?? message).trim();
}
