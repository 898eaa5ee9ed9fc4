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
 * software. All other options are demands on whatever is chosen: an engine that cannot meet them is not chosen by a hint,
 * and where it is the only choice the error names it and the option.
 *
 * @module
 */

import { messageOf, notSupportedError } from "../errors.ts";
import { describeUnmet, honouredBy, type Places, type Selection } from "../options.ts";
import type { Device, DeviceEntry, DeviceKind, GpuAdapter } from "./backend.ts";
import { type LateDevice, type Member, openEither } from "./either.ts";

/** Core ML as ONNX Runtime's provider of that name. */
const COREML = "coreml";

/**
 * Opens the device that fits.
 * @param adapter the GPU that it must run on
 * @throws NotSupportedError if a demand cannot be met or the engine cannot be opened
 */
export async function openDevice(selection: Selection, adapter?: GpuAdapter): Promise<Device> {
  try {
    return await (selection.backend === "coreml" ? openCoreML(selection) : openOnnxRuntime(selection, adapter));
  } catch (error) {
    throw notSupportedError(`createContext: ${messageOf(error)}`, error);
  }
}

async function openOnnxRuntime(selection: Selection, adapter: GpuAdapter | undefined): Promise<Device> {
  const { openCpu, openProvider } = await import("./onnxruntime/mod.ts");
  const { provider } = selection;
  const reasons: string[] = [];
  for (const device of devicesOf(selection)) {
    if (device === "cpu" && (provider === undefined || provider === "cpu")) {
      checkDemands("the provider cpu", "cpu", selection);
      return await openCpu(selection);
    }
    const opened = await openProvider(selection, device, adapter);
    if (opened.kind === "open") return opened.device;
    reasons.push(...opened.reasons);
  }
  throw new Error(describeAbsence(selection, reasons));
}

function checkDemands(name: string, engine: Parameters<typeof honouredBy>[0], selection: Selection): void {
  const unmet = describeUnmet(name, honouredBy(engine), selection);
  if (unmet !== undefined) throw new Error(unmet);
}

/** Core ML. No hint leads here as long as it has not been seen to work on a Mac. */
async function openCoreML(selection: Selection): Promise<Device> {
  const { fallback, provider } = selection;
  if (provider !== undefined && provider !== COREML) {
    throw new Error(`the backend coreml has no provider ${provider}; leave out one of the two`);
  }
  checkDemands("the backend coreml", "coreml", selection);
  const [coreml, onnxruntime] = await Promise.all([import("./coreml/mod.ts"), import("./onnxruntime/mod.ts")]);
  const device = computeUnitsOf(selection);
  const native = coreml.openCoreML({ ...selection, device });
  if (!fallback) return native;
  const parts: LateDevice = {
    kind: "late",
    engine: { backend: "onnxruntime", provider: COREML },
    async open() {
      // The provider keeps its folders whatever their size: the limit is for those of Core ML and of the CPU.
      const { cacheSizeLimit: _, ...others } = selection;
      const opened = await onnxruntime.openProvider({ ...others, provider: COREML }, device);
      if (opened.kind === "open") return opened.device;
      throw new Error(opened.reasons.join("; ") || "this build of ONNX Runtime does not have it");
    },
  };
  const cpu = await onnxruntime.openCpu(selection).then((device): Member => ({ kind: "open", device }), absentCpu);
  return openEither(native, parts, cpu);
}

/** There is no ONNX Runtime for a Mac with an Intel processor: what Core ML cannot take is refused with both reasons. */
function absentCpu(error: unknown): LateDevice {
  return { kind: "late", engine: { backend: "onnxruntime", provider: "cpu" }, open: () => Promise.reject(error) };
}

/** The kind of device that stands for what Core ML may use: the GPU for everything. */
function computeUnitsOf({ accelerated, device, deviceType, powerPreference }: Selection): DeviceKind {
  if (device !== undefined) return device;
  if (!accelerated) return "cpu";
  return deviceType ?? (powerPreference === "low-power" ? "npu" : "gpu");
}

/** All devices: those that work, and those that are expected and do not, with the reason. */
export async function listDevices(places: Places): Promise<DeviceEntry[]> {
  const [coreml, onnxruntime] = await Promise.all([import("./coreml/mod.ts"), import("./onnxruntime/mod.ts")]);
  const native = await coreml.listDevices();
  try {
    return [...await onnxruntime.listProviders(places), ...native];
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
export function devicesOf({ accelerated, device, deviceType, powerPreference, provider }: Selection): DeviceKind[] {
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
