/**
 * Adds execution providers to session options, and allocates their memory.
 *
 * @module
 */

import { cString, cStringArray, type Pointer, pointerArray } from "../../../../ffi/memory.ts";
import { AllocatorType, DeviceMemoryType, MemoryDeviceType } from "../../../../ffi/onnxruntime/enums.ts";
import type { DeviceRuntime, Provider, ProviderOptions } from "./provider.ts";

/** A provider that takes options through ONNX Runtime's generic function, by its name there. */
export function appendByName(name: string): Provider["append"] {
  return ({ api }, sessionOptions, options) => {
    const { keys, values, count } = toPairs(options);
    api.SessionOptionsAppendExecutionProvider(sessionOptions, cString(name), keys, values, count);
  };
}

/** The provider of a plug-in, on one of its devices. */
export function appendDevice(device: Pointer): Provider["append"] {
  return ({ deviceApi, env }, sessionOptions, options) => {
    const { keys, values, count } = toPairs(options);
    const devices = pointerArray([device]);
    deviceApi.SessionOptionsAppendExecutionProvider_V2(sessionOptions, env, devices, 1, keys, values, count);
  };
}

/** CUDA, whose options are an object. */
export function appendCuda({ deviceApi }: DeviceRuntime, sessionOptions: Pointer, options: ProviderOptions): void {
  const { keys, values, count } = toPairs(options);
  const cuda = deviceApi.CreateCUDAProviderOptions();
  try {
    deviceApi.UpdateCUDAProviderOptions(cuda, keys, values, count);
    deviceApi.SessionOptionsAppendExecutionProvider_CUDA_V2(sessionOptions, cuda);
  } finally {
    deviceApi.ReleaseCUDAProviderOptions(cuda);
  }
}

/** TensorRT, followed by CUDA for what it does not support. */
export function appendTensorRt(runtime: DeviceRuntime, sessionOptions: Pointer, options: ProviderOptions): void {
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

/** Options that start with `trt_` are for TensorRT, the others for CUDA; the device number is for both. */
export function splitTensorRtOptions(options: ProviderOptions): { tensorRt: ProviderOptions; cuda: ProviderOptions } {
  const entries = Object.entries(options);
  return {
    tensorRt: Object.fromEntries(entries.filter(([key]) => key.startsWith("trt_") || key === "device_id")),
    cuda: Object.fromEntries(entries.filter(([key]) => !key.startsWith("trt_"))),
  };
}

/** Creates allocators for the memory with this name in ONNX Runtime, on the first GPU of a vendor. */
export function allocatorOf(name: string, vendorId: number): NonNullable<Provider["createAllocator"]> {
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

function toPairs(options: ProviderOptions) {
  const entries = Object.entries(options);
  return {
    keys: cStringArray(entries.map(([key]) => key)),
    values: cStringArray(entries.map(([, value]) => value)),
    count: entries.length,
  };
}
