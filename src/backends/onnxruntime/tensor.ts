/**
 * A tensor in memory of ONNX Runtime's allocator.
 *
 * @module
 */

import type { Pointer } from "../../../ffi/memory.ts";
import { turn } from "../../event_loop.ts";
import { byteLength, type Descriptor } from "../../shape.ts";
import type { DeviceTensor } from "../backend.ts";
import { type Bindable, type Binding, dropBindings } from "../common/bindings.ts";
import { checkMemory } from "../common/memory.ts";
import { countFreed, type OrtRuntime } from "./runtime.ts";
import { createValue } from "./value.ts";

/** A tensor to which graphs can be bound. */
export interface ValueTensor extends DeviceTensor, Bindable {
  /** The OrtValue. */
  readonly value: Pointer;
}

/** Bytes to clear before the event loop gets a turn: a few milliseconds of work, mostly the kernel's. */
const SLICE = 8 * 2 ** 20;

/** An OrtValue that owns its memory. */
export class OrtTensor implements ValueTensor {
  readonly bindings: Set<Binding> = new Set();
  readonly value: Pointer;
  /** The elements. The garbage collector counts them, so it collects unused tensors in time. */
  #bytes: Uint8Array<ArrayBuffer>;

  private constructor(readonly runtime: OrtRuntime, descriptor: Descriptor) {
    const { dataType, shape } = descriptor;
    checkMemory(byteLength(descriptor));
    const { value, bytes } = createValue(runtime, dataType, shape, byteLength(descriptor));
    this.value = value;
    this.#bytes = bytes;
  }

  /** Creates a tensor of zeros. The allocator does not clear memory. */
  static create(runtime: OrtRuntime, descriptor: Descriptor): OrtTensor | Promise<OrtTensor> {
    const tensor = new OrtTensor(runtime, descriptor);
    if (tensor.#bytes.byteLength > SLICE) return tensor.#clearInSlices();
    tensor.#bytes.fill(0);
    return tensor;
  }

  async #clearInSlices(): Promise<OrtTensor> {
    for (let start = 0; start < this.#bytes.byteLength; start += SLICE) {
      this.#bytes.fill(0, start, start + SLICE);
      await turn();
    }
    return this;
  }

  write(bytes: Uint8Array): void {
    this.#bytes.set(bytes);
  }

  read(): Uint8Array {
    return this.#bytes;
  }

  release(): void {
    dropBindings(this);
    const { byteLength } = this.#bytes;
    this.#bytes.buffer.transfer(0); // Makes the memory inaccessible.
    this.runtime.api.ReleaseValue(this.value);
    countFreed(this.runtime, byteLength);
  }
}
