/**
 * A tensor in the memory of an accelerator.
 *
 * @module
 */

import { int64Array, integerPointer, offsetPointer, type Pointer, pointerArray, view } from "../../../../ffi/memory.ts";
import { ElementType } from "../../../../ffi/onnxruntime/enums.ts";
import { byteLength, type Descriptor } from "../../../shape.ts";
import { type Binding, dropBindings } from "../../common/bindings.ts";
import { checkMemory } from "../../common/memory.ts";
import type { ValueTensor } from "../tensor.ts";
import { createValue } from "../value.ts";
import type { Accelerator } from "./accelerator.ts";

const POINTER_BYTES = 8;

/** A value in CPU memory, through which data is copied. */
interface Staging {
  readonly value: Pointer;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Native memory with the addresses of the device's value and of this one. */
  readonly pair: Pointer;
}

/** An OrtValue in device memory. Only a tensor that is written or read also has a staging value. */
export class AcceleratorTensor implements ValueTensor {
  readonly bindings: Set<Binding> = new Set();
  readonly value: Pointer;
  #staging: Staging | undefined;

  private constructor(readonly accelerator: Accelerator, readonly descriptor: Descriptor) {
    const { dataType, shape } = descriptor;
    const { runtime: { api }, allocator } = accelerator;
    this.value = api.CreateTensorAsOrtValue(allocator!, int64Array(shape), shape.length, ElementType[dataType]);
  }

  /** Creates a tensor of zeros. */
  static create(accelerator: Accelerator, descriptor: Descriptor): AcceleratorTensor | Promise<AcceleratorTensor> {
    const made = accelerator.perform(() => AcceleratorTensor.#createZeros(accelerator, descriptor));
    const { silentAbove = Infinity } = accelerator.provider;
    return byteLength(descriptor) > silentAbove ? AcceleratorTensor.#check(made) : made;
  }

  static #createZeros(accelerator: Accelerator, descriptor: Descriptor): AcceleratorTensor {
    const tensor = new AcceleratorTensor(accelerator, descriptor);
    try {
      tensor.#stage().bytes.fill(0);
      tensor.#upload();
      tensor.#unstage();
      return tensor;
    } catch (error) {
      tensor.#free();
      throw error;
    }
  }

  /** Reading fails if there was not enough memory. */
  static async #check(made: AcceleratorTensor | Promise<AcceleratorTensor>): Promise<AcceleratorTensor> {
    const tensor = await made;
    try {
      await tensor.read();
      tensor.#unstage();
      return tensor;
    } catch (error) {
      tensor.release();
      throw error;
    }
  }

  write(bytes: Uint8Array): void | Promise<void> {
    // The bytes belong to the caller once this returns, so they are staged now, even if the device is busy.
    this.#stage().bytes.set(bytes);
    return this.accelerator.perform(() => this.#upload());
  }

  async read(): Promise<Uint8Array> {
    const { accelerator: { runtime: { deviceApi, env } } } = this;
    const { bytes, pair } = this.#stage();
    await this.accelerator.perform(() =>
      deviceApi.CopyTensorsAsync(env, pair, offsetPointer(pair, POINTER_BYTES), null, integerPointer(1))
    );
    return bytes;
  }

  release(): void {
    this.accelerator.perform(() => {
      dropBindings(this);
      this.#free();
    });
  }

  #stage(): Staging {
    return this.#staging ??= createStaging(this.accelerator, this.value, this.descriptor);
  }

  #upload(): void {
    const { deviceApi, env } = this.accelerator.runtime;
    deviceApi.CopyTensors(env, pointerArray([this.#stage().value]), pointerArray([this.value]), null, 1);
  }

  #unstage(): void {
    if (this.#staging === undefined) return;
    const { api, allocator } = this.accelerator.runtime;
    const { bytes, pair, value } = this.#staging;
    this.#staging = undefined;
    bytes.buffer.transfer(0); // Makes the memory inaccessible.
    api.ReleaseValue(value);
    api.AllocatorFree(allocator, pair);
  }

  #free(): void {
    this.#unstage();
    this.accelerator.runtime.api.ReleaseValue(this.value);
  }
}

function createStaging({ runtime }: Accelerator, deviceValue: Pointer, descriptor: Descriptor): Staging {
  const { dataType, shape } = descriptor;
  checkMemory(byteLength(descriptor));
  const pair = runtime.api.AllocatorAlloc(runtime.allocator, 2 * POINTER_BYTES);
  try {
    const staging = createValue(runtime, dataType, shape, byteLength(descriptor));
    new BigUint64Array(view(pair, 2 * POINTER_BYTES)).set(pointerArray([deviceValue, staging.value]));
    return { ...staging, pair };
  } catch (error) {
    runtime.api.AllocatorFree(runtime.allocator, pair);
    throw error;
  }
}
