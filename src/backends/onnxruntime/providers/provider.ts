/**
 * The execution providers that a context can ask for, and how each is added to a session.
 *
 * @module
 */

import {
  cString,
  cStringArray,
  type Pointer,
  pointerArray,
  pointerAt,
  readCString,
  readPointer,
} from "../../../../ffi/memory.ts";
import type { OrtDeviceApi } from "../../../../ffi/onnxruntime/device_api.ts";
import { AllocatorType, DeviceMemoryType, MemoryDeviceType } from "../../../../ffi/onnxruntime/enums.ts";
import type { DeviceKind } from "../../backend.ts";
import type { OrtRuntime } from "../runtime.ts";
import type { EpDevice } from "./ep_devices.ts";
import { ExclusiveTurns, type Turns } from "./turns.ts";

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
  readonly kind: DeviceKind;
  readonly vendor: string;
  readonly version: string;
  /** The hardware that it uses, as far as ONNX Runtime knows it; else empty. */
  readonly hardware: string;
  /** Whether ONNX Runtime sees hardware for it: what has none computes on the CPU in the end. */
  readonly isHardware: boolean;
  /** Makes an allocator of its memory, valid as long as the session; absent where tensors are in the CPU's. */
  createAllocator?(runtime: DeviceRuntime, session: Pointer): Pointer;
  /** The bytes above which it may lack the memory for a tensor and not say so before the tensor is read. */
  readonly silentAbove?: number;
  /** For work that must not overlap. */
  readonly turns?: Turns;
  /** Libraries that it needs: those that lie beside ONNX Runtime, and those of the system. */
  readonly needs: Needs;
  /** Its option for a folder of what it makes of one graph. */
  readonly graphFolderOption?: string;
  /** Its option for recording the commands of a run, which later runs with the same tensors replay. */
  readonly captureOption?: string;
  /** Whether ONNX Runtime records the nodes that it has placed here; by default it does. */
  readonly keepsRecord?: boolean;
  /** Adds it to the options of one session, which no other session may use after that. */
  append(runtime: DeviceRuntime, sessionOptions: Pointer, options: ProviderOptions, threads: number): void;
}

/** Names of libraries. */
export interface Needs {
  readonly beside: readonly string[];
  readonly system: readonly (readonly [library: string, product: string])[];
}

/** The providers that can be compiled into ONNX Runtime and that contexts may ask for. */
interface Compiled extends Omit<Provider, "version" | "hardware" | "isHardware"> {
  /** Given where it does not depend on what ONNX Runtime sees. */
  readonly isHardware?: true;
}

const NO_NEEDS: Needs = { beside: [], system: [] };
const CUDA_SYSTEM = [["libcuda.so.1", "the driver of NVIDIA"], ["libcudnn.so.9", "cuDNN 9"]] as const;

/** The number of the vendor on the PCI bus. */
const NVIDIA = 0x10de;

const COMPILED: readonly Compiled[] = [
  {
    name: "cuda",
    engineName: "CUDAExecutionProvider",
    kind: "gpu",
    vendor: "NVIDIA",
    createAllocator: allocatorOf("Cuda", NVIDIA),
    captureOption: "enable_cuda_graph",
    needs: { beside: ["onnxruntime_providers_shared", "onnxruntime_providers_cuda"], system: CUDA_SYSTEM },
    append: appendCuda,
  },
  {
    name: "tensorrt",
    engineName: "TensorrtExecutionProvider",
    kind: "gpu",
    vendor: "NVIDIA",
    createAllocator: allocatorOf("Cuda", NVIDIA),
    needs: {
      beside: ["onnxruntime_providers_shared", "onnxruntime_providers_cuda", "onnxruntime_providers_tensorrt"],
      system: [...CUDA_SYSTEM, ["libnvinfer.so.10", "TensorRT 10"]],
    },
    append: appendTensorRt,
  },
  {
    name: "webgpu",
    engineName: "WebGpuExecutionProvider",
    kind: "gpu",
    vendor: "Microsoft",
    createAllocator: allocatorOf("WebGPU_Buffer", 0),
    // Every WebGPU device can make a buffer of this size. For one that it cannot make it gives a broken one.
    silentAbove: 2 ** 28,
    captureOption: "enableGraphCapture",
    turns: new ExclusiveTurns(),
    needs: { beside: [], system: [["libvulkan.so.1", "the Vulkan loader"]] },
    // In its own layout, NHWC, ONNX Runtime 1.30 records only what it has not placed here.
    keepsRecord: false,
    append: (runtime, sessionOptions, options) => appendByName(runtime, sessionOptions, "WebGPU", options),
  },
  {
    name: "openvino",
    engineName: "OpenVINOExecutionProvider",
    kind: "cpu",
    vendor: "Intel",
    needs: NO_NEEDS,
    append: (runtime, sessionOptions, options, threads) =>
      appendByName(runtime, sessionOptions, "OpenVINO", {
        device_type: "CPU",
        precision: "FP32",
        num_of_threads: `${threads}`,
        ...options,
      }),
  },
  coreML("gpu", "ALL"),
  coreML("npu", "CPUAndNeuralEngine"),
  coreML("cpu", "CPUOnly"),
];

