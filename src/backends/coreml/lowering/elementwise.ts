/**
 * Lowering of the element-wise operators.
 *
 * @module
 */

import { isFloat } from "../../../data_type.ts";
import type { Value } from "../../../graph/graph.ts";
import type { elementwise as rows } from "../../../ops/elementwise.ts";
import { sameShape } from "../../../shape.ts";
import type { MilConstant, MilValue } from "../mil.ts";
import type { MilInputs, MilWriter } from "../mil_writer.ts";
import { integerPower, wrapped } from "./integers.ts";
import type { Lowering } from "./lowering.ts";
import { inFloat32 } from "./precision.ts";
import { roundEven } from "./rounding.ts";

type BinaryNode = { readonly operands: { readonly a: Value; readonly b: Value } };
type PredicateNode = { readonly operands: { readonly a: Value } };
type UnaryNode = { readonly operands: { readonly input: Value } };

/** An operator that is the same in MIL. Integers are computed as int32. */
function unary(type: string) {
  return ({ operands: { input } }: UnaryNode, mil: MilWriter) =>
    wrapped(mil.unary(type, mil.value(input)), input.dataType, mil);
}

/** Likewise, with parameters that depend on the operand. */
function unaryWith(type: string, parameters: (x: MilValue, mil: MilWriter) => MilInputs) {
  return ({ operands: { input } }: UnaryNode, mil: MilWriter) => {
    const x = mil.value(input);
    return mil.unary(type, x, parameters(x, mil));
  };
}

/** MIL adds a small epsilon before it takes a logarithm, unless it is 0. */
const noEpsilon = (x: MilValue, mil: MilWriter) => ({ epsilon: mil.scalar(x.dataType, 0) });

/** A binary operator. Integers are computed as int32. */
function binary(type: string) {
  return ({ operands: { a, b } }: BinaryNode, mil: MilWriter) =>
    wrapped(mil.binary(type, mil.value(a), mil.value(b)), a.dataType, mil);
}

const pow: Lowering<"pow"> = ({ operands: { a, b } }, mil) => {
  const [base, exponent] = [mil.value(a), mil.value(b)];
  return isFloat(a.dataType)
    ? mil.binary("pow", base, exponent)
    : wrapped(integerPower(base, exponent, mil), a.dataType, mil);
};

/** A comparison. MIL returns bool, which is widened if necessary. */
function comparison(type: string) {
  return ({ operands: { a, b } }: BinaryNode, mil: MilWriter) => mil.predicate(type, mil.value(a), mil.value(b));
}

/** A logical operation. Any non-zero byte is true. */
function logical(type: string) {
  return ({ operands: { a, b } }: BinaryNode, mil: MilWriter) => mil.predicate(type, mil.truth(a), mil.truth(b));
}

const logicalNot: Lowering<"logicalNot"> = ({ operands: { a } }, mil) => mil.unary("logical_not", mil.truth(a));

const isNaN: Lowering<"isNaN"> = ({ operands: { a } }, mil) => isNotANumber(mil.value(a), mil);

function isNotANumber(x: MilValue, mil: MilWriter): MilValue {
  return mil.predicate("not_equal", x, x);
}

const isInfinite: Lowering<"isInfinite"> = ({ operands: { a } }: PredicateNode, mil) => {
  const x = mil.value(a);
  return mil.predicate("equal", mil.unary("abs", x), mil.scalar(x.dataType, Infinity));
};

const neg: Lowering<"neg"> = ({ operands: { input } }, mil) => {
  const x = mil.value(input);
  return wrapped(mil.binary("mul", x, mil.scalar(x.dataType, -1)), input.dataType, mil);
};

/** MIL's `inverse` adds an epsilon to `x`; even 0 would turn −0 into +0. */
const reciprocal: Lowering<"reciprocal"> = ({ operands: { input } }, mil) => {
  const x = mil.value(input);
  return mil.binary("real_div", mil.scalar(x.dataType, 1), x);
};

/** The standard says sign(NaN) = 0. */
const sign: Lowering<"sign"> = ({ operands: { input } }, mil) => {
  const x = mil.value(input);
  const result = mil.unary("sign", x);
  return isFloat(input.dataType) ? mil.select(isNotANumber(x, mil), mil.scalar(x.dataType, 0), result) : result;
};

/** MIL's relu supports only floats. */
const relu: Lowering<"relu"> = ({ operands: { input } }, mil) => {
  const x = mil.value(input);
  return isFloat(input.dataType) ? mil.unary("relu", x) : mil.binary("maximum", x, mil.scalar("int32", 0));
};

/** `x·alpha + beta`. */
const linear: Lowering<"linear"> = ({ operands: { input }, attributes: { alpha, beta } }, mil) => {
  const x = mil.value(input);
  return mil.binary("add", mil.binary("mul", x, mil.scalar(x.dataType, alpha)), mil.scalar(x.dataType, beta));
};

function withAlpha(type: string) {
  return (
    { operands: { input }, attributes: { alpha } }: UnaryNode & { readonly attributes: { readonly alpha: number } },
    mil: MilWriter,
  ) => {
    const x = mil.value(input);
    return mil.unary(type, x, { alpha: mil.scalar(x.dataType, alpha) });
  };
}

