/**
 * MLTensor: memory of a context.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { discardReturned } from "../interop/webgpu.ts";
import { defineInterface, illegalConstructor } from "../webidl/platform_object.ts";
import { type ConstantTensorState, type DeviceTensorState, isDestroyed, tensorSlot } from "./state.ts";

/** Creates a tensor. */
export function createMLTensor(
  state: Omit<DeviceTensorState, "lastDispatch"> | Omit<ConstantTensorState, "lastDispatch">,
): MLTensor {
  return tensorSlot.create(MLTensor.prototype, { ...state, lastDispatch: 0 });
}

/**
 * A tensor in the memory of a context: an input or output of dispatches, or a constant of graphs.
 *
 * @see https://www.w3.org/TR/webnn/#api-mltensor
 */
export class MLTensor {
  private constructor() {
    illegalConstructor();
  }

  /** The data type of the elements. */
  get dataType(): MLOperandDataType {
    return tensorSlot.get(this).descriptor.dataType;
  }

  /** The dimensions, outermost first; `[]` for a scalar. A frozen array, always the same object. */
  get shape(): readonly number[] {
    return tensorSlot.get(this).descriptor.shape;
  }

  /** Whether `MLContext.readTensor()` can read it. */
  get readable(): boolean {
    return tensorSlot.get(this).readable;
  }

  /** Whether `MLContext.writeTensor()` can overwrite it. */
  get writable(): boolean {
    return tensorSlot.get(this).writable;
  }

  /** Whether it was made by `MLContext.createConstantTensor()`; then only `MLGraphBuilder.constant()` takes it. */
  get constant(): boolean {
    return tensorSlot.get(this).kind === "constant";
  }

  /**
   * Releases the memory after all earlier work. Pending reads reject with an InvalidStateError. A second call has no
   * effect.
   * @see https://www.w3.org/TR/webnn/#api-mltensor-destroy
   */
  destroy(): void {
    const { context: { timeline }, kind, rental, storage } = tensorSlot.get(this);
    discardReturned(rental);
    if (kind === "constant") timeline.destroyBlock(storage);
    else timeline.destroyTensor(storage);
  }

  /** Calls {@linkcode MLTensor.destroy} at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  /**
   * Calls {@linkcode MLTensor.destroy} at the end of an `await using` block, and waits until the memory is released.
   */
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
