/**
 * From the options of a context to a device. Here, and only here, the standard's hints are read.
 *
 * `backend: "coreml"` demands macOS's own engine, which takes each graph that it can take as a whole. One that it cannot
 * goes to ONNX Runtime: with its own provider for Core ML, which takes parts of graphs; if that fails, on the CPU. All
 * else is ONNX Runtime's:
 *
 * 1. `provider` and `device` are demands: what they name is opened, or the context is not.
 * 2. `accelerated: false` and `deviceType: "cpu"` lead to the CPU.
 * 3. `deviceType` leads to a device of its kind, else to the CPU.
 * 4. `powerPreference: "high-performance"` leads to a GPU, else to an NPU; `"low-power"` to an NPU; else both to the CPU.
 * 5. Whoever asks for nothing gets the CPU: to look for a GPU takes 70 ms, and drivers may print.
 *
 * Hints lead only to hardware that the engine has found and that has run a small graph correctly, never to a GPU in
 * software.
 *
 * @module
 */

import { messageOf, notSupportedError } from "../errors.ts";
import type { Device, DeviceEntry, DeviceKind, GpuAdapter } from "./backend.ts";
import { type LateDevice, openEither } from "./either.ts";

/** The names of backends. */
export const BACKENDS = ["onnxruntime", "coreml"] as const;
/** The kinds of devices. */
export const DEVICES = ["cpu", "gpu", "npu"] as const;

/** Core ML as ONNX Runtime's provider of that name. */
const COREML = "coreml";

/** Where engines are found. */
export interface Libraries {
  /** The path of the engine's library. */
  readonly library?: string;
  /** Absolute paths of plug-in providers. */
  readonly plugins?: readonly string[];
}

/** What a context asks for. Hints may go unfulfilled; demands may not. */
export interface Selection extends Libraries {
  /** A hint: whether an accelerator is wanted. */
  readonly accelerated: boolean;
  /** A hint: what matters more. */
  readonly powerPreference: "default" | "high-performance" | "low-power";
  /** A hint of earlier texts of the standard. */
  readonly deviceType?: DeviceKind;
  /** A demand: the backend. */
  readonly backend?: typeof BACKENDS[number];
  /** A demand: the kind of device. */
  readonly device?: DeviceKind;
  /** A demand: the engine's provider. */
  readonly provider?: string;
  /** A demand: the GPU. */
  readonly adapter?: GpuAdapter;
  /** Options of the provider, under the engine's names. */
  readonly providerOptions?: Readonly<Record<string, string>>;
  /** Whether the CPU may run what the device does not take. */
  readonly fallback?: boolean;
  /** Whether the commands of a run are captured, and replayed by later runs with the same tensors. */
  readonly graphCapture?: boolean;
  /** Whether float32 may be computed in float16. */
  readonly allowFloat16?: boolean;
  /** The number of CPU threads, the calling one included. */
  readonly threads?: number;
  /** Whether they spin while they wait for each other during a run. */
  readonly spinning?: boolean;
  /** The folder of compiled graphs. */
  readonly cacheDirectory?: string;
  /** The bytes that its files may have together. */
  readonly cacheSizeLimit?: number;
}

/**
 * Opens the device that fits.
 * @throws NotSupportedError if a demand cannot be met or the engine cannot be opened
 */
export async function openDevice(selection: Selection): Promise<Device> {
  try {
    if (selection.backend === "coreml") return await openCoreML(selection);
    const { openCpu, openProvider } = await import("./onnxruntime/mod.ts");
    const { device, fallback = true, provider } = selection;
    const isDemanded = provider !== undefined || device !== undefined;
    const reasons: string[] = [];
    for (const kind of kindsOf(selection)) {
      if (kind === "cpu" && (provider === undefined || provider === "cpu")) return await openCpu(selection);
      const opened = await openProvider({ ...selection, byDefault: !isDemanded, fallback, kind });
      if (!("length" in opened)) return opened;
      reasons.push(...opened);
    }
    throw new Error(describeAbsence(selection, reasons));
  } catch (error) {
    throw notSupportedError(`createContext: ${messageOf(error)}`, error);
  }
}

