/**
 * MLOperand: an edge of a graph under construction.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { defineInterface, illegalConstructor } from "../webidl/platform_object.ts";
import { operandSlot } from "./state.ts";

/**
 * An operand of a graph under construction: an input, a constant or the output of an operator.
 *
 * @see https://www.w3.org/TR/webnn/#mloperand
 */
export class MLOperand {
  private constructor() {
    illegalConstructor();
  }

  /** The type of one element. */
  get dataType(): MLOperandDataType {
    return operandSlot.get(this).value.dataType;
  }

  /** The dimensions, outermost first; `[]` for a scalar. A frozen array, the same one each time. */
  get shape(): readonly number[] {
    return operandSlot.get(this).value.shape;
  }
}

defineInterface(MLOperand, operandSlot, ({ value: { dataType, shape }, origin }) => ({ dataType, shape, origin }));