/** `clamp(alpha·x + beta, 0, 1)`. */
function sigmoidHard(x: MilValue, alpha: number, beta: number, mil: MilWriter): MilValue {
  return mil.unary("sigmoid_hard", x, { alpha: mil.scalar(x.dataType, alpha), beta: mil.scalar(x.dataType, beta) });
}

const hardSigmoid: Lowering<"hardSigmoid"> = ({ operands: { input }, attributes: { alpha, beta } }, mil) =>
  sigmoidHard(mil.value(input), alpha, beta, mil);

const hardSwish: Lowering<"hardSwish"> = ({ operands: { input } }, mil) => {
  const x = mil.value(input);
  return mil.binary("mul", x, sigmoidHard(x, 1 / 6, 0.5, mil));
};

/** MIL's clip supports only floats, and Chromium has seen it fail if both bounds are equal. */
const clamp: Lowering<"clamp"> = ({ operands: { input }, attributes }, mil) => {
  const x = mil.value(input);
  const bound = (value: number | bigint) => mil.scalar(x.dataType, Number(value));
  const { minValue, maxValue } = attributes;
  const hasClip = isFloat(input.dataType) && minValue !== undefined && maxValue !== undefined && minValue !== maxValue;
  if (hasClip) return mil.unary("clip", x, { alpha: bound(minValue), beta: bound(maxValue) });
  const raised = minValue === undefined ? x : mil.binary("maximum", x, bound(minValue));
  return maxValue === undefined ? raised : mil.binary("minimum", raised, bound(maxValue));
};

/** Converts to int32 first, then takes the low bits for a narrower type. */
const cast: Lowering<"cast"> = ({ operands: { input }, attributes: { dataType } }, mil) => {
  const x = mil.cast(mil.value(input), mil.type(dataType));
  return input.dataType === dataType ? x : wrapped(x, dataType, mil);
};

/** The error grows with each element, which is too much for float16. */
const cumulativeSum: Lowering<"cumulativeSum"> = ({ operands: { input }, attributes }, mil) => {
  const { axis, exclusive, reversed } = attributes;
  const parameters = { axis: mil.int(axis), exclusive: mil.bool(exclusive), reverse: mil.bool(reversed) };
  const x = mil.value(input);
  const sums = (x: MilValue) => mil.unary("cumsum", x, parameters);
  return isFloat(input.dataType) ? inFloat32([x], sums, mil) : sums(x);
};

/** MIL has prelu for constant slopes per channel. */
const prelu: Lowering<"prelu"> = ({ operands: { input, slope } }, mil) => {
  const x = mil.value(input);
  const alpha = isFloat(input.dataType) ? channelSlope(input, slope, mil) : undefined;
  if (alpha) return mil.unary("prelu", x, { alpha });
  const zero = mil.scalar(x.dataType, 0);
  const scaled = wrapped(mil.binary("mul", x, mil.value(slope)), input.dataType, mil);
  return mil.select(mil.predicate("less", x, zero), scaled, x);
};

/** The slope as a constant with one element per channel of an NCHW input; `undefined` if it is not of that form. */
function channelSlope(input: Value, slope: Value, mil: MilWriter): MilConstant | undefined {
  const channels = input.shape[1]!;
  const isOfChannels = input.shape.length === 4 &&
    (sameShape(slope.shape, [channels, 1, 1]) || sameShape(slope.shape, [1, channels, 1, 1]));
  const constant = mil.constantOf(slope);
  return isOfChannels && constant ? mil.reshape(constant, [channels]) as MilConstant : undefined;
}

const where: Lowering<"where"> = ({ operands: { condition, trueValue, falseValue } }, mil) =>
  mil.select(mil.truth(condition), mil.value(trueValue), mil.value(falseValue));

export const elementwise = {
  add: binary("add"),
  sub: binary("sub"),
  mul: binary("mul"),
  // For int32, Apple's own evaluation truncates the quotient, as WebNN does.
  div: binary("real_div"),
  max: binary("maximum"),
  min: binary("minimum"),
  pow,
  equal: comparison("equal"),
  notEqual: comparison("not_equal"),
  greater: comparison("greater"),
  greaterOrEqual: comparison("greater_equal"),
  lesser: comparison("less"),
  lesserOrEqual: comparison("less_equal"),
  logicalAnd: logical("logical_and"),
  logicalOr: logical("logical_or"),
  logicalXor: logical("logical_xor"),
  logicalNot,
  isNaN,
  isInfinite,
  abs: unary("abs"),
  ceil: unary("ceil"),
  cos: unary("cos"),
  erf: unary("erf"),
  exp: unary("exp"),
  floor: unary("floor"),
  identity: ({ operands: { input } }, mil) => mil.native(input),
  log: unaryWith("log", noEpsilon),
  neg,
  reciprocal,
  roundEven: ({ operands: { input } }, mil) => roundEven(mil.value(input), mil),
  sign,
  sin: unary("sin"),
  sqrt: unary("sqrt"),
  tan: unary("tan"),
  gelu: unaryWith("gelu", (_, mil) => ({ mode: mil.text("EXACT") })),
  hardSwish,
  relu,
  sigmoid: unary("sigmoid"),
  softplus: unary("softplus"),
  softsign: unary("softsign"),
  tanh: unary("tanh"),
  elu: withAlpha("elu"),
  leakyRelu: withAlpha("leaky_relu"),
  hardSigmoid,
  linear,
  cast,
  clamp,
  cumulativeSum,
  prelu,
  where,
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
