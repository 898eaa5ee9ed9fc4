/**
 * What ONNX Runtime detects: hardware, and the devices that execution providers offer on it.
 *
 * @module
 */

import { cString, type Pointer, pointerAt, readCString, readPointer } from "../../../../ffi/memory.ts";
import type { OrtDeviceApi } from "../../../../ffi/onnxruntime/device_api.ts";
import { DeviceMemoryType, HardwareType } from "../../../../ffi/onnxruntime/enums.ts";
import type { DeviceKind } from "../../backend.ts";
import type { OrtRuntime } from "../runtime.ts";

/** An execution provider on a piece of hardware. */
export interface EpDevice {
  readonly pointer: Pointer;
  /** The name of the execution provider in ONNX Runtime: `"CUDAExecutionProvider"`. */
  readonly engineName: string;
  readonly vendor: string;
  /** The version of the provider; empty if unknown. */
  readonly version: string;
  readonly device: DeviceKind;
  /** The vendor or the description of the hardware. */
  readonly hardware: string;
  /** The PCI numbers of vendor and device. */
  readonly vendorId: number;
  readonly deviceId: number;
  /** The plug-in that offers it; empty if it is compiled into ONNX Runtime. */
  readonly libraryPath: string;
  /** Describes the memory of the device; null if it uses CPU memory. */
  readonly memory: Pointer | null;
}

const KINDS: Readonly<Record<number, DeviceKind>> = {
  [HardwareType.CPU]: "cpu",
  [HardwareType.GPU]: "gpu",
  [HardwareType.NPU]: "npu",
};

/** The devices that providers offer now. Registering a plug-in adds its devices. */
export function listEpDevices({ env, deviceApi }: OrtRuntime): EpDevice[] {
  if (deviceApi === undefined) return [];
  const [list, count] = [new BigUint64Array(1), new BigUint64Array(1)];
  deviceApi.GetEpDevices(env, list, count);
  return Array.from({ length: Number(count[0]) }, (_, i) => describe(deviceApi, readPointer(pointerAt(list)!, 8 * i)!));
}

/** The hardware that ONNX Runtime has detected, with or without a provider: `"cpu of AMD"`. */
export function listHardware({ env, deviceApi }: OrtRuntime): string[] {
  if (deviceApi === undefined) return [];
  const count = new BigUint64Array(1);
  deviceApi.GetNumHardwareDevices(env, count);
  const devices = new BigUint64Array(Number(count[0]));
  deviceApi.GetHardwareDevices(env, devices, devices.length);
  return Array.from(devices, (_, i) => {
    const device = pointerAt(devices, i)!;
    return `${kindOf(deviceApi, device)} of ${readCString(deviceApi.HardwareDevice_Vendor(device))}`;
  });
}

function describe(deviceApi: OrtDeviceApi, pointer: Pointer): EpDevice {
  const hardware = deviceApi.EpDevice_Device(pointer);
  const metadata = deviceApi.EpDevice_EpMetadata(pointer);
  const hardwareMetadata = deviceApi.HardwareDevice_Metadata(hardware);
  return {
    pointer,
    engineName: readCString(deviceApi.EpDevice_EpName(pointer)),
    vendor: readCString(deviceApi.EpDevice_EpVendor(pointer)),
    version: valueOf(deviceApi, metadata, "version"),
    device: kindOf(deviceApi, hardware),
    hardware: valueOf(deviceApi, hardwareMetadata, "Description") ||
      readCString(deviceApi.HardwareDevice_Vendor(hardware)),
    vendorId: deviceApi.HardwareDevice_VendorId(hardware),
    deviceId: deviceApi.HardwareDevice_DeviceId(hardware),
    libraryPath: valueOf(deviceApi, metadata, "library_path"),
    memory: deviceApi.EpDevice_MemoryInfo(pointer, DeviceMemoryType.DEFAULT),
  };
}

function kindOf(deviceApi: OrtDeviceApi, hardware: Pointer | null): DeviceKind {
  return KINDS[deviceApi.HardwareDevice_Type(hardware)] ?? "npu";
}

function valueOf(deviceApi: OrtDeviceApi, pairs: Pointer | null, key: string): string {
  return pairs === null ? "" : readCString(deviceApi.GetKeyValue(pairs, cString(key)));
}
