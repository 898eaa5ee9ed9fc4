/**
 * The Core ML backend, for macOS 14 and newer.
 *
 * @module
 */

import { readEnvironment } from "../../../ffi/library.ts";
import { openCoreMLFramework } from "../../../ffi/objc/core_ml.ts";
import { messageOf } from "../../errors.ts";
import type { DeviceEntry, DeviceKind } from "../backend.ts";
import { CoreMLDevice, type DeviceSettings } from "./device.ts";
import { prove } from "./proof.ts";

/**
 * The options of Core ML. `device` limits the compute units: `"cpu"` is the CPU alone, `"npu"` the Neural Engine and
 * the CPU, `"gpu"` (default) all of them. Core ML chooses one for each operation; `devices` of the graph lists those it
 * chose.
 */
export type CoreMLOptions = Partial<DeviceSettings>;

/**
 * Opens Core ML for a context. The default folder of compiled models is WEBNN_CACHE_DIR, else `Library/Caches/webnn` in
 * the user's home, because Core ML always compiles to files.
 * @param framework the path of a library that replaces the system's frameworks, for tests
 * @throws {LibraryError} if Core ML is not available
 */
export function openCoreML(options: CoreMLOptions, framework?: string): CoreMLDevice {
  const { allowReducedPrecision = false, cacheDirectory: asked, device = "gpu", ...others } = options;
  const coreML = openCoreMLFramework(framework);
  const cacheDirectory = (asked ?? readEnvironment("WEBNN_CACHE_DIR")) || `${coreML.homeFolder}/Library/Caches/webnn`;
  return new CoreMLDevice(coreML, { ...others, allowReducedPrecision, cacheDirectory, device });
}

/** The hardware of each kind of device. */
const HARDWARE = {
  npu: "Neural Engine and CPU",
  gpu: "Neural Engine, GPU and CPU",
  cpu: "CPU",
} as const;

/** The devices of Core ML on this machine, or one entry with the reason why there are none. */
export async function listDevices(): Promise<DeviceEntry[]> {
  try {
    const { devices, version } = openCoreMLFramework();
    const entries: DeviceEntry[] = [];
    for (const device of (["npu", "gpu", "cpu"] as const).filter((kind) => devices.includes(kind))) {
      entries.push(describe(device, version, HARDWARE[device], await whyAbsent(device)));
    }
    return entries;
  } catch (error) {
    return [describe("npu", "", "", messageOf(error))];
  }
}

async function whyAbsent(device: DeviceKind): Promise<string | undefined> {
  try {
    await prove(openCoreML({ device }));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function describe(device: DeviceKind, version: string, hardware: string, reason: string | undefined): DeviceEntry {
  const engine = { backend: "coreml", provider: "coreml", vendor: "Apple" };
  if (reason !== undefined) {
    return { ...engine, device, hardware, version, available: false, accelerated: false, reason };
  }
  return { ...engine, device, hardware, version, available: true, accelerated: device !== "cpu" };
}
