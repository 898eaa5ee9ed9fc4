/**
 * MLOperand: a value in a graph that is being built.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { defineInterface, illegalConstructor } from "../webidl/platform_object.ts";
import { operandSlot } from "./state.ts";

/**
 * A value in a graph that is being built: an input, a constant or the output of an operator. The methods of
 * {@linkcode MLGraphBuilder} create and take operands.
 *
 * @see https://www.w3.org/TR/webnn/#api-mloperand
 */
export class MLOperand {
  private constructor() {
    illegalConstructor();
  }

  /** The data type of the elements. */
  get dataType(): MLOperandDataType {
    return operandSlot.get(this).value.dataType;
  }

  /** The dimensions, outermost first; `[]` for a scalar. A frozen array, always the same object. */
  get shape(): readonly number[] {
    return operandSlot.get(this).value.shape;
  }
}

defineInterface(MLOperand, operandSlot, ({ value: { dataType, shape }, origin }) => ({ dataType, shape, origin }));
