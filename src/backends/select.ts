/**
 * Selects the device for the options of a context. Only this file reads the standard's hints.
 *
 * With `backend: "coreml"`, Core ML runs each graph that it supports completely. Other graphs go to ONNX Runtime: to
 * its Core ML provider, which runs parts of graphs; if that fails, to the CPU. Otherwise ONNX Runtime runs all graphs,
 * on this device:
 *
 * 1. `provider` and `device` are demands: if what they name cannot be opened, creating the context fails.
 * 2. `accelerated: false` or `deviceType: "cpu"`: the CPU.
 * 3. `deviceType`: a device of that kind, else the CPU.
 * 4. `powerPreference: "high-performance"`: a GPU, else an NPU, else the CPU. `"low-power"`: an NPU, else the CPU.
 * 5. No option: the CPU. Looking for a GPU takes 70 ms, and drivers may print messages.
 *
 * A hint selects only hardware that has run a small test graph correctly, never a software rasteriser. All other
 * options are demands. A hint never selects an engine that cannot meet them; if there is no other, the error names the
 * engine and the option.
 *
 * @module
 */

import { messageOf, notSupportedError } from "../errors.ts";
import { describeUnmet, honouredBy, type Places, type Selection } from "../options.ts";
import type { Device, DeviceEntry, DeviceKind, GpuAdapter } from "./backend.ts";
import { type LateDevice, type Member, openComposite } from "./composite.ts";

/** The name of ONNX Runtime's Core ML provider. */
const COREML = "coreml";

/**
 * Opens the device for the options.
 * @param adapter the GPU that it must run on, if any
 * @throws {DOMException} NotSupportedError if a demand cannot be met, or the engine cannot be opened
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

/** Core ML. No hint selects it until it has been tested on a Mac. */
async function openCoreML(selection: Selection): Promise<Device> {
  const { fallback, provider } = selection;
  if (provider !== undefined && provider !== COREML) {
    throw new Error(`the backend coreml has no provider ${provider}; leave out one of the two options`);
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
      // The provider cannot limit the size of its folders: the limit is for those of Core ML and of the CPU.
      const { cacheSizeLimit: _, ...others } = selection;
      const opened = await onnxruntime.openProvider({ ...others, provider: COREML }, device);
      if (opened.kind === "open") return opened.device;
      throw new Error(opened.reasons.join("; ") || "this build of ONNX Runtime does not have it");
    },
  };
  const cpu = await onnxruntime.openCpu(selection).then((device): Member => ({ kind: "open", device }), absentCpu);
  return openComposite(native, parts, cpu);
}

/** ONNX Runtime does not exist for Intel Macs. There, a graph that Core ML does not support fails with both reasons. */
function absentCpu(error: unknown): LateDevice {
  return { kind: "late", engine: { backend: "onnxruntime", provider: "cpu" }, open: () => Promise.reject(error) };
}

/** The kind of device for a set of Core ML's compute units; "gpu" means all units. */
function computeUnitsOf({ accelerated, device, deviceType, powerPreference }: Selection): DeviceKind {
  if (device !== undefined) return device;
  if (!accelerated) return "cpu";
  return deviceType ?? (powerPreference === "low-power" ? "npu" : "gpu");
}

/** All devices: those that work, and those that could be expected but do not, with the reason. */
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

/** The kinds of devices to try, in order. */
export function devicesOf({ accelerated, device, deviceType, powerPreference, provider }: Selection): DeviceKind[] {
  if (device !== undefined) return [device];
  if (provider !== undefined) return provider === "cpu" ? ["cpu"] : ["gpu", "npu", "cpu"];
  if (!accelerated || deviceType === "cpu") return ["cpu"];
  if (deviceType !== undefined) return [deviceType, "cpu"];
  if (powerPreference === "high-performance") return ["gpu", "npu", "cpu"];
  return powerPreference === "low-power" ? ["npu", "cpu"] : ["cpu"];
}

function describeAbsence({ device, provider }: Selection, reasons: readonly string[]): string {
  const wanted = [device, provider && `provider ${provider}`].filter((word) => word !== undefined).join(" of the ");
  const why = reasons.length > 0 ? `: ${reasons.join("; ")}` : "; devices() lists the available ones";
  return `no ${wanted} is available${why}`;
}
