/**
 * From the options of a context to a device. Here, and only here, the standard's hints are read.
 *
 * @module
 */

import { messageOf, notSupportedError } from "../errors.ts";
import type { Device } from "./backend.ts";

/** The names of backends. */
export const BACKENDS = ["onnxruntime"] as const;
/** The kinds of devices. */
export const DEVICES = ["cpu", "gpu", "npu"] as const;

/** What a context asks for. Hints may go unfulfilled; demands may not. */
export interface Selection {
  /** A hint: whether an accelerator is wanted. */
  readonly accelerated: boolean;
  /** A hint: what matters more. */
  readonly powerPreference: "default" | "high-performance" | "low-power";
  /** A hint of earlier texts of the standard. */
  readonly deviceType?: typeof DEVICES[number];
  /** A demand: the backend. */
  readonly backend?: typeof BACKENDS[number];
  /** A demand: the kind of device. */
  readonly device?: typeof DEVICES[number];
  /** The number of CPU threads, the calling one included. */
  readonly threads?: number;
  /** The path of the engine's library. */
  readonly library?: string;
}

/**
 * Opens the device that fits. There is no accelerator yet, so that every hint leads to the CPU.
 * @throws NotSupportedError if a demand cannot be met or the engine cannot be opened
 */
export async function openDevice({ device, threads, library }: Selection): Promise<Device> {
  if (device !== undefined && device !== "cpu") {
    throw notSupportedError(`createContext: no ${device} is available; the option device can be "cpu"`);
  }
  try {
    const { openCpu } = await import("./onnxruntime/mod.ts");
    return await openCpu({ threads, library });
  } catch (error) {
    throw notSupportedError(`createContext: ${messageOf(error)}`, error);
  }
}
