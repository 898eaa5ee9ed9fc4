/**
 * The backend on Core ML, for macOS 14 and newer.
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
 * What a context asks of Core ML. `device` is the kind that is wanted: `"cpu"` is that alone, `"npu"` the Neural Engine and
 * the CPU, `"gpu"`, the default, all that there are. Core ML decides for each operation; where a graph runs, its `devices`
 * tell.
 */
export type CoreMLOptions = Partial<DeviceSettings>;

/**
 * Opens Core ML for a context. Where it names no folder of compiled models, it is the one in WEBNN_CACHE_DIR, else
 * `Library/Caches/webnn` in the user's folder: Core ML compiles into files in any case.
 * @param framework the path of a library that takes the place of the system's frameworks, for tests
 * @throws {LibraryError} if there is no usable Core ML
 */
export function openCoreML(options: CoreMLOptions, framework?: string): CoreMLDevice {
  const { allowReducedPrecision = false, cacheDirectory: asked, device = "gpu", ...others } = options;
  const coreML = openCoreMLFramework(framework);
  const cacheDirectory = (asked ?? readEnvironment("WEBNN_CACHE_DIR")) || `${coreML.homeFolder}/Library/Caches/webnn`;
  return new CoreMLDevice(coreML, { ...others, allowReducedPrecision, cacheDirectory, device });
}

/** The compute units that each kind of device stands for. */
const HARDWARE = {
  npu: "Neural Engine and CPU",
  gpu: "Neural Engine, GPU and CPU",
  cpu: "CPU",
} as const;

/** What Core ML offers on this machine, or one entry that tells why there is none. */
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
