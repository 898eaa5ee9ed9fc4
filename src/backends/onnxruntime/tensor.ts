/**
 * A tensor in memory of ONNX Runtime.
 *
 * @module
 */

import type { Pointer } from "../../../ffi/memory.ts";
import { byteLength, type Descriptor } from "../../shape.ts";
import type { DeviceTensor } from "../backend.ts";
import type { Binding } from "./executable.ts";
import { checkMemory } from "./memory_budget.ts";
import { countFreed, type OrtRuntime } from "./runtime.ts";
import { createValue } from "./value.ts";

/** An OrtValue with memory of its own. */
export class OrtTensor implements DeviceTensor {
  /** The bindings that refer to the value. */
  readonly bindings: Set<Binding> = new Set();
  readonly value: Pointer;
  /** The elements. Counted by the garbage collector, so that forgotten tensors are collected in time. */
  #bytes: Uint8Array<ArrayBuffer>;

  constructor(readonly runtime: OrtRuntime, descriptor: Descriptor) {
    const { dataType, shape } = descriptor;
    checkMemory(byteLength(descriptor));
    const { value, bytes } = createValue(runtime, dataType, shape, byteLength(descriptor));
    this.value = value;
    this.#bytes = bytes.fill(0);
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
    this.#bytes.buffer.transfer(0); // Nothing can touch the memory any more.
    this.runtime.api.ReleaseValue(this.value);
    countFreed(this.runtime, byteLength);
  }
}
