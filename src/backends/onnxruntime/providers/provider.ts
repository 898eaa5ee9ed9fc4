/**
 * The type of an execution provider.
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

/** Options of a provider, with ONNX Runtime's names. */
export type ProviderOptions = Readonly<Record<string, string>>;

/** The runtime, if it is new enough to support devices. */
export type DeviceRuntime = OrtRuntime & { readonly deviceApi: OrtDeviceApi };

/** An execution provider. */
export interface Provider {
  /** `"webgpu"`, `"cuda"`, or the name of a plug-in in the same style. */
  readonly name: string;
  /** Its name in ONNX Runtime: `"WebGpuExecutionProvider"`. */
  readonly engineName: string;
  readonly device: DeviceKind;
  readonly vendor: string;
  readonly version: string;
  /** The name of its hardware; empty if ONNX Runtime does not know it. */
  readonly hardware: string;
  /** Whether ONNX Runtime sees hardware for it. Otherwise, it computes on the CPU. */
  readonly isHardware: boolean;
  /** Whether a program must name it to get it. */
  readonly byNameOnly?: boolean;
  /** The demands of a context that it supports. */
  readonly honours: readonly Demand[];
  /** Its options for a context: those for the demands, and those of the program, which take precedence. */
  options(settings: Settings): ProviderOptions;
  /** Creates an allocator of its memory, valid as long as the session; absent if tensors are in CPU memory. */
  createAllocator?(runtime: DeviceRuntime, session: Pointer): Pointer;
  /** Allocations above this size may fail silently; the failure shows only when the tensor is read. */
  readonly silentAbove?: number;
  /** Serialises work that must not overlap. */
  readonly turns?: Turns;
  /** The libraries that it needs: those next to ONNX Runtime, and those of the system. */
  readonly needs: Needs;
  /** Its messages for a lost device, in addition to ONNX Runtime's own error code. */
  readonly lossWords?: RegExp;
  /** The relevant part of its message if it cannot be opened. */
  readonly failureWords?: RegExp;
  /** Its option for a folder for the compiled form of one graph. */
  readonly graphFolderOption?: string;
  /** Its option for recording the commands of a run, which later runs with the same tensors replay. */
  readonly captureOption?: string;
  /** Whether ONNX Runtime records the nodes that it runs; true by default. */
  readonly keepsRecord?: boolean;
  /** Adds it to the options of one session, which no other session may use after that. */
  append(runtime: DeviceRuntime, sessionOptions: Pointer, options: ProviderOptions): void;
}

/** Names of libraries. */
export interface Needs {
  readonly beside: readonly string[];
  readonly system: readonly (readonly [library: string, product: string])[];
  /** What to do if a system library is missing; by default, install it. */
  readonly remedy?: string;
}

/** A provider that can be compiled into ONNX Runtime. */
export interface CompiledRow extends Omit<Provider, "version" | "hardware" | "isHardware"> {
  /** Given if it does not depend on what ONNX Runtime detects. */
  readonly isHardware?: true;
}

/** The provider of a plug-in. The rest is known when ONNX Runtime has loaded it. */
export type PluginRow = Pick<Provider, "name" | "byNameOnly" | "honours" | "options" | "lossWords">;
