/**
 * Values that own their memory.
 *
 * @module
 */

import { int64Array, type Pointer, view } from "../../../ffi/memory.ts";
import { ElementType } from "../../../ffi/onnxruntime/enums.ts";
import type { Shape } from "../../shape.ts";
import type { OnnxType } from "./onnx.ts";
import { countAllocated, type OrtRuntime } from "./runtime.ts";

/** An OrtValue in the allocator's memory, and its elements, which are not initialised. */
export function createValue(
  runtime: OrtRuntime,
  dataType: OnnxType,
  shape: Shape,
  byteLength: number,
): { readonly value: Pointer; readonly bytes: Uint8Array<ArrayBuffer> } {
  countAllocated(runtime, byteLength);
  const { api, allocator } = runtime;
  const value = api.CreateTensorAsOrtValue(allocator, int64Array(shape), shape.length, ElementType[dataType]);
  try {
    return { value, bytes: new Uint8Array(view(api.GetTensorMutableData(value), byteLength)) };
  } catch (error) {
    api.ReleaseValue(value);
    throw error;
  }
}
