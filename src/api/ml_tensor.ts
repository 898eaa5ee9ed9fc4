/**
 * MLTensor: memory of a context.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { discard } from "../interop/webgpu.ts";
import { defineInterface, illegalConstructor } from "../webidl/platform_object.ts";
import { type ConstantTensorState, type DeviceTensorState, isDestroyed, tensorSlot } from "./state.ts";

/** Makes a tensor. */
export function createMLTensor(
  state: Omit<DeviceTensorState, "lastDispatch"> | Omit<ConstantTensorState, "lastDispatch">,
): MLTensor {
  return tensorSlot.create(MLTensor.prototype, { ...state, lastDispatch: 0 });
}

/**
 * Memory of a context, written, read, and used by dispatches.
 *
 * @see https://www.w3.org/TR/webnn/#mltensor
 */
export class MLTensor {
  private constructor() {
    illegalConstructor();
  }

  /** The type of one element. */
  get dataType(): MLOperandDataType {
    return tensorSlot.get(this).descriptor.dataType;
  }

  /** The dimensions, outermost first; `[]` for a scalar. A frozen array, the same one each time. */
  get shape(): readonly number[] {
    return tensorSlot.get(this).descriptor.shape;
  }

  /** Whether `readTensor()` may be called. */
  get readable(): boolean {
    return tensorSlot.get(this).readable;
  }

  /** Whether `writeTensor()` may be called. */
  get writable(): boolean {
    return tensorSlot.get(this).writable;
  }

  /** Whether the tensor can only be a constant of graphs. */
  get constant(): boolean {
    return tensorSlot.get(this).kind === "constant";
  }

  /** Releases the memory once the work queued before has been done; pending reads reject. May be called again. */
  destroy(): void {
    const { context: { timeline }, kind, rental, storage } = tensorSlot.get(this);
    discard(rental);
    if (kind === "constant") timeline.destroyBlock(storage);
    else timeline.destroyTensor(storage);
  }

  /** Calls {@linkcode MLTensor.destroy} at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  /** Calls {@linkcode MLTensor.destroy} at the end of an `await using` block, and waits until the memory is released. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    await tensorSlot.get(this).context.timeline.settled;
  }
}

defineInterface(MLTensor, tensorSlot, (state) => ({
  dataType: state.descriptor.dataType,
  shape: state.descriptor.shape,
  ...state.readable && { readable: true },
  ...state.writable && { writable: true },
  ...state.kind === "constant" && { constant: true },
  ...state.rental && { exportable: true },
  ...isDestroyed(state) && { destroyed: true },
}));
