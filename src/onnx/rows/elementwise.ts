/**
 * Elementwise operators: arithmetic, comparisons, logic, activations and casts.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { NodeView } from "../node.ts";
import type { ElementType } from "../model.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { numbersOf, operandType } from "../value.ts";
import { calculate, isFloat, isUnsigned } from "./calculation.ts";

type Unary =
  | "ceil"
  | "cos"
  | "erf"
  | "exp"
  | "floor"
  | "log"
  | "reciprocal"
  | "roundEven"
  | "sigmoid"
  | "sin";
type MoreUnary = "softplus" | "softsign" | "sqrt" | "tan" | "tanh" | "hardSwish" | "logicalNot";
type SignedUnary = "abs" | "neg" | "sign" | "relu";
type Binary = "add" | "sub" | "mul" | "div" | "max" | "min" | "pow";
type Comparison = "equal" | "greater" | "greaterOrEqual" | "lesser" | "lesserOrEqual";
type Logic = "logicalAnd" | "logicalOr" | "logicalXor";

const unary = (name: Unary | MoreUnary) => (node: NodeView): MLOperand => node.builder[name](node.input(0));

/** These are the identity for unsigned integers, and WebNN has them only for signed types. */
const nonNegative = (name: Exclude<SignedUnary, "neg" | "sign">) => (node: NodeView): MLOperand => {
  const x = node.input(0);
  return isUnsigned(x) ? x : node.builder[name](x);
};

const binary = (name: Binary | Comparison | Logic) => (node: NodeView): MLOperand =>
  node.builder[name](node.input(0), node.input(1));

/** Before opset 7, `axis` aligned the second operand with inner dimensions; such models are not supported at all. */
const variadic = (name: "add" | "max" | "min") => (node: NodeView): MLOperand => {
  const operands = node.inputs.map((_, i) => node.input(i));
  const sum = operands.reduce((sum, operand) => node.builder[name](sum, operand));
  return operands.length > 1 ? sum : sum;
};

function mean(node: NodeView): MLOperand {
  return calculate(node).div(variadic("add")(node), node.inputs.length);
}

function sign(node: NodeView): MLOperand {
  const x = node.input(0);
  const { min } = calculate(node);
  return isUnsigned(x) ? min(x, 1) : node.builder.sign(x);
}

/** The result has the type of the base; the exponent may have another type. */
function pow(node: NodeView): MLOperand {
  const [base, exponent] = [node.input(0), node.input(1)];
  if (base.dataType === exponent.dataType) return node.builder.pow(base, exponent);
  if (isFloat(base)) return node.builder.pow(base, node.cast(exponent, base.dataType));
  if (!isFloat(exponent)) return node.builder.pow(base, node.cast(exponent, base.dataType));
  return node.cast(node.builder.pow(node.cast(base, exponent.dataType), exponent), base.dataType);
}

/** The remainder, with the sign of the divisor, or with `fmod` that of the dividend. */
function mod(node: NodeView): MLOperand {
  const [a, b] = [node.input(0), node.input(1)];
  const { sub, mul, div, add, where, notEqual, lesser } = calculate(node);
  const { builder } = node;
  const quotient = div(a, b);
  const whole = isFloat(a) ? mul(builder.sign(quotient), builder.floor(builder.abs(quotient))) : quotient;
  const rest = sub(a, mul(whole, b));
  if (isUnsigned(a)) return rest;
  if (node.flag("fmod")) return isFloat(a) ? exactRemainder(node, rest, a, b) : rest;
  if (isFloat(a)) return node.refuse("floating-point inputs require fmod = 1");
  const otherSign = builder.logicalXor(lesser(rest, 0), lesser(b, 0));
  return where(builder.logicalAnd(notEqual(rest, 0), otherSign), add(rest, b), rest);
}

/**
 * If rounding moved the quotient to an adjacent integer, the remainder is off by one divisor: its sign is wrong, or its
 * magnitude is at least |b|.
 */
function exactRemainder(node: NodeView, rest: MLOperand, a: MLOperand, b: MLOperand): MLOperand {
  const { mul, lesser, greaterOrEqual, where, sub, add, equal } = calculate(node);
  const { builder } = node;
  const [size, direction] = [builder.abs(b), builder.sign(a)];
  const along = mul(rest, direction);
  const fixed = where(lesser(along, 0), add(along, size), where(greaterOrEqual(along, size), sub(along, size), along));
  return where(builder.isInfinite(b), a, where(equal(a, 0), a, mul(fixed, direction)));
}

/** Converts to bool: x ≠ 0, as 0 and 1. */
function toBool(node: NodeView, x: MLOperand): MLOperand {
  return calculate(node).notEqual(x, 0);
}

function cast(node: NodeView): RowResult {
  return castTo(node, typeNamed(node, node.int("to")), node.input(0));
}

/** A computed uint8 may be a bool of the model, for which casts are different. */
function castLike(node: NodeView): RowResult {
  if (node.type(1) === "uint8" && !node.ifKnown(1)) node.refuse("the target type may be bool or uint8");
  return castTo(node, node.type(1), node.input(0));
}