/** Core ML. No hint leads here as long as it has not been seen to work on a Mac. */
async function openCoreML(selection: Selection): Promise<Device> {
  const { allowFloat16, cacheDirectory, cacheSizeLimit, fallback, provider } = selection;
  if (provider !== undefined && provider !== COREML) {
    throw new Error(`the backend coreml has no provider ${provider}; leave out one of the two`);
  }
  const [coreml, onnxruntime] = await Promise.all([import("./coreml/mod.ts"), import("./onnxruntime/mod.ts")]);
  const device = computeUnitsOf(selection);
  const native = coreml.openCoreML({ device, float16: allowFloat16, cacheDirectory, cacheSizeLimit });
  if (fallback === false) return native;
  const request = { ...selection, provider: COREML, kind: device, byDefault: false, fallback: true };
  const parts: LateDevice = {
    engine: { backend: "onnxruntime", provider: COREML },
    async open() {
      const opened = await onnxruntime.openProvider(request);
      if (!("length" in opened)) return opened;
      throw new Error(opened.join("; ") || "this build of ONNX Runtime does not have it");
    },
  };
  return openEither(native, parts, await onnxruntime.openCpu(selection).catch(absentCpu));
}

/** There is no ONNX Runtime for a Mac with an Intel processor: what Core ML cannot take is refused with both reasons. */
function absentCpu(error: unknown): LateDevice {
  return { engine: { backend: "onnxruntime", provider: "cpu" }, open: () => Promise.reject(error) };
}

/** The kind of device that stands for what Core ML may use: the GPU for everything. */
function computeUnitsOf({ accelerated, device, deviceType, powerPreference }: Selection): DeviceKind {
  if (device !== undefined) return device;
  if (!accelerated) return "cpu";
  return deviceType ?? (powerPreference === "low-power" ? "npu" : "gpu");
}

/** All devices: those that work, and those that are expected and do not, with the reason. */
export async function listDevices(libraries: Libraries): Promise<DeviceEntry[]> {
  const [coreml, onnxruntime] = await Promise.all([import("./coreml/mod.ts"), import("./onnxruntime/mod.ts")]);
  const native = await coreml.listDevices();
  try {
    return [...await onnxruntime.listProviders(libraries), ...native];
  } catch (error) {
    if (!native.some(({ available }) => available)) throw notSupportedError(`devices: ${messageOf(error)}`, error);
    return [{ ...ABSENT_CPU, reason: messageOf(error) }, ...native];
  }
}

const ABSENT_CPU = {
  backend: "onnxruntime",
  provider: "cpu",
  device: "cpu",
  vendor: "Microsoft",
  hardware: "",
  version: "",
  available: false,
  accelerated: false,
} as const;

/** The kinds of devices in the order in which they are tried. */
export function kindsOf({ accelerated, device, deviceType, powerPreference, provider }: Selection): DeviceKind[] {
  if (device !== undefined) return [device];
  if (provider !== undefined) return provider === "cpu" ? ["cpu"] : ["gpu", "npu", "cpu"];
  if (!accelerated || deviceType === "cpu") return ["cpu"];
  if (deviceType !== undefined) return [deviceType, "cpu"];
  if (powerPreference === "high-performance") return ["gpu", "npu", "cpu"];
  return powerPreference === "low-power" ? ["npu", "cpu"] : ["cpu"];
}

function describeAbsence({ device, provider }: Selection, reasons: readonly string[]): string {
  const wanted = [device, provider && `provider ${provider}`].filter((word) => word !== undefined).join(" by ");
  const why = reasons.length > 0 ? `: ${reasons.join("; ")}` : "; devices() lists what there is";
  return `no ${wanted} is available${why}`;
}
