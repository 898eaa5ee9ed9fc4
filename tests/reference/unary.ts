/**
 * Element-wise operators with one operand: mathematics and activations.
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
 *
 * @module
 */

import { atol, type Attributes, type Compute, floatAttribute, operand, type Rows, ulp, within } from "./operator.ts";
import { isFloat, roundEven } from "./round.ts";
import { erf, erfc, sigmoid, softplus } from "./special_functions.ts";
import { type Element, type RefDataType, type RefTensor, tensor } from "./tensor.ts";

function map(
  name: string,
  outputType: (input: RefDataType) => RefDataType,
  compute: (x: Element, dataType: RefDataType) => Element,
): Compute {
  return (operands) => {
    const input = operand(operands, name);
    const data = input.data.map((x) => compute(x, input.dataType));
    return [tensor(outputType(input.dataType), input.shape, data)];
  };
}

/** A function of floats, in float64. */
function float(compute: (x: number) => number): Compute {
  return map("input", (dataType) => dataType, (x) => compute(Number(x)));
}

/** The magnitude of the terms of a sum, from the input and the parameters. */
type Magnitude = (x: number, parameters: Readonly<Record<string, number>>) => number;

/** A function that engines compute as a sum whose terms may cancel, with the error bound of that sum. */
function cancelling(compute: Compute, terms: number, defaults: Record<string, number>, magnitude: Magnitude): Compute {
  return (operands, attributes) => {
    const input = operand(operands, "input");
    const parameters = castParameters(defaults, attributes, input);
    const magnitudes = input.data.map((x) => magnitude(Number(x), parameters));
    return compute(operands, attributes).map((output) => ({ ...output, magnitudes, terms }));
  };
}

/** A function of floats and signed integers. */
function signed(compute: (x: number) => number, integer: (x: bigint) => bigint): Compute {
  return map(
    "input",
    (dataType) => dataType,
    (x, dataType) => isFloat(dataType) ? compute(Number(x)) : integer(BigInt(x)),
  );
}

/** 1 if the predicate holds, else 0. */
function predicate(holds: (x: Element) => boolean): Compute {
  return map("a", () => "uint8", (x) => holds(x) ? 1 : 0);
}

/** A function of floats with parameters, which are cast to the data type of the input. */
function parametric(
  defaults: Readonly<Record<string, number>>,
  compute: (x: number, parameters: Readonly<Record<string, number>>) => number,
): Compute {
  return (operands, attributes) => {
    const input = operand(operands, "input");
    const parameters = castParameters(defaults, attributes, input);
    return [tensor(input.dataType, input.shape, input.data.map((x) => compute(Number(x), parameters)))];
  };
}

function castParameters(defaults: Readonly<Record<string, number>>, attributes: Attributes, input: RefTensor) {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, floatAttribute(attributes, name, value, input)]),
  );
}

function clampTo(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

const linearMagnitude: Magnitude = (x, { alpha, beta }) => Math.abs(alpha! * x) + Math.abs(beta!);

export const unary: Rows = {
  abs: signed(Math.abs, (x) => x < 0n ? -x : x),
  neg: signed((x) => -x, (x) => -x),
  // NaN is neither positive nor negative, so the result is 0 according to the standard.
  sign: signed((x) => x > 0 ? 1 : x < 0 ? -1 : 0, (x) => x > 0n ? 1n : x < 0n ? -1n : 0n),
  ceil: float(Math.ceil),
  cos: within(atol(2 ** -10, 2 ** -7), float(Math.cos), [-8, 8]),
  erf: within(atol(2 ** -10, 2 ** -9), float(erf)),
  exp: within(ulp(32, 1), float(Math.exp)),
  floor: float(Math.floor),
  log: within(ulp(8), float(Math.log)),
  reciprocal: within(ulp(2), float((x) => 1 / x)),
  roundEven: float(roundEven),
  sin: within(atol(2 ** -10, 2 ** -7), float(Math.sin), [-8, 8]),
  sqrt: within(ulp(1), float(Math.sqrt)),
  // Not near a pole.
  tan: within(atol(2 ** -10, 2 ** -9), float(Math.tan), [-1.5, 1.5]),

  // alpha · (eˣ - 1)
  elu: within(
    ulp(18),
    cancelling(
      parametric({ alpha: 1 }, (x, { alpha }) => x > 0 ? x : alpha! * Math.expm1(x)),
      4,
      { alpha: 1 },
      (x, { alpha }) => x > 0 ? 0 : 2 * Math.abs(alpha!),
    ),
  ),
  // x/2 · (1 + erf(x/√2))
  gelu: within(ulp(18), cancelling(float((x) => 0.5 * x * erfc(-x / Math.SQRT2)), 4, {}, Math.abs)),
  hardSigmoid: within(
    ulp(2),
    cancelling(
      parametric({ alpha: 0.2, beta: 0.5 }, (x, { alpha, beta }) => clampTo(alpha! * x + beta!, 0, 1)),
      2,
      { alpha: 0.2, beta: 0.5 },
      linearMagnitude,
    ),
  ),
  // x · clamp(x/6 + ½, 0, 1)
  hardSwish: within(
    ulp(4),
    cancelling(
      float((x) => x * clampTo(x + 3, 0, 6) / 6),
      4,
      {},
      (x) => Math.abs(x) * (Math.abs(x) / 6 + 0.5),
    ),
  ),
  leakyRelu: within(ulp(1, 2), parametric({ alpha: 0.01 }, (x, { alpha }) => x >= 0 ? x : alpha! * x)),
  linear: within(
    ulp(2),
    cancelling(
      parametric({ alpha: 1, beta: 0 }, (x, { alpha, beta }) => alpha! * x + beta!),
      2,
      { alpha: 1, beta: 0 },
      linearMagnitude,
    ),
  ),
  relu: signed((x) => Math.max(x, 0), (x) => x > 0n ? x : 0n),
  // ½ + an odd function
  sigmoid: within(ulp(34, 10), cancelling(float(sigmoid), 2, {}, () => 1)),
  softplus: within(ulp(18), float(softplus)),
  softsign: within(ulp(3), float((x) => x / (1 + Math.abs(x)))),
  tanh: within(ulp(16), float(Math.tanh)),

  logicalNot: predicate((x) => x === 0),
  isNaN: predicate((x) => Number.isNaN(x)),
  isInfinite: predicate((x) => Math.abs(Number(x)) === Infinity),
};