function castTo(node: NodeView, type: ElementType, x: MLOperand): MLOperand {
  if (type === "bool") return toBool(node, x);
  if (type === "float64" && isFloat(x)) return node.cast(x, "float32");
  const target = operandType(type, node.limits);
  if (operandTypeDiffers(type)) node.refuse(`WebNN does not support ${type}`);
  if (x.dataType === target) return x;
  const to8Bits = target === "int8" || target === "uint8";
  // ONNX does not define floats that exceed 8 bits; integers wrap, and floats do the same when cast through int32.
  return node.builder.cast(to8Bits && isFloat(x) ? node.builder.cast(x, "int32") : x, target);
}

/** Whether ONNX would round or wrap a cast to this type, but the WebNN type used for it would not. */
function operandTypeDiffers(type: ElementType): boolean {
  return type === "bfloat16" || type === "int16" || type === "uint16";
}

const TYPES = [
  "",
  "float32",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "int64",
  "string",
  "bool",
  "float16",
  "float64",
  "uint32",
  "uint64",
  "",
  "",
  "bfloat16",
] as const;

/** The element type for a number of TensorProto.DataType. */
export function typeNamed(node: NodeView, code: number): ElementType {
  return TYPES[code] || node.refuse(`WebNN does not support the element type with number ${code}`);
}

/** Bounds are attributes before version 11, inputs since then. A NaN or missing bound is no bound. */
function clip(node: NodeView): MLOperand {
  const x = node.input(0);
  if (node.since < 11) {
    const [minValue, maxValue] = [node.float("min", -Infinity), node.float("max", Infinity)];
    return node.builder.clamp(x, { minValue, maxValue: Math.max(minValue, maxValue) });
  }
  const [min, max] = [node.optional(1), node.optional(2)];
  const [low, high] = [node.ifKnown(1), node.ifKnown(2)];
  const isPlain = isFloat(x) && (!min || low) && (!max || high);
  const minValue = low ? numbersOf(low)[0]! : -Infinity;
  const maxValue = high ? numbersOf(high)[0]! : Infinity;
  if (isPlain && minValue <= maxValue) return node.builder.clamp(x, { minValue, maxValue });
  const atLeast = min ? node.builder.max(x, node.reshape(min, [])) : x;
  return max ? node.builder.min(atLeast, node.reshape(max, [])) : atLeast;
}

function leakyRelu(node: NodeView): MLOperand {
  return node.builder.leakyRelu(node.input(0), { alpha: node.float("alpha", 0.01) });
}

/** Only the slope is broadcast, to the shape of the input. */
function prelu(node: NodeView): MLOperand {
  const [x, slope] = [node.input(0), node.input(1)];
  const { max, min, add, mul } = calculate(node);
  if (!isUnsigned(x)) return node.builder.prelu(x, slope);
  return add(max(x, 0), mul(slope, min(x, 0)));
}

function elu(node: NodeView): MLOperand {
  return node.builder.elu(node.input(0), { alpha: node.float("alpha", 1) });
}

function hardSigmoid(node: NodeView): MLOperand {
  return node.builder.hardSigmoid(node.input(0), { alpha: node.float("alpha", 0.2), beta: node.float("beta", 0.5) });
}

function selu(node: NodeView): MLOperand {
  const [alpha, gamma] = [
    node.float("alpha", 1.67326319217681884765625),
    node.float("gamma", 1.05070102214813232421875),
  ];
  return calculate(node).mul(node.builder.elu(node.input(0), { alpha }), gamma);
}

function celu(node: NodeView): MLOperand {
  const alpha = node.float("alpha", 1);
  const { mul, div, add, max, min, sub } = calculate(node);
  const x = node.input(0);
  const negative = mul(sub(node.builder.exp(div(min(x, 0), alpha)), 1), alpha);
  return add(max(x, 0), negative);
}

function thresholdedRelu(node: NodeView): MLOperand {
  const { greater, where } = calculate(node);
  const x = node.input(0);
  return where(greater(x, node.float("alpha", 1)), x, 0);
}

function shrink(node: NodeView): MLOperand {
  const [lambda, bias] = [node.float("lambd", 0.5), node.float("bias", 0)];
  const { greater, lesser, where, add, sub } = calculate(node);
  const x = node.input(0);
  return where(lesser(x, -lambda), add(x, bias), where(greater(x, lambda), sub(x, bias), node.scalar(x, 0)));
}

function mish(node: NodeView): MLOperand {
  const x = node.input(0);
  return node.builder.mul(x, node.builder.tanh(node.builder.softplus(x)));
}

function gelu(node: NodeView): MLOperand {
  const approximate = node.string("approximate", "none");
  return approximate === "tanh" ? geluByTanh(node, node.input(0)) : node.builder.gelu(node.input(0));
}

