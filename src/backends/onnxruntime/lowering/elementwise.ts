/**
 * Lowering of the element-wise operators.
 *
 * @module
 */

import { isFloat, type MLOperandDataType } from "../../../data_type.ts";
import type { Value } from "../../../graph/graph.ts";
import type { elementwise as rows } from "../../../ops/elementwise.ts";
import { broadcast, broadcastsTo, elementCount } from "../../../shape.ts";
import { Float } from "../onnx.ts";
import type { OnnxWriter, Operand } from "../writer.ts";
import { carried } from "./carrier.ts";
import { integerDiv, integerPow } from "./integers.ts";
import { hasFlaw } from "./kernels.ts";
import type { Lowering } from "./lowering.ts";
import { type Combine, greaterOf, lesserOf } from "./order.ts";
import { sigmoid } from "./sigmoid.ts";

type BinaryNode = { readonly operands: { readonly a: Value; readonly b: Value } };
type PredicateNode = { readonly operands: { readonly a: Value } };
type UnaryNode = { readonly operands: { readonly input: Value } };

/** An operator that is the same in ONNX. */
function binary(op: string) {
  return ({ operands: { a, b } }: BinaryNode, onnx: OnnxWriter) => onnx.node(op, guarded(a, b, onnx));
}

/** The operands of an operator, written so that the engine does not wrongly merge it with other operators. */
function guarded(a: Value, b: Value, onnx: OnnxWriter): [Operand, Operand] {
  return [guard(a, b, onnx), guard(b, a, onnx)];
}

function guard(operand: Value, other: Value, onnx: OnnxWriter): Operand {
  if (onnx.isConstant(operand) || !onnx.isConstant(other)) return operand;
  const { dataType, shape } = operand;
  const missing = other.shape.length - shape.length;
  if (missing > 0 && hasFlaw("lostDimensions", onnx)) {
    return onnx.reshape(operand, [...Array(missing).fill(1), ...shape]);
  }
  const isMerged = isFloat(dataType) && hasFlaw("carelessMerges", onnx) && /^Conv/.test(onnx.originOf(operand) ?? "");
  // This PRelu changes nothing, but the engine does not merge operators across it.
  return isMerged ? onnx.node("PRelu", [operand, onnx.scalar(dataType, 1)]) : operand;
}

/** An operator that is the same in ONNX for floats, and is written differently for integers. */
function binaryByType(op: string, ofIntegers: (a: Value, b: Value, onnx: OnnxWriter) => Operand) {
  return ({ operands: { a, b } }: BinaryNode, onnx: OnnxWriter) =>
    isFloat(a.dataType) ? onnx.node(op, guarded(a, b, onnx)) : ofIntegers(a, b, onnx);
}

/** A power. If a provider's kernel fails for operands with one element per row, it gets a scalar, or full rows. */
const pow: Lowering<"pow"> = ({ operands: { a, b } }, onnx) => {
  if (!isFloat(a.dataType)) return integerPow(a, b, onnx);
  if (!hasFlaw("narrowPowers", onnx)) return onnx.node("Pow", guarded(a, b, onnx));
  const shape = broadcast(a.shape, b.shape)!;
  const filled = (operand: Value, other: Value) => {
    const isNarrow = operand.shape.length > 1 && operand.shape.at(-1) === 1 && shape.at(-1)! % 4 === 0;
    if (!isNarrow) return operand;
    const isNumber = elementCount(operand.shape) === 1 && other.shape.length === shape.length;
    return isNumber ? onnx.reshape(operand, []) : onnx.node("Expand", [operand, onnx.ints(shape)]);
  };
  return onnx.node("Pow", [filled(a, b), filled(b, a)]);
};

/** A comparison. ONNX returns bool, WebNN uint8. */
function comparison(op: string) {
  return ({ operands: { a, b } }: BinaryNode, onnx: OnnxWriter) => onnx.cast(onnx.node(op, [a, b]), "uint8");
}

