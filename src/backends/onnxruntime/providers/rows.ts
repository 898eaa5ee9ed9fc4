/**
 * The known execution providers, one row each: which demands each supports, its options for them, how it is added to a
 * session, and its peculiarities. To add a provider, add a row here.
 *
 * @module
 */

import type { Demand } from "../../../options.ts";
import type { Settings } from "../session_options.ts";
import { allocatorOf, appendByName, appendCuda, appendTensorRt } from "./append.ts";
import type { CompiledRow, Needs, PluginRow, ProviderOptions } from "./provider.ts";
import { ExclusiveTurns } from "./turns.ts";

const NO_NEEDS: Needs = { beside: [], system: [] };

/** The demands that all providers support: the session handles them, or they need nothing special. */
const BY_ALL: readonly Demand[] = ["providerOptions", "fallback"];

/** The demands that providers for GPUs support. Threads run the operators that are left to the CPU. */
const BY_GPU: readonly Demand[] = [...BY_ALL, "allowReducedPrecision", "threads", "spinning"];

const WEBGPU_LOSS = /device (is |was )?lost|DeviceLost|VK_ERROR_DEVICE_LOST|DXGI_ERROR_DEVICE_(REMOVED|RESET|HUNG)/i;
const CUDA_LOSS = /CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_FAILED|ECC_UNCORRECTABLE)|CUDA (error|failure) (214|700|719)\b/i;
/** The hardware of a plug-in is unknown. */
const ANY_LOSS = new RegExp(`${WEBGPU_LOSS.source}|${CUDA_LOSS.source}`, "i");

/* -- NVIDIA -------------------------------------------------------------------------------------------------------- */

/** The PCI number of the vendor. */
const NVIDIA = 0x10de;

const CUDA = {
  device: "gpu",
  vendor: "NVIDIA",
  createAllocator: allocatorOf("Cuda", NVIDIA),
  lossWords: CUDA_LOSS,
  failureWords: /CUDA failure \d+: [^;]*/,
} as const;

const CUDA_NEEDS = {
  beside: ["onnxruntime_providers_shared", "onnxruntime_providers_cuda"],
  system: [["libcuda.so.1", "the driver of NVIDIA"], ["libcudnn.so.9", "cuDNN 9"]],
  remedy: "install it for your GPU",
} as const;

/** TensorFloat-32 keeps 10 bits of float32's mantissa. */
function cudaOptions({ allowReducedPrecision, providerOptions }: Settings): ProviderOptions {
  return { use_tf32: allowReducedPrecision ? "1" : "0", ...providerOptions };
}

/** TensorRT engines are kept in the folder of compiled graphs, because building one takes minutes. */
function tensorRtOptions({ allowReducedPrecision, cacheDirectory, providerOptions }: Settings): ProviderOptions {
  const precision = allowReducedPrecision ? "1" : "0";
  const folder = providerOptions?.trt_engine_cache_path ?? cacheDirectory;
  return {
    use_tf32: precision,
    trt_fp16_enable: precision,
    trt_bf16_enable: precision,
    ...folder ? { trt_engine_cache_path: folder, trt_engine_cache_enable: "1", trt_timing_cache_enable: "1" } : {},
    ...providerOptions,
  };
}

/* -- OpenVINO ------------------------------------------------------------------------------------------------------ */

/**
 * The properties of OpenVINO's CPU device. By default, it computes in bfloat16 on processors that support it.
 */
function openVinoProperties({ allowReducedPrecision, threads }: Settings) {
  return {
    INFERENCE_NUM_THREADS: threads,
    ...allowReducedPrecision ? {} : { INFERENCE_PRECISION_HINT: "f32" },
  };
}

/** Options with the properties in `load_config`, merged with those of the program. OpenVINO rejects invalid JSON. */
function withLoadConfig(settings: Settings, options: ProviderOptions): ProviderOptions {
  const { load_config: asked = "{}" } = options;
  try {
    const config = JSON.parse(asked);
    return {
      ...options,
      load_config: JSON.stringify({ ...config, CPU: { ...openVinoProperties(settings), ...config.CPU } }),
    };
  } catch {
    return options;
  }
}

/* -- Core ML ------------------------------------------------------------------------------------------------------- */

/** Core ML with one choice of compute units. The macOS libraries include it, and every Mac supports it. */
function coreML(device: CompiledRow["device"], computeUnits: string): CompiledRow {
  return {
    name: "coreml",
    engineName: "CoreMLExecutionProvider",
    device,
    vendor: "Apple",
    isHardware: true,
    // Not yet tested on a Mac.
    byNameOnly: true,
    honours: [...BY_ALL, "allowReducedPrecision", "cacheDirectory"],
    options: (settings) => coreMLOptions(computeUnits, settings),
    needs: NO_NEEDS,
    graphFolderOption: "ModelCacheDirectory",
    append: appendByName("CoreML"),
  };
}

