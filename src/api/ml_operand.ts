/**
 * MLOperand: an edge of a graph under construction.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import type { Value } from "../graph/graph.ts";
import { defineInterface, illegalConstructor, slot } from "../webidl/platform_object.ts";
import type { BuilderState } from "./graph_builder.ts";

/** What an operand is. */
export interface OperandState {
  readonly builder: BuilderState;
  readonly value: Value;
  /** Where it comes from: only what an operator computed may be an output of the graph. */
  readonly origin: "input" | "constant" | "operator";
}

/** The internal slots of an operand. */
export const operandSlot = slot<OperandState>("MLOperand");

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

defineInterface(MLOperand);
