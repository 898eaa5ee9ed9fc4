/**
 * A tensor in memory of ONNX Runtime.
 *
 * @module
 */

import { int64Array, type Pointer, view } from "../../../ffi/memory.ts";
import { ElementType } from "../../../ffi/onnxruntime/enums.ts";
import { byteLength, type Descriptor } from "../../shape.ts";
import type { DeviceTensor } from "../backend.ts";
import type { Binding } from "./executable.ts";
import { countFreed, type OrtRuntime } from "./runtime.ts";

/** An OrtValue with memory of its own. */
export class OrtTensor implements DeviceTensor {
  /** The bindings that refer to the value. */
  readonly bindings: Set<Binding> = new Set();
  readonly value: Pointer;
  /** The elements. Counted by the garbage collector, so that forgotten tensors are collected in time. */
  #bytes: Uint8Array;

  constructor(readonly runtime: OrtRuntime, descriptor: Descriptor) {
    const { api, allocator } = runtime;
    const { shape, dataType } = descriptor;
    this.value = api.CreateTensorAsOrtValue(allocator, int64Array(shape), shape.length, ElementType[dataType]);
    this.#bytes = new Uint8Array(view(api.GetTensorMutableData(this.value), byteLength(descriptor)));
    this.#bytes.fill(0); // The allocator gives memory as others left it.
  }

  write(bytes: Uint8Array): void {
    this.#bytes.set(bytes);
  }

  read(): Uint8Array {
    return this.#bytes;
  }

  release(): void {
    for (const binding of [...this.bindings]) binding.drop();
    const { byteLength } = this.#bytes;
    this.#bytes = new Uint8Array(0);
    this.runtime.api.ReleaseValue(this.value);
    countFreed(this.runtime, byteLength);
  }
}
