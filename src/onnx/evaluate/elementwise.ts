/**
 * Elementwise operators on known values.
 *
 * @module
 */

import type { MLOpSupportLimits } from "../../api/support_limits.ts";
import { broadcast, elementCount, formatShape } from "../../shape.ts";
import type { ElementType, KnownTensor } from "../model.ts";
import { elementBits } from "../element_type.ts";
import { isPlain, operandType, type PlainType } from "../element_type.ts";
import { unsupported } from "../errors.ts";
import { elementsOf, knownTensor } from "../value.ts";
import { expandTo, MAX_ELEMENTS } from "./movement.ts";

/**
 * The result for one element of each operand. Elements of 64-bit integers are bigints, in spite of the type:
 * JavaScript's operators work on both.
 */
type OfElements<Result> = (a: number, b: number, type: PlainType) => Result;

const ARITHMETIC: Readonly<Record<string, OfElements<number>>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b, type) => isNarrowInteger(type) ? Math.imul(a, b) : a * b,
  div: (a, b, type) => {
    if (!isFloating(type) && !b) unsupported("an integer is divided by 0");
    return isNarrowInteger(type) ? Math.trunc(a / b) : a / b;
  },
  max: (a, b) => a > b || Number.isNaN(a) ? a : b,
  min: (a, b) => a < b || Number.isNaN(a) ? a : b,
};

const COMPARISONS: Readonly<Record<string, OfElements<boolean>>> = {
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  greater: (a, b) => a > b,
  greaterOrEqual: (a, b) => a >= b,
  lesser: (a, b) => a < b,
  lesserOrEqual: (a, b) => a <= b,
  logicalAnd: (a, b) => Boolean(a && b),
  logicalOr: (a, b) => Boolean(a || b),
  logicalXor: (a, b) => Boolean(a) !== Boolean(b),
};

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  abs: (x) => x < 0 ? -x : x,
  neg: (x) => -x,
  sign: (x) => x > 0 ? 1 : x < 0 ? -1 : x,
};

const FLOATING: Readonly<Record<string, (x: number) => number>> = {
  ceil: Math.ceil,
  exp: Math.exp,
  floor: Math.floor,
  log: Math.log,
  reciprocal: (x) => 1 / x,
  roundEven,
  sqrt: Math.sqrt,
};

/** The result of an elementwise operator; `undefined` for other operators and for too many elements. */
export function evaluateElementwise(
  name: string,
  args: readonly unknown[],
  limits: MLOpSupportLimits,
): KnownTensor | undefined {
  const [a, b, c] = args as [KnownTensor, KnownTensor, KnownTensor];
  if (name === "cast") return cast(a, args[1] as ElementType);
  if (!isPlain(a.type)) return undefined;
  if (name === "where") return where(a, ...sameType(b, c, limits));
  const arithmetic = ARITHMETIC[name], comparison = COMPARISONS[name];
  if (arithmetic || comparison) {
    const [x, y] = sameType(a, b, limits);
    return comparison ? binary(x, y, comparison, "bool") : binary(x, y, arithmetic!, x.type);
  }
  if (name === "logicalNot") return map(a, (x) => x ? 0 : 1, "bool");
  if (name === "clamp") return clamp(a, args[1] as { minValue?: number; maxValue?: number });
  const unary = UNARY[name] ?? (isFloating(a.type) ? FLOATING[name] : undefined);
  return unary && map(a, unary);
}

function map(
  value: KnownTensor,
  f: (x: number) => number | bigint,
  type: ElementType = value.type,
): KnownTensor | undefined {
  return isPlain(type)
    ? knownTensor(type, value.shape, Array.from(elementsOf(value) as Iterable<number>, f))
    : undefined;
}

function binary(
  a: KnownTensor,
  b: KnownTensor,
  f: OfElements<number | boolean>,
  result: ElementType,
): KnownTensor | undefined {
  const shape = commonShape(a.shape, b.shape);
  const { type } = a;
  if (elementCount(shape) > MAX_ELEMENTS || !isPlain(type) || !isPlain(result)) return undefined;
  const [x, y] = [a, b].map((value) => elementsOf(expandTo(value, shape)) as ArrayLike<number>);
  return knownTensor(result, shape, Array.from(x!, (element, i) => f(element, y![i]!, type) as number));
}

function where(condition: KnownTensor, a: KnownTensor, b: KnownTensor): KnownTensor | undefined {
  const shape = commonShape(condition.shape, commonShape(a.shape, b.shape));
  if (elementCount(shape) > MAX_ELEMENTS || !isPlain(a.type)) return undefined;
  const [flags, yes, no] = [condition, a, b].map((value) => elementsOf(expandTo(value, shape)) as ArrayLike<number>);
  return knownTensor(a.type, shape, Array.from(flags!, (flag, i) => flag ? yes![i]! : no![i]!));
}

function clamp(value: KnownTensor, { minValue = -Infinity, maxValue = Infinity }): KnownTensor | undefined {
  return map(value, (x) => x < minValue ? minValue : x > maxValue ? maxValue : x);
}

/**
 * Converts both values to one type. Their types can differ if the context does not support one and uses another for it:
 * see `operandType`.
 */
function sameType(a: KnownTensor, b: KnownTensor, limits: MLOpSupportLimits): [KnownTensor, KnownTensor] {
  if (a.type === b.type) return [a, b];
  const type = operandType(a.type, limits);
  if (type !== operandType(b.type, limits)) unsupported(`its inputs have different types: ${a.type} and ${b.type}`);
  return [cast(a, type) ?? a, cast(b, type) ?? b];
}

/** The shape to which both shapes broadcast. */
function commonShape(a: readonly number[], b: readonly number[]): readonly number[] {
  return broadcast(a, b) ?? unsupported(`the shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
}

function cast(value: KnownTensor, to: ElementType): KnownTensor | undefined {
  if (!isPlain(to) || !(isPlain(value.type) || value.type === "bfloat16")) return undefined;
  return map(value, (element) => convert(element, to), to);
}

/** Converts an element; integers are truncated toward zero. ONNX does not define the result for values out of range. */
function convert(element: number | bigint, to: PlainType): number | bigint {
  if (to === "bool") return element ? 1 : 0;
  if (isFloating(to) || typeof element === "bigint") return element;
  return Number.isFinite(element) ? Math.trunc(element) : -(2 ** (elementBits(to) - 1));
}

function isFloating(type: ElementType): boolean {
  return type === "float32" || type === "float64" || type === "float16";
}

/** Whether elements are integers of at most 32 bits, which are numbers in JavaScript. */
function isNarrowInteger(type: ElementType): boolean {
  return !isFloating(type) && elementBits(type) <= 32;
}

/** Rounds to the nearest integer, ties to even. */
function roundEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