/** A logical operator. Any non-zero byte is true. */
function logical(op: string) {
  return ({ operands: { a, b } }: BinaryNode, onnx: OnnxWriter) =>
    onnx.cast(onnx.node(op, [onnx.cast(a, "bool"), onnx.cast(b, "bool")]), "uint8");
}

/** A predicate of floats. */
function predicate(op: string) {
  return ({ operands: { a } }: PredicateNode, onnx: OnnxWriter) => onnx.cast(onnx.node(op, [a]), "uint8");
}

function unary(op: string) {
  return ({ operands: { input } }: UnaryNode, onnx: OnnxWriter) => onnx.node(op, [input]);
}

/** An additional dimension of 1 keeps Abs apart from a Concat. */
const abs: Lowering<"abs"> = ({ operands: { input } }, onnx) => {
  const { shape } = input;
  if (!hasFlaw("sunkenAbs", onnx) || onnx.originOf(input) !== "Concat") return onnx.node("Abs", [input]);
  return onnx.reshape(onnx.node("Abs", [onnx.reshape(input, [1, ...shape])]), shape);
};

function withAlpha(op: string) {
  return (
    { operands: { input }, attributes: { alpha } }: UnaryNode & { readonly attributes: { readonly alpha: number } },
    onnx: OnnxWriter,
  ) => onnx.node(op, [input], { alpha: new Float(alpha) });
}

/** `x·alpha + beta`. */
const linear: Lowering<"linear"> = ({ operands: { input }, attributes: { alpha, beta } }, onnx) => {
  const scalar = (value: number) => onnx.scalar(input.dataType, value);
  return onnx.node("Add", [onnx.node("Mul", [input, scalar(alpha)]), scalar(beta)]);
};

/** The minimum or maximum of two values. */
function extreme(combine: Combine) {
  return ({ operands: { a, b } }: BinaryNode, onnx: OnnxWriter) => combine(a.dataType, a, b, onnx);
}

/** ONNX Runtime has no Relu for int64. */
const relu: Lowering<"relu"> = ({ operands: { input } }, onnx) => {
  const { dataType } = input;
  return isFloat(dataType) ? onnx.node("Relu", [input]) : greaterOf(dataType, input, onnx.scalar(dataType, 0), onnx);
};

/** For integers: (x > 0) − (x < 0). The standard says sign(NaN) = 0. */
const sign: Lowering<"sign"> = ({ operands: { input } }, onnx) => {
  const { dataType } = input;
  const zero = onnx.scalar(dataType, 0);
  if (isFloat(dataType)) {
    return onnx.node("Where", [onnx.node("IsNaN", [input]), zero, onnx.node("Sign", [input])]);
  }
  const is = (comparison: string) => onnx.cast(onnx.node(comparison, [input, zero]), dataType);
  return onnx.node("Sub", [is("Greater"), is("Less")]);
};

/** For missing bounds of floats, ONNX Runtime uses the largest finite numbers, which would clamp infinities. */
const clamp: Lowering<"clamp"> = ({ operands: { input }, attributes }, onnx) => {
  const [min, max] = isFloat(input.dataType) ? [-Infinity, Infinity] : [];
  const { minValue = min, maxValue = max } = attributes;
  const bound = (value: number | bigint | undefined): Operand =>
    value === undefined ? undefined : onnx.scalar(input.dataType, value);
  if (input.dataType !== "int64") return onnx.node("Clip", [input, bound(minValue), bound(maxValue)]);
  const raised = minValue === undefined ? input : greaterOf("int64", input, bound(minValue), onnx);
  return maxValue === undefined ? onnx.node("Identity", [raised]) : lesserOf("int64", raised, bound(maxValue), onnx);
};

const cumulativeSum: Lowering<"cumulativeSum"> = ({ operands: { input }, attributes }, onnx) => {
  const options = { exclusive: Number(attributes.exclusive), reverse: Number(attributes.reversed) };
  const axis = onnx.scalar("int64", attributes.axis);
  return carried("CumSum", [input], (inputs) => onnx.node("CumSum", [...inputs, axis], options), onnx);
};