/** 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))) */
export function geluByTanh(node: NodeView, x: MLOperand): MLOperand {
  const { mul, add } = calculate(node);
  const inner = mul(x, add(mul(mul(x, x), 0.044715 * Math.sqrt(2 / Math.PI)), Math.sqrt(2 / Math.PI)));
  return mul(mul(x, 0.5), add(node.builder.tanh(inner), 1));
}

function isInf(node: NodeView): MLOperand {
  const x = node.input(0);
  const [positive, negative] = [node.flag("detect_positive", true), node.flag("detect_negative", true)];
  const { equal } = calculate(node);
  if (positive && negative) return node.builder.isInfinite(x);
  if (!positive && !negative) return equal(x, NaN);
  return equal(x, positive ? Infinity : -Infinity);
}

function isNaN(node: NodeView): MLOperand {
  return node.builder.isNaN(node.input(0));
}

function where(node: NodeView): MLOperand {
  return node.builder.where(node.input(0), node.input(1), node.input(2));
}

/** Inference: the mask is all true. Models with a training mode that has no effect have a known ratio of 0. */
function dropout(node: NodeView): RowResult {
  const training = node.since >= 12 && node.has(2) && node.number(2, "training_mode") !== 0;
  if (training && (node.has(1) ? node.number(1, "ratio") : 0.5) !== 0) node.refuse("training mode, which is random");
  const x = node.input(0);
  const mask = node.wants(1) ? node.expand(node.scalar("uint8", 1), x.shape) : undefined;
  return [x, node.since < 10 && mask ? node.cast(mask, x.dataType) : mask];
}

/** The input, known or not. */
function identity(node: NodeView): RowResult {
  return node.value(0);
}

/** For com.microsoft: an optional bias before a formula. */
const biased = (formula: (node: NodeView, x: MLOperand) => MLOperand) => (node: NodeView): RowResult => {
  const x = node.input(0);
  return formula(node, node.has(1) ? node.builder.add(x, node.input(1)) : x);
};

/** x · sigmoid(αx) */
function quickGelu(node: NodeView, x: MLOperand): MLOperand {
  const { mul } = calculate(node);
  return mul(x, node.builder.sigmoid(mul(x, node.float("alpha", 1.702))));
}

const standard = rows("", {
  Abs: [[6], nonNegative("abs")],
  Add: [[7], binary("add")],
  And: [[7], binary("logicalAnd")],
  Cast: [[6], cast],
  CastLike: [[15], castLike],
  Ceil: [[6], unary("ceil")],
  Celu: [[12], celu],
  Clip: [[6, 11], clip],
  Cos: [[7], unary("cos")],
  Div: [[7], binary("div")],
  Dropout: [[7, 10, 12], dropout],
  Elu: [[6], elu],
  Equal: [[7], binary("equal")],
  Erf: [[9], unary("erf")],
  Exp: [[6], unary("exp")],
  Floor: [[6], unary("floor")],
  Gelu: [[20], gelu],
  Greater: [[7], binary("greater")],
  GreaterOrEqual: [[12], binary("greaterOrEqual")],
  HardSigmoid: [[6], hardSigmoid],
  HardSwish: [[14], unary("hardSwish")],
  Identity: [[1], identity],
  IsInf: [[10], isInf],
  IsNaN: [[9], isNaN],
  LeakyRelu: [[6], leakyRelu],
  Less: [[7], binary("lesser")],
  LessOrEqual: [[12], binary("lesserOrEqual")],
  Log: [[6], unary("log")],
  Max: [[6], variadic("max")],
  Mean: [[6], mean],
  Min: [[6], variadic("min")],
  Mish: [[18], mish],
  Mod: [[10], mod],
  Mul: [[7], binary("mul")],
  Neg: [[6], (node) => node.builder.neg(node.input(0))],
  Not: [[1], unary("logicalNot")],
  Or: [[7], binary("logicalOr")],
  PRelu: [[7], prelu],
  Pow: [[7], pow],
  Reciprocal: [[6], unary("reciprocal")],
  Relu: [[6], nonNegative("relu")],
  Round: [[11], unary("roundEven")],
  Selu: [[6], selu],
  Shrink: [[9], shrink],
  Sigmoid: [[6], unary("sigmoid")],
  Sign: [[9], sign],
  Sin: [[7], unary("sin")],
  Softplus: [[1], unary("softplus")],
  Softsign: [[1], unary("softsign")],
  Sqrt: [[6], unary("sqrt")],
  Sub: [[7], binary("sub")],
  Sum: [[6], variadic("add")],
  Tan: [[7], unary("tan")],
  Tanh: [[6], unary("tanh")],
  ThresholdedRelu: [[10], thresholdedRelu],
  Where: [[9], where],
  Xor: [[7], binary("logicalXor")],
});

const contributed = rows("com.microsoft", {
  BiasGelu: [[1], biased(({ builder }, x) => builder.gelu(x))],
  FastGelu: [[1], biased(geluByTanh)],
  Gelu: [[1], (node) => node.builder.gelu(node.input(0))],
  QuickGelu: [[1], biased(quickGelu)],
});

export const elementwise: readonly Row[] = [...standard, ...contributed];