/** Core ML with one of its choices of compute units. It is in the libraries for macOS, where every machine has it. */
function coreML(kind: DeviceKind, computeUnits: string): Compiled {
  return {
    name: "coreml",
    engineName: "CoreMLExecutionProvider",
    kind,
    vendor: "Apple",
    isHardware: true,
    needs: NO_NEEDS,
    graphFolderOption: "ModelCacheDirectory",
    append: (runtime, sessionOptions, options) =>
      appendByName(runtime, sessionOptions, "CoreML", coreMLOptions(computeUnits, options)),
  };
}

/**
 * Core ML's newer format, the only one with float16. RequireStaticInputShapes stays off: all shapes are static anyway, and
 * with it ONNX Runtime 1.30 was seen to compute wrong float16 results on macOS 15
 * (https://github.com/microsoft/onnxruntime/issues/32569).
 */
export function coreMLOptions(computeUnits: string, options: ProviderOptions): ProviderOptions {
  return { ModelFormat: "MLProgram", MLComputeUnits: computeUnits, ...options };
}

/** The providers that are compiled into a library, or can be loaded by it. */
export function compiledProviders(runtime: OrtRuntime, devices: readonly EpDevice[]): Provider[] {
  const names = availableProviders(runtime);
  return COMPILED.filter(({ engineName }) => names.includes(engineName)).map((compiled) =>
    compiledProvider(runtime, compiled, devices)
  );
}

function compiledProvider(runtime: OrtRuntime, compiled: Compiled, devices: readonly EpDevice[]): Provider {
  const device = devices.find(({ engineName, libraryPath }) => engineName === compiled.engineName && !libraryPath);
  return {
    ...compiled,
    version: runtime.version,
    hardware: device?.hardware ?? "",
    isHardware: compiled.isHardware ?? device !== undefined,
  };
}

/** The engine names of what was compiled in, also where a library that it needs is absent. */
function availableProviders({ api }: OrtRuntime): string[] {
  const [list, count] = [new BigUint64Array(1), new Int32Array(1)];
  api.GetAvailableProviders(list, count);
  const names = pointerAt(list)!;
  try {
    return Array.from({ length: count[0]! }, (_, i) => readCString(readPointer(names, 8 * i)));
  } finally {
    api.ReleaseAvailableProviders(names, count[0]!);
  }
}

/** The provider of a plug-in on one of its devices. */
export function pluginProvider({
  engineName,
  kind,
  vendor,
  version,
  hardware,
  memory,
  pointer,
}: EpDevice): Provider {
  return {
    name: nameOf(engineName),
    engineName,
    kind,
    vendor,
    version,
    hardware,
    isHardware: true,
    ...(memory && { createAllocator: ({ deviceApi }, session) => deviceApi.CreateAllocator(session, memory) }),
    turns: turnsOf(engineName),
    needs: NO_NEEDS,
    append: ({ deviceApi, env }, sessionOptions, options) => {
      const { keys, values, count } = toPairs(options);
      const devices = pointerArray([pointer]);
      deviceApi.SessionOptionsAppendExecutionProvider_V2(sessionOptions, env, devices, 1, keys, values, count);
    },
  };
}

