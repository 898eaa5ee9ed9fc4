/**
 * Elementwise operators: arithmetic, comparisons, logic, activations and casts.
 *
 * @module
 */

import type { ElementType } from "../model.ts";
import type { NodeView } from "../node.ts";
import type { Operand, OperatorName } from "../operand.ts";
import { type Build, type Row, type RowResult, rows } from "../row.ts";
import { unsupported } from "../errors.ts";
import { isKnown, numbersOf } from "../value.ts";

/** An operator that WebNN has with the same operands and types. */
const same = (name: OperatorName & keyof Operand): Build => (_, x, ...others) => {
  return x.recorder.call(name, [x, ...others]) as Operand;
};

/** WebNN has these operators only for signed types. They do not change unsigned integers. */
const nonNegative = (name: "abs" | "relu"): Build => (_, x) => x.isUnsigned ? x : x[name]();

const variadic = (name: "add" | "max" | "min"): Build => ({ inputs }) => {
  return (inputs as Operand[]).reduce((result, operand) => result[name](operand));
};

const sum = (operands: readonly Operand[]) => operands.reduce((a, b) => a.add(b));

/** The result has the type of the base; the exponent may have another type. */
function pow(_: NodeView, base: Operand, exponent: Operand): Operand {
  if (base.isFloat || !exponent.isFloat) return base.pow(exponent.cast(base.type));
  return base.cast(exponent.type).pow(exponent).cast(base.type);
}

/** The remainder has the sign of the divisor, or with `fmod` the sign of the dividend. */
function mod(node: NodeView, a: Operand, b: Operand): Operand {
  // The remainder of 16-bit integers fits in 16 bits, so it can be computed in int32.
  if (a.type === "int16" || a.type === "uint16") return mod(node, a.cast("int32"), b.cast("int32")).cast(a.type);
  const quotient = a.div(b);
  const whole = a.isFloat ? quotient.sign().mul(quotient.abs().floor()) : quotient;
  const rest = a.sub(whole.mul(b));
  if (a.isUnsigned) return rest;
  if (node.flag("fmod")) return a.isFloat ? exactRemainder(rest, a, b) : rest;
  if (a.isFloat) return unsupported("floating-point inputs require fmod = 1");
  const otherSign = rest.lesser(0).logicalXor(b.lesser(0));
  return rest.notEqual(0).logicalAnd(otherSign).where(rest.add(b), rest);
}

/**
 * Corrects the error of a rounded quotient. If rounding moved it to an adjacent integer, the remainder is off by one
 * divisor: its sign is wrong, or its magnitude is at least |b|.
 */
function exactRemainder(rest: Operand, a: Operand, b: Operand): Operand {
  const [size, direction] = [b.abs(), a.sign()];
  const along = rest.mul(direction);
  const lower = along.greaterOrEqual(size).where(along.sub(size), along);
  const fixed = along.lesser(0).where(along.add(size), lower);
  return b.isInfinite().where(a, a.equal(0).where(a, fixed.mul(direction)));
}

function castTo(x: Operand, type: ElementType): Operand {
  if (x.type === type) return x;
  if (type === "bool") return x.notEqual(0);
  // WebNN lacks these types. ONNX rounds or wraps casts to them; casts to the wider types used instead do neither.
  const isNarrower = type === "bfloat16" || type === "int16" || type === "uint16";
  if (isNarrower && !isKnown(x.value)) return unsupported(`WebNN does not support ${type}`);
  // ONNX does not define this cast for floats outside the range of the type. A cast through int32 wraps them.
  return (type === "int8" || type === "uint8") && x.isFloat ? x.cast("int32").cast(type) : x.cast(type);
}

/**
 * Bounds are attributes before version 11, inputs since then. A bound that is NaN has no effect, because ONNX defines the
 * operator by Less and Where.
 */
function clip(node: NodeView, x: Operand, min?: Operand, max?: Operand): Operand {
  if (node.since < 11) {
    const minValue = boundOf(node.float("min", -Infinity), -Infinity);
    return x.clamp({ minValue, maxValue: Math.max(minValue, boundOf(node.float("max", Infinity), Infinity)) });
  }
  const [low, high] = [min?.ifKnown(), max?.ifKnown()];
  const minValue = low ? boundOf(numbersOf(low)[0]!, -Infinity) : -Infinity;
  const maxValue = high ? boundOf(numbersOf(high)[0]!, Infinity) : Infinity;
  const isPlain = x.isFloat && (!min || low) && (!max || high) && minValue <= maxValue;
  if (isPlain) return x.clamp({ minValue, maxValue });
  const [least, most] = [min?.reshape([]), max?.reshape([])];
  const atLeast = least ? x.lesser(least).where(least, x) : x;
  return most ? most.lesser(atLeast).where(most, atLeast) : atLeast;
}

function boundOf(value: number, otherwise: number): number {
  return Number.isNaN(value) ? otherwise : value;
}

function selu(node: NodeView, x: Operand): Operand {
  const alpha = node.float("alpha", 1.67326319217681884765625);
  return x.elu({ alpha }).mul(node.float("gamma", 1.05070102214813232421875));
}

/** max(0, x) + min(0, α (exp(x / α) − 1)) */
function celu(node: NodeView, x: Operand): Operand {
  const alpha = node.float("alpha", 1);
  return x.max(0).add(x.min(0).div(alpha).exp().sub(1).mul(alpha));
}

function shrink(node: NodeView, x: Operand): Operand {
  const [lambda, bias] = [node.float("lambd", 0.5), node.float("bias", 0)];
  return x.lesser(-lambda).where(x.add(bias), x.greater(lambda).where(x.sub(bias), 0));
}

