/**
 * Constants that several contexts share.
 *
 * @module
 */

import { invalidStateError } from "../errors.ts";
import { checkDescriptor, checkNotLost, type MLContext } from "./ml_context.ts";
import { createMLTensor, type MLTensor } from "./ml_tensor.ts";
import { contextSlot, isDestroyed, tensorSlot } from "./state.ts";

/**
 * The same constant tensor for another context, for graphs that run at the same time. Both have the same memory if both
 * contexts run on the same engine; otherwise the bytes are copied. Each is destroyed on its own. Not in the standard.
 * @param tensor made by `MLContext.createConstantTensor()`
 * @param context the context that gets the constant
 * @throws {TypeError} if the tensor is not a constant tensor, or the context does not support its data type or shape
 * @throws {DOMException} InvalidStateError if the tensor is destroyed or the context is lost; UnknownError if there is not
 * enough memory for a copy
 */
export function shareConstant(tensor: MLTensor, context: MLContext): MLTensor {
  const where = "shareConstant";
  const state = tensorSlot.convert(tensor, `${where}: tensor`);
  const target = contextSlot.convert(context, `${where}: context`);
  if (state.kind !== "constant") {
    throw new TypeError(`${where}: the tensor was not made by MLContext.createConstantTensor()`);
  }
  if (isDestroyed(state)) throw invalidStateError(`${where}: the tensor is destroyed`);
  checkNotLost(target, where);
  checkDescriptor(target, state.descriptor, `${where}: tensor`);
  return createMLTensor({ ...state, context: target, storage: target.timeline.share(state.storage) });
}
