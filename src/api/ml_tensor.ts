/**
 * MLTensor: memory of a context.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import type { Descriptor } from "../shape.ts";
import type { TimelineBlock, TimelineTensor } from "../timeline/timeline.ts";
import { defineInterface, illegalConstructor, slot } from "../webidl/platform_object.ts";
import { discard, type Rental } from "./gpu_interop.ts";
import type { ContextState } from "./ml_context.ts";

/** What a tensor is. A constant one holds the bytes of a constant in place of a tensor of the device. */
export interface TensorState {
  readonly context: ContextState;
  readonly descriptor: Descriptor;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly storage: TimelineTensor | TimelineBlock;
  /** Of an exportable tensor. */
  readonly rental: Rental | undefined;
  /** The dispatch that it was last passed to, to find a tensor that is passed twice. */
  lastDispatch: number;
}

/** The internal slots of a tensor. */
export const tensorSlot = slot<TensorState>("MLTensor");

/** Makes a tensor. */
export function createMLTensor(state: Omit<TensorState, "lastDispatch">): MLTensor {
  return tensorSlot.create(MLTensor.prototype, { ...state, lastDispatch: 0 });
}

/** Whether a tensor can only be a constant of graphs. */
export function isConstant({ storage }: TensorState): boolean {
  return "block" in storage;
}

/** Whether a tensor was destroyed, by itself or with its context. */
export function isDestroyed({ context, storage }: TensorState): boolean {
  return storage.destroyed || context.timeline.isLost;
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
    return isConstant(tensorSlot.get(this));
  }

  /** Releases the memory once the work queued before has been done; pending reads reject. May be called again. */
  destroy(): void {
    const { context, rental, storage } = tensorSlot.get(this);
    discard(rental);
    if ("block" in storage) context.timeline.destroyBlock(storage);
    else context.timeline.destroyTensor(storage);
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

defineInterface(MLTensor);
