/**
 * cast, clamp, and the cast of `MLNumber` parameters.
 *
 * @module
 */

import { type Attributes, operand, parameter, type Rows, ulp, within } from "./operator.ts";
import { isFloat, roundTo, saturate } from "./round.ts";
import { type Element, type RefDataType, type RefTensor, tensor } from "./tensor.ts";

/**
 * [Casts](https://www.w3.org/TR/webnn/#algorithms-casting) an `MLNumber` to a data type. Truncates fractions as WPT does;
 * the standard's text rounds them.
 */
export function castNumber(dataType: RefDataType, value: Element): Element {
  return isFloat(dataType) ? roundTo(dataType, value) : saturate(dataType, value);
}

/** Float to integer truncates (out of range is implementation-defined; here it saturates). Integer to integer wraps. */
function castElement(from: RefDataType, to: RefDataType, value: Element): Element {
  return isFloat(from) && !isFloat(to) ? saturate(to, value) : roundTo(to, value);
}

/** A bound of clamp. Missing and, as in WPT, NaN mean no bound. */
function bound(attributes: Attributes, name: string, input: RefTensor): Element | undefined {
  const value = attributes[name] as Element | undefined;
  return value === undefined || Number.isNaN(value) ? undefined : castNumber(input.dataType, value);
}

function clampElement(x: Element, low: Element | undefined, high: Element | undefined): Element {
  const raised = low !== undefined && x < low ? low : x;
  return high !== undefined && raised > high ? high : raised;
}

export const conversion: Rows = {
  cast: within(ulp(1), (operands, attributes) => {
    const input = operand(operands, "input");
    const dataType = parameter<RefDataType>(attributes, "dataType");
    return [tensor(dataType, input.shape, input.data.map((x) => castElement(input.dataType, dataType, x)))];
  }),
  clamp: (operands, attributes) => {
    const input = operand(operands, "input");
    const low = bound(attributes, "minValue", input);
    const high = bound(attributes, "maxValue", input);
    return [tensor(input.dataType, input.shape, input.data.map((x) => clampElement(x, low, high)))];
  },
};