/** ONNX's PRelu supports only floats, and only its slope broadcasts; WebNN's prelu broadcasts both operands. */
const prelu: Lowering<"prelu"> = ({ operands: { input, slope } }, onnx) => {
  const zero = onnx.scalar(input.dataType, 0);
  if (!isFloat(input.dataType)) {
    const scaled = onnx.node("Mul", [lesserOf(input.dataType, input, zero, onnx), slope]);
    return onnx.node("Add", [greaterOf(input.dataType, input, zero, onnx), scaled]);
  }
  if (broadcastsTo(slope.shape, input.shape)) return onnx.node("PRelu", [input, slope]);
  return onnx.node("Where", [onnx.node("Less", [input, zero]), onnx.node("Mul", [input, slope]), input]);
};

const where: Lowering<"where"> = ({ operands: { condition, trueValue, falseValue } }, onnx) =>
  carried(
    "Where",
    [trueValue, falseValue],
    (values) => onnx.node("Where", [onnx.cast(condition, "bool"), ...values]),
    onnx,
  );

/**
 * If a float is cast twice, the second time to 8 bits, ONNX Runtime drops the first cast and its rounding. A Max with a
 * single input keeps the casts apart; it has a kernel for float16 too.
 */
const cast: Lowering<"cast"> = ({ operands: { input }, attributes: { dataType } }, onnx) => {
  const isDropped = isFloat(input.dataType) && (dataType === "int8" || dataType === "uint8") &&
    onnx.originOf(input) === "Cast";
  const source = isDropped ? onnx.node("Max", [input]) : input;
  return onnx.cast(source, dataType satisfies MLOperandDataType);
};

export const elementwise = {
  add: binary("Add"),
  sub: binary("Sub"),
  mul: binary("Mul"),
  div: binaryByType("Div", integerDiv),
  max: extreme(greaterOf),
  min: extreme(lesserOf),
  pow,
  equal: comparison("Equal"),
  notEqual: ({ operands: { a, b } }: BinaryNode, onnx: OnnxWriter) =>
    onnx.cast(onnx.node("Not", [onnx.node("Equal", [a, b])]), "uint8"),
  greater: comparison("Greater"),
  greaterOrEqual: comparison("GreaterOrEqual"),
  lesser: comparison("Less"),
  lesserOrEqual: comparison("LessOrEqual"),
  logicalAnd: logical("And"),
  logicalOr: logical("Or"),
  logicalXor: logical("Xor"),
  logicalNot: ({ operands: { a } }: PredicateNode, onnx: OnnxWriter) =>
    onnx.cast(onnx.node("Not", [onnx.cast(a, "bool")]), "uint8"),
  isNaN: predicate("IsNaN"),
  isInfinite: predicate("IsInf"),
  abs,
  ceil: unary("Ceil"),
  cos: unary("Cos"),
  erf: unary("Erf"),
  exp: unary("Exp"),
  floor: unary("Floor"),
  identity: unary("Identity"),
  log: unary("Log"),
  neg: unary("Neg"),
  reciprocal: unary("Reciprocal"),
  roundEven: unary("Round"),
  sign,
  sin: unary("Sin"),
  sqrt: unary("Sqrt"),
  tan: unary("Tan"),
  gelu: unary("Gelu"),
  hardSwish: unary("HardSwish"),
  relu,
  sigmoid: ({ operands: { input } }, onnx) => sigmoid(input, input.dataType, onnx),
  softplus: unary("Softplus"),
  softsign: unary("Softsign"),
  tanh: unary("Tanh"),
  elu: withAlpha("Elu"),
  leakyRelu: withAlpha("LeakyRelu"),
  hardSigmoid: ({ operands: { input }, attributes: { alpha, beta } }, onnx) =>
    onnx.node("HardSigmoid", [input], { alpha: new Float(alpha), beta: new Float(beta) }),
  linear,
  cast,
  clamp,
  cumulativeSum,
  prelu,
  where,
} satisfies { [Name in keyof typeof rows]: Lowering<Name> };