/** 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))) */
function geluByTanh(x: Operand): Operand {
  const inner = x.mul(x.mul(x).mul(0.044715 * Math.sqrt(2 / Math.PI)).add(Math.sqrt(2 / Math.PI)));
  return x.mul(0.5).mul(inner.tanh().add(1));
}

function isInf(node: NodeView, x: Operand): Operand {
  const [positive, negative] = [node.flag("detect_positive", true), node.flag("detect_negative", true)];
  if (positive && negative) return x.isInfinite();
  if (!positive && !negative) return x.equal(NaN);
  return x.equal(positive ? Infinity : -Infinity);
}

/** Drops nothing, so the mask is all true. Training mode is accepted only with a known ratio of 0. */
function dropout(node: NodeView, x: Operand, ratio?: Operand, training?: Operand): RowResult {
  const trains = node.since >= 12 && training && training.number("training_mode") !== 0;
  if (trains && (ratio ? ratio.number("ratio") : 0.5) !== 0) {
    unsupported("training mode is not supported, because its results are random");
  }
  if (!node.wants(1)) return x;
  const mask = node.constant("uint8", [], 1).expand(x.shape);
  return [x, node.since < 10 ? mask.cast(x.type) : mask];
}

/** For com.microsoft: adds an optional bias, then applies the formula. */
const biased = (formula: (x: Operand, node: NodeView) => Operand): Build => (node, x, bias?) => {
  return formula(bias ? x.add(bias) : x, node);
};

export const elementwise: readonly Row[] = [
  ...rows("", {
    Abs: [6, 1, nonNegative("abs")],
    Add: [7, 2, same("add")],
    And: [7, 2, same("logicalAnd")],
    Cast: [6, 1, (node, x) => castTo(x, node.elementType("to") ?? unsupported("attribute to is missing"))],
    CastLike: [15, 2, (_, x, like) => castTo(x, like.type)],
    Ceil: [6, 1, same("ceil")],
    Celu: [12, 1, celu],
    Clip: [[6, 11], 1, clip],
    Cos: [7, 1, same("cos")],
    Div: [7, 2, same("div")],
    Dropout: [[7, 10, 12], 1, dropout],
    Elu: [6, 1, (node, x) => x.elu({ alpha: node.float("alpha", 1) })],
    Equal: [7, 2, same("equal")],
    Erf: [9, 1, same("erf")],
    Exp: [6, 1, same("exp")],
    Floor: [6, 1, same("floor")],
    Gelu: [20, 1, (node, x) => node.string("approximate", "none") === "tanh" ? geluByTanh(x) : x.gelu()],
    Greater: [7, 2, same("greater")],
    GreaterOrEqual: [12, 2, same("greaterOrEqual")],
    HardSigmoid: [
      6,
      1,
      (node, x) => x.hardSigmoid({ alpha: node.float("alpha", 0.2), beta: node.float("beta", 0.5) }),
    ],
    HardSwish: [14, 1, same("hardSwish")],
    Identity: [1, 1, (_, x) => x],
    IsInf: [10, 1, isInf],
    IsNaN: [9, 1, same("isNaN")],
    LeakyRelu: [6, 1, (node, x) => x.leakyRelu({ alpha: node.float("alpha", 0.01) })],
    Less: [7, 2, same("lesser")],
    LessOrEqual: [12, 2, same("lesserOrEqual")],
    Log: [6, 1, same("log")],
    Max: [6, 1, variadic("max")],
    Mean: [6, 1, ({ inputs }) => sum(inputs as Operand[]).div(inputs.length)],
    Min: [6, 1, variadic("min")],
    Mish: [18, 1, (_, x) => x.mul(x.softplus().tanh())],
    Mod: [10, 2, mod],
    Mul: [7, 2, same("mul")],
    Neg: [6, 1, same("neg")],
    Not: [1, 1, same("logicalNot")],
    Or: [7, 2, same("logicalOr")],
    // WebNN's prelu does not support unsigned types.
    PRelu: [7, 2, (_, x, slope) => x.isUnsigned ? x.max(0).add(slope.mul(x.min(0))) : x.prelu(slope)],
    Pow: [7, 2, pow],
    Reciprocal: [6, 1, same("reciprocal")],
    Relu: [6, 1, nonNegative("relu")],
    Round: [11, 1, same("roundEven")],
    Selu: [6, 1, selu],
    Shrink: [9, 1, shrink],
    Sigmoid: [6, 1, same("sigmoid")],
    Sign: [9, 1, (_, x) => x.isUnsigned ? x.min(1) : x.sign()],
    Sin: [7, 1, same("sin")],
    Softplus: [1, 1, same("softplus")],
    Softsign: [1, 1, same("softsign")],
    Sqrt: [6, 1, same("sqrt")],
    Sub: [7, 2, same("sub")],
    Sum: [6, 1, variadic("add")],
    Tan: [7, 1, same("tan")],
    Tanh: [6, 1, same("tanh")],
    ThresholdedRelu: [10, 1, (node, x) => x.greater(node.float("alpha", 1)).where(x, 0)],
    Where: [9, 3, same("where")],
    Xor: [7, 2, same("logicalXor")],
  }),
  ...rows("com.microsoft", {
    BiasGelu: [1, 1, biased((x) => x.gelu())],
    FastGelu: [1, 1, biased(geluByTanh)],
    Gelu: [1, 1, (_, x) => x.gelu()],
    // x · sigmoid(αx)
    QuickGelu: [1, 1, biased((x, node) => x.mul(x.mul(node.float("alpha", 1.702)).sigmoid()))],
  }),
];
