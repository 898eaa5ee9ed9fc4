/**
 * Element-wise operators, and `cumulativeSum`.
 *
 * @module
 */

import type { MLOperandDataType } from "../data_type.ts";
import { broadcast, type Descriptor, formatShape, type Shape } from "../shape.ts";
import { double, withDefault } from "../webidl/converters.ts";
import { checkAxis, refuse } from "./checks.ts";
import { castNumber, castProblem, type Scalar } from "./ml_number.ts";
import { moving, perOutput } from "./cost.ts";
import { ANY, FLOATS, one, operator, rank, sameAs, SIGNED, tensor, UINT8, WIDE } from "./operator.ts";
import { aDataType, booleanFalse, maybeNumber, wrappingInteger } from "./parameters.ts";

const elementwiseOutput = { output: tensor(sameAs("input"), rank(0), "input") };

/** The broadcast shape of two operands. */
function broadcastOperands(a: Descriptor, b: Descriptor, names: string): Shape {
  return broadcast(a.shape, b.shape) ??
    refuse(
      `${names} must have shapes that broadcast to each other, not ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary */
function binary<const Name extends string>(name: Name) {
  return operator({
    name,
    operands: { a: one(ANY), b: one(sameAs("a")) },
    outputs: { output: tensor(sameAs("a")) },
    resolve: ({ a, b }) => ({
      attributes: {},
      outputs: [{ dataType: a.dataType, shape: broadcastOperands(a, b, "a and b") }],
    }),
    cost: perOutput(1),
  });
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical */
function logical<const Name extends string>(name: Name, types: readonly MLOperandDataType[]) {
  return operator({
    name,
    operands: { a: one(types), b: one(sameAs("a")) },
    outputs: { output: tensor(UINT8) },
    resolve: ({ a, b }) => ({
      attributes: {},
      outputs: [{ dataType: "uint8", shape: broadcastOperands(a, b, "a and b") }],
    }),
    cost: perOutput(1),
  });
}

/** A predicate of one operand, which the standard names `a` instead of `input`. */
function predicate<const Name extends string>(name: Name, types: readonly MLOperandDataType[]) {
  return operator({
    name,
    operands: { a: one(types) },
    outputs: { output: tensor(UINT8) },
    resolve: ({ a }) => ({ attributes: {}, outputs: [{ dataType: "uint8", shape: a.shape }] }),
    cost: perOutput(1),
  });
}

/**
 * A function of one operand.
 * @param operations the cost of one element; a function such as the exponential counts as one
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary
 */
function unary<const Name extends string>(name: Name, types: readonly MLOperandDataType[], operations: number) {
  return operator({
    name,
    operands: { input: one(types) },
    outputs: elementwiseOutput,
    resolve: ({ input }) => ({ attributes: {}, outputs: [input] }),
    cost: perOutput(operations),
  });
}

/** An activation with the coefficient `alpha`. */
function withAlpha<const Name extends string>(name: Name, alpha: number) {
  const option = withDefault(double, alpha);
  return operator({
    name,
    operands: { input: one(FLOATS) },
    outputs: elementwiseOutput,
    options: { alpha: option },
    resolve: ({ input }, { alpha }) => ({ attributes: { alpha }, outputs: [input] }),
    cost: perOutput(2),
  });
}

/** An activation with the coefficients `alpha` and `beta`. */
function withAlphaAndBeta<const Name extends string>(name: Name, alpha: number, beta: number) {
  const alphaOption = withDefault(double, alpha);
  const betaOption = withDefault(double, beta);
  return operator({
    name,
    operands: { input: one(FLOATS) },
    outputs: elementwiseOutput,
    options: { alpha: alphaOption, beta: betaOption },
    resolve: ({ input }, { alpha, beta }) => ({ attributes: { alpha, beta }, outputs: [input] }),
    cost: perOutput(2),
  });
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-cast */
const cast = operator({
  name: "cast",
  operands: { input: one(ANY) },
  outputs: { output: tensor(ANY, rank(0), "input") },
  parameters: { dataType: aDataType },
  resolve: ({ input }, { dataType }) => ({ attributes: { dataType }, outputs: [{ dataType, shape: input.shape }] }),
  cost: moving,
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-clamp */
const clamp = operator({
  name: "clamp",
  operands: { input: one(ANY) },
  outputs: elementwiseOutput,
  options: { minValue: maybeNumber, maxValue: maybeNumber },
  resolve({ input }, args) {
    const minValue = bound("minValue", args.minValue, input.dataType);
    const maxValue = bound("maxValue", args.maxValue, input.dataType);
    if (minValue !== undefined && maxValue !== undefined && minValue > maxValue) {
      refuse(`minValue (${minValue}) must not be greater than maxValue (${maxValue})`);
    }
    return { attributes: { minValue, maxValue }, outputs: [input] };
  },
  cost: perOutput(2),
});

/** A bound, converted to the data type of the input; `undefined` if it is missing, or NaN (as in WPT). */
function bound(name: string, value: Scalar | undefined, dataType: MLOperandDataType): Scalar | undefined {
  if (value === undefined || Number.isNaN(value)) return undefined;
  const problem = castProblem(value, dataType);
  if (problem) refuse(`${name} ${problem}`);
  return castNumber(value, dataType);
}

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-cumulativesum */
const cumulativeSum = operator({
  name: "cumulativeSum",
  operands: { input: one(WIDE, rank(1)) },
  outputs: { output: tensor(sameAs("input"), rank(1), "input") },
  parameters: { axis: wrappingInteger },
  options: { exclusive: booleanFalse, reversed: booleanFalse },
  resolve({ input }, { axis, exclusive, reversed }) {
    checkAxis(axis, input.shape.length);
    return { attributes: { axis, exclusive, reversed }, outputs: [input] };
  },
  cost: perOutput(1),
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-prelu */
const prelu = operator({
  name: "prelu",
  operands: { input: one(SIGNED), slope: one(sameAs("input")) },
  outputs: { output: tensor(sameAs("input")) },
  resolve: ({ input, slope }) => ({
    attributes: {},
    outputs: [{ dataType: input.dataType, shape: broadcastOperands(input, slope, "input and slope") }],
  }),
  cost: perOutput(2),
});

/** @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-where */
const where = operator({
  name: "where",
  operands: { condition: one(UINT8), trueValue: one(ANY), falseValue: one(sameAs("trueValue")) },
  outputs: { output: tensor(sameAs("trueValue")) },
  resolve({ condition, trueValue, falseValue }) {
    const shape = broadcastOperands(trueValue, falseValue, "trueValue and falseValue");
    const output = { dataType: trueValue.dataType, shape };
    return {
      attributes: {},
      outputs: [{ ...output, shape: broadcastOperands(condition, output, "condition and the values") }],
    };
  },
  cost: moving,
});

/** The element-wise rows. */
export const elementwise = {
  add: binary("add"),
  sub: binary("sub"),
  mul: binary("mul"),
  div: binary("div"),
  max: binary("max"),
  min: binary("min"),
  pow: binary("pow"),
  equal: logical("equal", ANY),
  notEqual: logical("notEqual", ANY),
  greater: logical("greater", ANY),
  greaterOrEqual: logical("greaterOrEqual", ANY),
  lesser: logical("lesser", ANY),
  lesserOrEqual: logical("lesserOrEqual", ANY),
  logicalAnd: logical("logicalAnd", UINT8),
  logicalOr: logical("logicalOr", UINT8),
  logicalXor: logical("logicalXor", UINT8),
  logicalNot: predicate("logicalNot", UINT8),
  // The standard's table allows any data type, but its steps allow only floats. WPT follows the steps.
  isNaN: predicate("isNaN", FLOATS),
  isInfinite: predicate("isInfinite", FLOATS),
  abs: unary("abs", SIGNED, 1),
  ceil: unary("ceil", FLOATS, 1),
  cos: unary("cos", FLOATS, 1),
  erf: unary("erf", FLOATS, 1),
  exp: unary("exp", FLOATS, 1),
  floor: unary("floor", FLOATS, 1),
  identity: unary("identity", ANY, 0),
  log: unary("log", FLOATS, 1),
  neg: unary("neg", SIGNED, 1),
  reciprocal: unary("reciprocal", FLOATS, 1),
  roundEven: unary("roundEven", FLOATS, 1),
  sign: unary("sign", SIGNED, 1),
  sin: unary("sin", FLOATS, 1),
  sqrt: unary("sqrt", FLOATS, 1),
  tan: unary("tan", FLOATS, 1),
  gelu: unary("gelu", FLOATS, 5),
  hardSwish: unary("hardSwish", FLOATS, 5),
  relu: unary("relu", SIGNED, 1),
  sigmoid: unary("sigmoid", FLOATS, 4),
  softplus: unary("softplus", FLOATS, 3),
  softsign: unary("softsign", FLOATS, 3),
  tanh: unary("tanh", FLOATS, 1),
  elu: withAlpha("elu", 1),
  leakyRelu: withAlpha("leakyRelu", 0.01),
  hardSigmoid: withAlphaAndBeta("hardSigmoid", 0.2, 0.5),
  linear: withAlphaAndBeta("linear", 1, 0),
  cast,
  clamp,
  cumulativeSum,
  prelu,
  where,
};
