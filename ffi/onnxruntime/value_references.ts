/**
 * How many references the engine has to a value.
 *
 * A session that has packed a weight for its kernels drops the weight as it was given. It does not say so if it has
 * borrowed the weight, but each of its references counts in the `std::shared_ptr` that an `OrtValue` begins with. In
 * the C++ libraries of GCC, Clang and Microsoft, the second word of a `std::shared_ptr` points to a block that has the
 * count after one pointer. Nothing relies on that before a test of the library at hand has confirmed it.
 *
 * @module
 */

import { int64Array, type Pointer, pointerArray, readPointer } from "../memory.ts";
import { ElementType, ValueType } from "./enums.ts";
import type { OnnxRuntime } from "./library.ts";

/** A number that grows by one with each reference to a value. */
export function countReferences(value: Pointer): number {
  const block = readPointer(value, 8);
  return block === null ? NaN : new Deno.UnsafePointerView(block).getInt32(8);
}

/** Whether the count changes as expected while a sequence refers to a tensor. */
export function canCountReferences({ api }: OnnxRuntime): boolean {
  const allocator = api.GetAllocatorWithDefaultOptions();
  const tensor = api.CreateTensorAsOrtValue(allocator, int64Array([1]), 1, ElementType.float32);
  try {
    const before = countReferences(tensor);
    const sequence = api.CreateValue(pointerArray([tensor]), 1, ValueType.SEQUENCE);
    const between = countReferences(tensor);
    api.ReleaseValue(sequence);
    return between === before + 1 && countReferences(tensor) === before;
  } finally {
    api.ReleaseValue(tensor);
  }
}