/** `"WebGpuExecutionProvider"` is `"webgpu"`; of a plug-in that bears the name of its file, `libonnxruntime_ggml.so`, `"ggml"`. */
function nameOf(engineName: string): string {
  const [, name = engineName] = /[/\\](?:lib)?(?:onnxruntime_)?(?:providers_)?(\w+)[^/\\]*$/.exec(engineName) ?? [];
  return name.replace(/ExecutionProvider$/, "").toLowerCase();
}

/** Whether a plug-in is made for threads is not known: each has its turns. */
const pluginTurns = new Map<string, Turns>();

function turnsOf(engineName: string): Turns {
  const turns = pluginTurns.get(engineName) ?? new ExclusiveTurns();
  pluginTurns.set(engineName, turns);
  return turns;
}

function allocatorOf(name: string, vendorId: number): NonNullable<Provider["createAllocator"]> {
  return ({ api, deviceApi }, session) => {
    const { DEFAULT } = DeviceMemoryType;
    const { DEVICE } = AllocatorType;
    const info = deviceApi.CreateMemoryInfo_V2(cString(name), MemoryDeviceType.GPU, vendorId, 0, DEFAULT, 0, DEVICE);
    try {
      return deviceApi.CreateAllocator(session, info);
    } finally {
      api.ReleaseMemoryInfo(info);
    }
  };
}

function appendByName({ api }: DeviceRuntime, sessionOptions: Pointer, name: string, options: ProviderOptions): void {
  const { keys, values, count } = toPairs(options);
  api.SessionOptionsAppendExecutionProvider(sessionOptions, cString(name), keys, values, count);
}

/** Conformance first: TensorFloat-32 keeps ten bits of float32's mantissa. */
const CUDA_DEFAULTS: ProviderOptions = { use_tf32: "0" };

/** The options of CUDA, which TensorRT leaves its leftovers to. */
export function cudaOptions(options: ProviderOptions): ProviderOptions {
  return { ...CUDA_DEFAULTS, ...options };
}

function appendCuda({ deviceApi }: DeviceRuntime, sessionOptions: Pointer, options: ProviderOptions): void {
  const { keys, values, count } = toPairs(cudaOptions(options));
  const cuda = deviceApi.CreateCUDAProviderOptions();
  try {
    deviceApi.UpdateCUDAProviderOptions(cuda, keys, values, count);
    deviceApi.SessionOptionsAppendExecutionProvider_CUDA_V2(sessionOptions, cuda);
  } finally {
    deviceApi.ReleaseCUDAProviderOptions(cuda);
  }
}

/** Options that begin with `trt_` are TensorRT's, the others CUDA's, which runs what TensorRT does not take. */
export function splitTensorRtOptions(options: ProviderOptions): { tensorRt: ProviderOptions; cuda: ProviderOptions } {
  const entries = Object.entries(options);
  const isTensorRt = ([key]: [string, string]) => key.startsWith("trt_") || key === "device_id";
  const tensorRt = Object.fromEntries(entries.filter(isTensorRt));
  const cuda = Object.fromEntries(entries.filter(([key]) => !key.startsWith("trt_")));
  const cached = "trt_engine_cache_path" in tensorRt;
  return {
    tensorRt: { ...(cached ? { trt_engine_cache_enable: "1", trt_timing_cache_enable: "1" } : {}), ...tensorRt },
    cuda,
  };
}

function appendTensorRt(runtime: DeviceRuntime, sessionOptions: Pointer, options: ProviderOptions): void {
  const { deviceApi } = runtime;
  const { tensorRt, cuda } = splitTensorRtOptions(options);
  const { keys, values, count } = toPairs(tensorRt);
  const pointer = deviceApi.CreateTensorRTProviderOptions();
  try {
    deviceApi.UpdateTensorRTProviderOptions(pointer, keys, values, count);
    deviceApi.SessionOptionsAppendExecutionProvider_TensorRT_V2(sessionOptions, pointer);
  } finally {
    deviceApi.ReleaseTensorRTProviderOptions(pointer);
  }
  appendCuda(runtime, sessionOptions, cuda);
}

function toPairs(options: ProviderOptions) {
  const entries = Object.entries(options);
  return {
    keys: cStringArray(entries.map(([key]) => key)),
    values: cStringArray(entries.map(([, value]) => value)),
    count: entries.length,
  };
}
