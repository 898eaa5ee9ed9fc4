/**
 * A tensor in memory that Core ML reads and writes in place.
 *
 * @module
 */

import type { Pointer } from "../../../ffi/memory.ts";
import { type CoreML, MultiArrayDataType } from "../../../ffi/objc/core_ml.ts";
import type { PageBlock } from "../../../ffi/objc/pages.ts";
import { byteLength, type Descriptor, elementCount, type Shape } from "../../shape.ts";
import type { DeviceTensor } from "../backend.ts";
import { type Bindable, type Binding, dropBindings } from "../common/bindings.ts";
import { checkMemory } from "../common/memory.ts";
import { featureType, milShape } from "./mil_writer.ts";
import { copyStrided, rowMajorStrides } from "./strides.ts";
import { isNarrow, narrow, widen } from "./widening.ts";

/** An MLMultiArray over page-aligned memory that the tensor owns, in the type of the model's features. */
export class CoreMLTensor implements DeviceTensor, Bindable {
  /** The bindings that refer to the array. */
  readonly bindings: Set<Binding> = new Set();
  /** The MLMultiArray. */
  readonly array: Pointer;
  /** The MLFeatureValue. */
  readonly feature: Pointer;
  readonly #pages: PageBlock;
  readonly #shape: Shape;
  readonly #dataType: "fp32" | "fp16" | "int32";

  /** Makes a tensor of zeros. */
  constructor(readonly coreML: CoreML, readonly descriptor: Descriptor) {
    this.#shape = milShape(descriptor.shape);
    this.#dataType = featureType(descriptor.dataType);
    const bytes = elementCount(this.#shape) * this.#elementSize;
    checkMemory(bytes);
    this.#pages = coreML.allocate(bytes);
    try {
      const { array, feature } = coreML.runtime.pooled(() => this.#wrap());
      this.array = array;
      this.feature = feature;
    } catch (error) {
      this.#pages.free();
      throw error;
    }
  }

  /** Bytes per element of the array. */
  get #elementSize(): 2 | 4 {
    return this.#dataType === "fp16" ? 2 : 4;
  }

  #wrap(): { array: Pointer; feature: Pointer } {
    const { foundation, messages, runtime } = this.coreML;
    const array = messages.initMultiArray(
      this.#pages.pointer,
      foundation.numbers(this.#shape),
      MultiArrayDataType[this.#dataType],
      foundation.numbers(rowMajorStrides(this.#shape)),
      null,
    );
    try {
      return { array, feature: runtime.retain(messages.featureValue(array)) };
    } catch (error) {
      runtime.release(array);
      throw error;
    }
  }

  write(bytes: Uint8Array): void {
    const { dataType } = this.descriptor;
    if (isNarrow(dataType)) widen(dataType, bytes, this.#integers);
    else this.#pages.bytes.set(bytes);
  }

  read(): Uint8Array {
    const { dataType } = this.descriptor;
    if (!isNarrow(dataType)) return this.#pages.bytes;
    const bytes = new Uint8Array(byteLength(this.descriptor));
    narrow(dataType, this.#integers, bytes);
    return bytes;
  }

  /**
   * Copies the elements of an array that Core ML has allocated; its rows may have gaps. Call it inside an autorelease
   * pool.
   */
  copyFrom(array: Pointer): void {
    const { foundation, messages } = this.coreML;
    const shape = foundation.integers(messages.shape(array));
    if (messages.dataType(array) !== MultiArrayDataType[this.#dataType] || `${shape}` !== `${this.#shape}`) {
      throw new Error(`Core ML returned an output that is not [${this.#shape}] of ${this.#dataType}`);
    }
    const strides = foundation.integers(messages.strides(array));
    copyStrided(messages.dataPointer(array), { shape, strides, elementSize: this.#elementSize }, this.#pages.bytes);
  }

  release(): void {
    dropBindings(this);
    this.coreML.runtime.release(this.feature);
    this.coreML.runtime.release(this.array);
    this.#pages.free();
  }

  get #integers(): Int32Array {
    return new Int32Array(this.#pages.bytes.buffer);
  }
}
