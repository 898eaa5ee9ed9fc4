/** The options of providers that cannot run on a machine without their hardware: how they are put together. */

import { assertEquals } from "@std/assert";
import { cudaOptions, splitTensorRtOptions } from "../../src/backends/onnxruntime/providers/provider.ts";
import { isDeviceLoss } from "../../src/backends/onnxruntime/providers/accelerator.ts";
import { ExclusiveTurns } from "../../src/backends/onnxruntime/providers/turns.ts";
import { OrtError } from "../../ffi/onnxruntime/table.ts";

Deno.test("CUDA computes float32 as float32 unless it is told otherwise", () => {
  assertEquals(cudaOptions({}), { use_tf32: "0" });
  const options = { use_tf32: "1", gpu_mem_limit: "1073741824", cudnn_conv_algo_search: "HEURISTIC" };
  assertEquals(cudaOptions(options), options);
});

Deno.test("TensorRT's options are its own, the device is that of both, and a cache folder turns its caches on", () => {
  const options = { trt_fp16_enable: "1", device_id: "1", gpu_mem_limit: "1000" };
  assertEquals(splitTensorRtOptions(options), {
    tensorRt: { trt_fp16_enable: "1", device_id: "1" },
    cuda: { device_id: "1", gpu_mem_limit: "1000" },
  });
  assertEquals(splitTensorRtOptions({ trt_engine_cache_path: "/cache" }).tensorRt, {
    trt_engine_cache_enable: "1",
    trt_timing_cache_enable: "1",
    trt_engine_cache_path: "/cache",
  });
});

Deno.test("a lost device is told from other errors", () => {
  const [FAIL, DEVICE_RESET] = [1, 15];
  assertEquals(isDeviceLoss(new OrtError(DEVICE_RESET, "")), true);
  for (
    const text of ["WebGPU device lost (2): ...", "vkQueueSubmit: VK_ERROR_DEVICE_LOST", "CUDA failure 700: illegal"]
  ) {
    assertEquals(isDeviceLoss(new OrtError(FAIL, text)), true, text);
  }
  for (const error of [new OrtError(FAIL, "CUDA failure 2: out of memory"), new OrtError(FAIL, "no kernel")]) {
    assertEquals(isDeviceLoss(error), false, error.message);
  }
  assertEquals(isDeviceLoss(new Error("device lost")), false);
});

Deno.test("turns do not overlap, go on after a failure, and take no time when nothing is in flight", async () => {
  const turns = new ExclusiveTurns();
  const log: string[] = [];
  const slow = (name: string) => async () => {
    log.push(`${name} begins`);
    await Promise.resolve();
    log.push(`${name} ends`);
    if (name === "b") throw new Error("b failed");
    return name;
  };
  assertEquals(turns.take(() => 1), 1);
  const all = Promise.allSettled([turns.take(slow("a")), turns.take(slow("b")), turns.take(() => log.push("c"))]);
  assertEquals((await all).map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assertEquals(log, ["a begins", "a ends", "b begins", "b ends", "c"]);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(turns.take(() => 2), 2);
});
