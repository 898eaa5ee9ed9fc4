/**
 * The cases that are known to fail on each device. For WebGPU on a software GPU, there are additional ones.
 *
 * @module
 */

import { isGpuSoftware } from "../support/devices.ts";
import cpu from "./exceptions.json" with { type: "json" };
import openvino from "./exceptions_openvino.json" with { type: "json" };
import swiftshader from "./exceptions_swiftshader.json" with { type: "json" };
import webgpu from "./exceptions_webgpu.json" with { type: "json" };
import type { Exceptions } from "./report.ts";

const onGpu: Exceptions = isGpuSoftware ? { ...webgpu, ...swiftshader } : webgpu;

const EXCEPTIONS: Readonly<Record<string, Exceptions>> = { cpu, openvino, webgpu: onGpu };

/** The exceptions of a device, by name; none if it has no file. */
export function exceptionsOf(device: string): Exceptions {
  return EXCEPTIONS[device] ?? {};
}
