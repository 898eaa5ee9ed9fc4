/**
 * Whether a provider runs on the GPU of a program's WebGPU device. ONNX Runtime chooses a GPU itself and does not say
 * which, only which ones exist.
 *
 * @module
 */

import type { GpuAdapter } from "../../backend.ts";
import type { EpDevice } from "./ep_devices.ts";
import type { Provider } from "./provider.ts";

/** Why a provider runs on another GPU, or may do so; `undefined` if it runs on this one. */
export function describeMismatch(
  { engineName, hardware, isHardware, name }: Pick<Provider, "engineName" | "hardware" | "isHardware" | "name">,
  devices: readonly EpDevice[],
  { description, deviceId, isSoftware, vendorId }: GpuAdapter,
): string | undefined {
  const wanted = description || "the GPUDevice's adapter";
  if (isSoftware !== !isHardware) {
    return `${name} runs ${isHardware ? `on ${hardware}` : "in software"}, not on ${wanted}`;
  }
  if (isSoftware) return undefined;
  const own = devices.filter((device) => device.engineName === engineName);
  const places = own.map((device) => device.hardware).join(" or ");
  if (Number.isNaN(vendorId)) {
    return `${name} runs on ${places}, and WebGPU does not reveal whether ${wanted} is the same GPU`;
  }
  const isSame = own.map((device) => device.vendorId === vendorId && device.deviceId === deviceId);
  if (isSame.every((same) => same)) return undefined;
  if (isSame.some((same) => same)) return `${name} may run on another of the machine's GPUs than ${wanted}`;
  return `${name} runs on ${places}, not on ${wanted}`;
}
