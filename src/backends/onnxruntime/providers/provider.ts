/**
 * What an execution provider is.
 *
 * @module
 */

import type { Pointer } from "../../../../ffi/memory.ts";
import type { OrtDeviceApi } from "../../../../ffi/onnxruntime/device_api.ts";
import type { Demand } from "../../../options.ts";
import type { DeviceKind } from "../../backend.ts";
import type { OrtRuntime } from "../runtime.ts";
import type { Settings } from "../session_options.ts";
import type { Turns } from "./turns.ts";

/** Options of a provider, under the names that ONNX Runtime gives them. */
export type ProviderOptions = Readonly<Record<string, string>>;

/** The runtime, if it is new enough to have devices. */
export type DeviceRuntime = OrtRuntime & { readonly deviceApi: OrtDeviceApi };

/** An execution provider. */
export interface Provider {
  /** `"webgpu"`, `"cuda"`, or the name of a plug-in's provider in the same manner. */
  readonly name: string;
  /** Its name in ONNX Runtime: `"WebGpuExecutionProvider"`. */
  readonly engineName: string;
  readonly device: DeviceKind;
  readonly vendor: string;
  readonly version: string;
  /** The hardware that it uses, as far as ONNX Runtime knows it; else empty. */
  readonly hardware: string;
  /** Whether ONNX Runtime sees hardware for it: what has none computes on the CPU in the end. */
  readonly isHardware: boolean;
  /** Whether only a program that names it gets it. */
  readonly byNameOnly?: boolean;
  /** The demands of a context that it honours. */
  readonly honours: readonly Demand[];
  /** Its options for a context: how it is told the demands, and the program's own, which go before. */
  options(settings: Settings): ProviderOptions;
  /** Makes an allocator of its memory, valid as long as the session; absent where tensors are in the CPU's. */
  createAllocator?(runtime: DeviceRuntime, session: Pointer): Pointer;
  /** The bytes above which it may lack the memory for a tensor and not say so before the tensor is read. */
  readonly silentAbove?: number;
  /** For work that must not overlap. */
  readonly turns?: Turns;
  /** Libraries that it needs: those that lie beside ONNX Runtime, and those of the system. */
  readonly needs: Needs;
  /** Its words for a device that is gone for good, beside ONNX Runtime's own code. */
  readonly lossWords?: RegExp;
  /** What matters in its words when it cannot be opened. */
  readonly failureWords?: RegExp;
  /** Its option for a folder of what it makes of one graph. */
  readonly graphFolderOption?: string;
  /** Its option for recording the commands of a run, which later runs with the same tensors replay. */
  readonly captureOption?: string;
  /** Whether ONNX Runtime records the nodes that it has placed here; by default it does. */
  readonly keepsRecord?: boolean;
  /** Adds it to the options of one session, which no other session may use after that. */
  append(runtime: DeviceRuntime, sessionOptions: Pointer, options: ProviderOptions): void;
}

/** Names of libraries. */
export interface Needs {
  readonly beside: readonly string[];
  readonly system: readonly (readonly [library: string, product: string])[];
  /** What to do if one of the system's is missing; by default to install it. */
  readonly remedy?: string;
}

/** A provider that can be compiled into ONNX Runtime. */
export interface CompiledRow extends Omit<Provider, "version" | "hardware" | "isHardware"> {
  /** Given where it does not depend on what ONNX Runtime sees. */
  readonly isHardware?: true;
}

/** A plug-in's provider: the rest is known when ONNX Runtime has it. */
export type PluginRow = Pick<Provider, "name" | "byNameOnly" | "honours" | "options" | "lossWords">;
