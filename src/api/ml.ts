/**
 * ML: the entry point.
 *
 * @module
 */

import { BACKENDS, DEVICES, openDevice, type Selection } from "../backends/select.ts";
import { notSupportedError } from "../errors.ts";
import {
  boolean,
  type Converter,
  dictionary,
  enumeration,
  isObject,
  optional,
  u32EnforceRange,
  usvString,
  withDefault,
} from "../webidl/converters.ts";
import { defineInterface, illegalConstructor, promised, slot } from "../webidl/platform_object.ts";
import type { MLContextOptions } from "./dictionaries.ts";
import { createMLContext, type MLContext } from "./ml_context.ts";

const powerPreference = enumeration("MLPowerPreference", ["default", "high-performance", "low-power"]);
const device = enumeration("MLDeviceType", DEVICES);
const backend = enumeration("Backend", BACKENDS);
const library: Converter<string> = (value, context) => value instanceof URL ? pathOf(value) : usvString(value, context);
const threads: Converter<number> = (value, context) => {
  const count = u32EnforceRange(value, context);
  if (count < 1 || count > MAX_THREADS) throw new TypeError(`${context} must be 1 to ${MAX_THREADS}, not ${count}.`);
  return count;
};

/** More threads than any machine has cores; a slip of the keyboard must not start a million of them. */
const MAX_THREADS = 1024;

const standardMembers = {
  accelerated: withDefault(boolean, true),
  deviceType: optional(device),
  powerPreference: withDefault(powerPreference, "default"),
};
const ownMembers = {
  backend: optional(backend),
  device: optional(device),
  library: optional(library),
  threads: optional(threads),
};

const contextOptions = dictionary(standardMembers);
const extendedOptions = dictionary(ownMembers, standardMembers);

const mlSlot = slot<true>("ML");

/**
 * The entry point of the WebNN API, `navigator.ml`.
 *
 * @see https://www.w3.org/TR/webnn/#ml
 */
export class ML {
  private constructor() {
    illegalConstructor();
  }

  /**
   * Opens a device.
   * @returns rejects with a TypeError for an option that is no value of its enumeration, NotSupportedError if no engine
   * can be opened
   * @see https://www.w3.org/TR/webnn/#api-ml-createcontext
   */
  createContext(options: MLContextOptions | GPUDevice = {}): Promise<MLContext> {
    return promised(() => {
      mlSlot.get(this);
      if (isGpuDevice(options)) {
        throw notSupportedError("ML.createContext: no WebGPU backend is available for a GPUDevice");
      }
      return open(contextOptions(options, "ML.createContext: options"));
    });
  }
}

defineInterface(ML);

/** The one ML object, which `navigator.ml` is too. */
export const ml: ML = mlSlot.create(ML.prototype, true);

/** Options of our own beside the standard's. Unlike those they are demands: what cannot be met is an error. */
export interface ContextOptions extends MLContextOptions {
  /** The engine. */
  backend?: "onnxruntime";
  /** The kind of device. */
  device?: "cpu" | "gpu" | "npu";
  /**
   * The number of CPU threads that a graph may use, the calling one included; by default as many as the machine has
   * cores. All graphs of the process share one pool of the size that the first context asks for; in a context that asks
   * for another size each graph has its own.
   */
  threads?: number;
  /** The engine's library, a path or `file:` URL; by default the one in the npm package onnxruntime-node. */
  library?: string | URL;
}

/**
 * Opens a device, as `ml.createContext()` does, with options of our own beside the standard's.
 *
 * @returns rejects with a TypeError for an option with a wrong value, NotSupportedError if the device is not available
 * or no engine can be opened
 *
 * @example
 * ```ts
 * import { contextInfo, createContext } from "@webnn/deno";
 * const context = await createContext({ device: "cpu", threads: 1 });
 * console.log(contextInfo(context).threads); // 1
 * ```
 */
export function createContext(options: ContextOptions = {}): Promise<MLContext> {
  return promised(() => open(extendedOptions(options, "createContext: options")));
}

async function open(selection: Selection): Promise<MLContext> {
  return createMLContext(await openDevice(selection));
}

/** WebIDL's overload resolution takes a platform object that implements GPUDevice for one, everything else as options. */
function isGpuDevice(value: unknown): value is GPUDevice {
  return isObject(value) && typeof GPUDevice === "function" && value instanceof GPUDevice;
}

function pathOf(url: URL): string {
  if (url.protocol !== "file:") throw new TypeError(`createContext: options.library must be a file: URL, not ${url}`);
  const path = decodeURIComponent(url.pathname);
  // file:///C:/x is C:/x on Windows.
  return /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path;
}
