/**
 * The backend for ONNX Runtime.
 *
 * @module
 */

import { DEFAULTS, type Places, type Selection } from "../../options.ts";
import type { Device, DeviceEntry, DeviceKind, GpuAdapter } from "../backend.ts";
import { listDevices, openFirst } from "./providers/candidates.ts";
import type { DeviceRuntime } from "./providers/provider.ts";
import { defaultThreads, openRuntime, type OrtRuntime } from "./runtime.ts";
import { sessionEntries, type Settings, settingsOf } from "./session_options.ts";

/** An opened provider, or why none could be opened. */
export type Opened =
  | { readonly kind: "open"; readonly device: Device }
  | { readonly kind: "absent"; readonly reasons: readonly string[] };

/**
 * Opens the CPU device for a context.
 * @throws {LibraryError} if there is no usable library
 */
export async function openCpu(selection: Selection): Promise<Device> {
  const { OrtDevice, runtime, settings } = await open(selection);
  return new OrtDevice(runtime, settings, undefined, await openCache(runtime, settings));
}

/**
 * Opens an execution provider of a device kind for a context, on the specified GPU if there is one.
 * @throws {LibraryError} if there is no usable library, or a plug-in cannot be used
 */
export async function openProvider(selection: Selection, device: DeviceKind, adapter?: GpuAdapter): Promise<Opened> {
  const { OrtDevice, runtime, settings } = await open(selection);
  if (!hasDevices(runtime)) {
    const reason = `ONNX Runtime ${runtime.version} does not support devices; use version 1.24 or newer`;
    return { kind: "absent", reasons: [reason] };
  }
  const found = await openFirst(runtime, selection, device, adapter);
  if (found.kind === "absent") return found;
  return { kind: "open", device: new OrtDevice(runtime, settings, found.accelerator) };
}

/**
 * Lists the CPU and all execution providers.
 * @throws {LibraryError} if there is no usable library
 */
export async function listProviders(places: Places): Promise<DeviceEntry[]> {
  const { runtime, settings } = await open({ ...DEFAULTS, ...places });
  const cpu: DeviceEntry = {
    backend: "onnxruntime",
    provider: "cpu",
    device: "cpu",
    vendor: "Microsoft",
    hardware: "",
    version: runtime.version,
    available: true,
    accelerated: false,
  };
  return hasDevices(runtime) ? [cpu, ...await listDevices(runtime, settings)] : [cpu];
}

/** Opens the library, and loads the rest of the backend at the same time; most graphs of a cache need only a part. */
async function open(selection: Selection) {
  const settings = settingsOf(selection);
  const { cacheDirectory, library, threads } = settings;
  const opening = openRuntime(library, threads > 1 ? threads : defaultThreads());
  const [runtime, { OrtDevice }] = await Promise.all([
    opening,
    import("./device.ts"),
    ...cacheDirectory === undefined ? [import("./translate.ts")] : [],
  ]);
  return { OrtDevice, runtime, settings };
}

/** Opens the compile cache; its code is loaded only if the option is set. */
async function openCache(runtime: OrtRuntime, settings: Settings) {
  const { cacheDirectory, cacheSizeLimit } = settings;
  if (cacheDirectory === undefined) return undefined;
  const { openCompileCache } = await import("./compile_cache/mod.ts");
  return openCompileCache(runtime, cacheDirectory, sessionEntries(settings), cacheSizeLimit);
}

function hasDevices(runtime: OrtRuntime): runtime is DeviceRuntime {
  return runtime.deviceApi !== undefined;
}