/**
 * Core ML's newer format, the only one with float16. RequireStaticInputShapes stays off: all shapes are static anyway,
 * and with that option ONNX Runtime 1.30 computed wrong float16 results on macOS 15.
 * @see https://github.com/microsoft/onnxruntime/issues/32569
 */
function coreMLOptions(computeUnits: string, { allowReducedPrecision, providerOptions }: Settings): ProviderOptions {
  return {
    ModelFormat: "MLProgram",
    MLComputeUnits: computeUnits,
    AllowLowPrecisionAccumulationOnGPU: allowReducedPrecision ? "1" : "0",
    ...providerOptions,
  };
}

/* -- The rows ------------------------------------------------------------------------------------------------------ */

/** The providers that can be compiled into ONNX Runtime. */
export const COMPILED: readonly CompiledRow[] = [
  {
    ...CUDA,
    name: "cuda",
    engineName: "CUDAExecutionProvider",
    honours: [...BY_GPU, "graphCapture"],
    options: cudaOptions,
    captureOption: "enable_cuda_graph",
    needs: CUDA_NEEDS,
    append: appendCuda,
  },
  {
    ...CUDA,
    name: "tensorrt",
    engineName: "TensorrtExecutionProvider",
    // Building an engine takes minutes.
    byNameOnly: true,
    honours: [...BY_GPU, "cacheDirectory"],
    options: tensorRtOptions,
    needs: {
      ...CUDA_NEEDS,
      beside: [...CUDA_NEEDS.beside, "onnxruntime_providers_tensorrt"],
      system: [...CUDA_NEEDS.system, ["libnvinfer.so.10", "TensorRT 10"]],
    },
    append: appendTensorRt,
  },
  {
    name: "webgpu",
    engineName: "WebGpuExecutionProvider",
    device: "gpu",
    vendor: "Microsoft",
    honours: [...BY_GPU, "graphCapture"],
    // Shaders compute float32 in float32. Rounding to 8 bits next to quantised weights is a session setting.
    options: ({ providerOptions = {} }) => providerOptions,
    createAllocator: allocatorOf("WebGPU_Buffer", 0),
    // Every WebGPU device can create a buffer of this size. If it cannot create a larger one, it returns a broken
    // buffer.
    silentAbove: 2 ** 28,
    captureOption: "enableGraphCapture",
    turns: new ExclusiveTurns(),
    lossWords: WEBGPU_LOSS,
    needs: { beside: [], system: [["libvulkan.so.1", "the Vulkan loader"]] },
    // The provider uses the layout NHWC, in which ONNX Runtime 1.30 records only the nodes that run elsewhere.
    keepsRecord: false,
    append: appendByName("WebGPU"),
  },
  {
    name: "openvino",
    engineName: "OpenVINOExecutionProvider",
    device: "cpu",
    vendor: "Intel",
    // It is not faster than ONNX Runtime's own CPU provider.
    byNameOnly: true,
    honours: [...BY_ALL, "allowReducedPrecision", "threads", "cacheDirectory"],
    options: (settings) => {
      const { cacheDirectory, providerOptions } = settings;
      const cache = cacheDirectory ? { cache_dir: cacheDirectory } : {};
      return withLoadConfig(settings, { device_type: "CPU", precision: "FP32", ...cache, ...providerOptions });
    },
    needs: NO_NEEDS,
    append: appendByName("OpenVINO"),
  },
  coreML("gpu", "ALL"),
  coreML("npu", "CPUAndNeuralEngine"),
  coreML("cpu", "CPUOnly"),
];

/** The known plug-ins, by name. */
export const PLUGINS: readonly PluginRow[] = [
  {
    name: "openvino",
    byNameOnly: true,
    honours: [...BY_ALL, "allowReducedPrecision", "threads"],
    options: (settings) => withLoadConfig(settings, settings.providerOptions ?? {}),
  },
  {
    name: "ggml",
    honours: [...BY_ALL, "allowReducedPrecision", "threads"],
    options: ({ allowReducedPrecision, providerOptions, threads }) => ({
      threads: `${threads}`,
      weights: allowReducedPrecision ? "f16" : "f32",
      ...providerOptions,
    }),
    lossWords: ANY_LOSS,
  },
];

/** An unknown plug-in, which gets only the program's own options. */
export const UNKNOWN_PLUGIN: Omit<PluginRow, "name"> = {
  honours: BY_ALL,
  options: ({ providerOptions = {} }) => providerOptions,
  lossWords: ANY_LOSS,
};
