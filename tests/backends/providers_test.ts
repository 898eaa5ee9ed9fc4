/** The options that providers get, including those that cannot run here, and how a lost device is recognised. */

import { assertEquals } from "@std/assert";
import { OrtError } from "../../ffi/onnxruntime/table.ts";
import { isDeviceLoss } from "../../src/backends/onnxruntime/providers/accelerator.ts";
import { splitTensorRtOptions } from "../../src/backends/onnxruntime/providers/append.ts";
import { COMPILED, PLUGINS, UNKNOWN_PLUGIN } from "../../src/backends/onnxruntime/providers/rows.ts";
import { settingsOf } from "../../src/backends/onnxruntime/session_options.ts";
import type { ContextOptions } from "@webnn/deno";
import { ownOptions } from "../../src/options.ts";

type Row = Pick<typeof UNKNOWN_PLUGIN, "options" | "lossWords">;

const compiled = (name: string, device?: string): Row =>
  COMPILED.find((row) => row.name === name && (device === undefined || row.device === device))!;
const plugin = (name: string): Row => PLUGINS.find((row) => row.name === name) ?? UNKNOWN_PLUGIN;

/** The provider options for a context with these options. */
function optionsFor({ options }: Row, context: ContextOptions = {}) {
  return options(settingsOf(ownOptions({ cacheDirectory: "", threads: 3, ...context }, "options")));
}

const allowReducedPrecision = true;

Deno.test("CUDA computes float32 as float32 unless reduced precision is allowed or requested", () => {
  assertEquals(optionsFor(compiled("cuda")), { use_tf32: "0" });
  assertEquals(optionsFor(compiled("cuda"), { allowReducedPrecision }), { use_tf32: "1" });
  const providerOptions = { use_tf32: "1", gpu_mem_limit: "1073741824", cudnn_conv_algo_search: "HEURISTIC" };
  assertEquals(optionsFor(compiled("cuda"), { providerOptions }), providerOptions);
});

Deno.test("TensorRT computes float32 as float32 too; a cache folder turns its caches on", () => {
  const float32 = { use_tf32: "0", trt_fp16_enable: "0", trt_bf16_enable: "0" };
  assertEquals(optionsFor(compiled("tensorrt")), float32);
  assertEquals(optionsFor(compiled("tensorrt"), { allowReducedPrecision }), {
    use_tf32: "1",
    trt_fp16_enable: "1",
    trt_bf16_enable: "1",
  });
  assertEquals(optionsFor(compiled("tensorrt"), { cacheDirectory: "/cache" }), {
    ...float32,
    trt_engine_cache_path: "/cache",
    trt_engine_cache_enable: "1",
    trt_timing_cache_enable: "1",
  });
});

Deno.test("TensorRT and CUDA get their own options, and both get the device", () => {
  assertEquals(splitTensorRtOptions({ trt_fp16_enable: "1", device_id: "1", gpu_mem_limit: "1000" }), {
    tensorRt: { trt_fp16_enable: "1", device_id: "1" },
    cuda: { device_id: "1", gpu_mem_limit: "1000" },
  });
});

Deno.test("OpenVINO's CPU gets threads and precision, and the program's own options", () => {
  const config = (row: Row, context?: ContextOptions) => JSON.parse(optionsFor(row, context).load_config!);
  for (const row of [compiled("openvino"), plugin("openvino")]) {
    const float32 = { INFERENCE_NUM_THREADS: 3, INFERENCE_PRECISION_HINT: "f32" };
    assertEquals(config(row), { CPU: float32 });
    assertEquals(config(row, { allowReducedPrecision }), { CPU: { INFERENCE_NUM_THREADS: 3 } });
    const own = { CPU: { PERF_COUNT: "NO", INFERENCE_NUM_THREADS: 2 }, GPU: { CACHE_MODE: "OPTIMIZE_SIZE" } };
    assertEquals(config(row, { providerOptions: { load_config: JSON.stringify(own) } }), {
      ...own,
      CPU: { ...float32, ...own.CPU },
    });
    assertEquals(optionsFor(row, { providerOptions: { load_config: "{" } }).load_config, "{"); // The engine reports the error.
  }
});

Deno.test("ONNX Runtime's provider for Core ML gets ML Programs and compute units by default", () => {
  const own = { ModelFormat: "MLProgram", MLComputeUnits: "CPUOnly", AllowLowPrecisionAccumulationOnGPU: "0" };
  assertEquals(optionsFor(compiled("coreml", "cpu")), own);
  assertEquals(
    optionsFor(compiled("coreml", "cpu"), { allowReducedPrecision }).AllowLowPrecisionAccumulationOnGPU,
    "1",
  );
  const providerOptions = { ModelFormat: "NeuralNetwork", SpecializationStrategy: "FastPrediction" };
  assertEquals(optionsFor(compiled("coreml", "cpu"), { providerOptions }), { ...own, ...providerOptions });
});

Deno.test("ggml gets threads and the type of weights; an unknown plug-in gets the program's options only", () => {
  assertEquals(optionsFor(plugin("ggml")), { threads: "3", weights: "f32" });
  assertEquals(optionsFor(plugin("ggml"), { allowReducedPrecision }), { threads: "3", weights: "f16" });
  assertEquals(optionsFor(plugin("abacus"), { providerOptions: { beads: "10" } }), { beads: "10" });
});

Deno.test("a lost device is recognised by each provider's error message", () => {
  const [FAIL, DEVICE_RESET] = [1, 15];
  const [webgpu, cuda, unknown] = [compiled("webgpu"), compiled("cuda"), plugin("abacus")];
  for (const row of [webgpu, cuda, unknown, compiled("openvino")]) {
    assertEquals(isDeviceLoss(new OrtError(DEVICE_RESET, ""), row), true);
    for (const error of [new OrtError(FAIL, "CUDA failure 2: out of memory"), new OrtError(FAIL, "no kernel")]) {
      assertEquals(isDeviceLoss(error, row), false, error.message);
    }
    assertEquals(isDeviceLoss(new Error("device lost"), row), false);
  }
  for (const text of ["WebGPU device lost (2): ...", "vkQueueSubmit: VK_ERROR_DEVICE_LOST"]) {
    assertEquals([webgpu, unknown, cuda].map((row) => isDeviceLoss(new OrtError(FAIL, text), row)), [
      true,
      true,
      false,
    ]);
  }
  const text = "CUDA failure 700: illegal";
  assertEquals([cuda, unknown, webgpu].map((row) => isDeviceLoss(new OrtError(FAIL, text), row)), [true, true, false]);
});
