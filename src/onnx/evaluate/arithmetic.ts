/**
 * Evaluators of elementwise arithmetic, comparisons and conversions.
 *
 * @module
 */

import { is64Bit } from "../../data_type.ts";
import type { ElementType, Known } from "../model.ts";
import type { NodeView } from "../node.ts";
import { elementBits, elementType } from "../tensor.ts";
import { type Elements, elementsOf, known } from "../value.ts";
import { commonShape, expandTo, listOf } from "./arrays.ts";
import type { Evaluate } from "./evaluator.ts";

type Plain = Parameters<typeof known>[0];

/** The type in which the evaluator computes; `undefined` if it does not support the element type. */
function plain(type: ElementType): Plain | undefined {
  switch (type) {
    case "string":
    case "other":
    case "bfloat16":
    case "int4":
    case "uint4":
      return undefined;
    default:
      return type;
  }
}

function isFloating(type: ElementType): boolean {
  return type === "float32" || type === "float64" || type === "float16" || type === "bfloat16";
}

/** An operation on numbers, and the same operation on 64-bit integers. */
interface Operation<Result> {
  readonly number: (a: number, b: number, type: Plain) => Result;
  readonly big: (a: bigint, b: bigint) => Result;
}

/** The elements of both inputs, broadcast to a common shape. */
function pairs(node: NodeView): { shape: readonly number[]; a: Elements; b: Elements; type: Plain } | undefined {
  const type = plain(node.type(0));
  if (type === undefined) return undefined;
  if (node.type(1) !== node.type(0)) {
    node.refuse(`its inputs have different types: ${node.type(0)} and ${node.type(1)}`);
  }
  const shape = commonShape([node.shape(0), node.shape(1)]);
  const [a, b] = [0, 1].map((i) => elementsOf(expandTo(node.known(i), shape))) as [Elements, Elements];
  return { shape, a, b, type };
}

function apply<Result>(
  { number, big }: Operation<Result>,
  { a, b, type }: { a: Elements; b: Elements; type: Plain },
): Result[] {
  const results = new Array<Result>(a.length);
  if (type === "int64" || type === "uint64") {
    for (let i = 0; i < results.length; i++) results[i] = big(a[i] as bigint, b[i] as bigint);
  } else {
    for (let i = 0; i < results.length; i++) results[i] = number(a[i] as number, b[i] as number, type);
  }
  return results;
}

function binary(operation: Operation<number | bigint>): Evaluate {
  return (node) => {
    const found = pairs(node);
    return found && known(found.type, found.shape, apply(operation, found));
  };
}

function comparison(operation: Operation<boolean>): Evaluate {
  return (node) => {
    const found = pairs(node);
    return found && known("bool", found.shape, apply(operation, found).map(Number));
  };
}

/** Sum, Max, Min and Mean accept any number of inputs. */
function fold(operation: Operation<number | bigint>): Evaluate {
  return (node) => {
    const type = plain(node.type(0));
    if (type === undefined) return undefined;
    const values = node.inputs.map((_, i) => node.known(i));
    const shape = commonShape(values.map((value) => value.shape));
    return values.map((value) => expandTo(value, shape)).reduce((a, b) =>
      known(type, shape, apply(operation, { a: elementsOf(a), b: elementsOf(b), type }))
    );
  };
}

function unary(number: (x: number) => number, big?: (x: bigint) => bigint): Evaluate {
  return (node) => {
    const type = plain(node.type(0));
    if (type === undefined) return undefined;
    const value = node.known(0);
    if (type === "int64" || type === "uint64") {
      return big && known(type, value.shape, (listOf(value) as bigint[]).map(big));
    }
    return known(type, value.shape, (listOf(value) as number[]).map(number));
  };
}

/** Integer division truncates toward zero, as in C. */
function divide(node: NodeView): Known | undefined {
  const found = pairs(node);
  if (!found) return undefined;
  const { b, type } = found;
  if (!isFloating(type) && (b as Int32Array).some((element) => !element)) node.refuse("integer division by 0");
  return known(type, found.shape, apply(DIVISION, found));
}

const DIVISION: Operation<number | bigint> = {
  number: (a, b, type) => isFloating(type) ? a / b : Math.trunc(a / b),
  big: (a, b) => a / b,
};

/** @see https://onnx.ai/onnx/operators/onnx__Mod.html */
function modulo(node: NodeView): Known | undefined {
  const found = pairs(node);
  if (!found) return undefined;
  const asC = node.flag("fmod") || isFloating(found.type);
  if (!isFloating(found.type) && (found.b as Int32Array).some((element) => !element)) {
    node.refuse("integer division by 0");
  }
  // The result of % has the sign of the dividend, but ONNX's integer Mod has the sign of the divisor.
  return known(
    found.type,
    found.shape,
    apply<number | bigint>({
      number: (a, b) => asC || a % b === 0 || (a < 0) === (b < 0) ? a % b : a % b + b,
      big: (a, b) => asC || a % b === 0n || (a < 0n) === (b < 0n) ? a % b : a % b + b,
    }, found),
  );
}

const MULTIPLICATION: Operation<number | bigint> = {
  number: (a, b, type) => isFloating(type) ? a * b : Math.imul(a, b),
  big: (a, b) => a * b,
};

/** The element type of the attribute `to`. */
function castTarget(node: NodeView): ElementType {
  return elementType(node.int("to")) ?? node.refuse("it casts to a type that WebNN does not support");
}

/** @see https://onnx.ai/onnx/operators/onnx__Cast.html */
function cast(node: NodeView, to: ElementType): Known | undefined {
  const value = node.known(0);
  if (value.type === to) return value;
  const target = plain(to);
  if (target === undefined || plain(value.type) === undefined && value.type !== "bfloat16") return undefined;
  return known(target, value.shape, listOf(value).map((element) => convert(element, target)));
}

function convert(element: number | bigint, to: Plain): number | bigint {
  // NaN is true.
  if (to === "bool") return element === 0 || element === 0n ? 0 : 1;
  if (isFloating(to) || typeof element === "bigint") return element;
  // Truncates toward zero. ONNX does not define the result for values out of range.
  const whole = Math.trunc(element);
  if (!Number.isFinite(whole)) {
    return is64Bit(to as "int64") ? BigInt.asIntN(64, 1n << 63n) : -(2 ** (elementBits(to) - 1));
  }
  return is64Bit(to as "int64") ? BigInt(whole) : whole;
}

/** @see https://onnx.ai/onnx/operators/onnx__Where.html */
function where(node: NodeView): Known | undefined {
  const type = plain(node.type(1));
  if (type === undefined) return undefined;
  if (node.type(1) !== node.type(2)) {
    node.refuse(`its inputs have different types: ${node.type(1)} and ${node.type(2)}`);
  }
  const values = [0, 1, 2].map((i) => node.known(i));
  const shape = commonShape(values.map((value) => value.shape));
  const [condition, a, b] = values.map((value) => listOf(expandTo(value, shape))) as [unknown[], number[], number[]];
  return known(type, shape, a.map((element, i) => condition[i] ? element : b[i]!));
}

function logical(operation: (a: boolean, b: boolean) => boolean): Evaluate {
  return comparison({ number: (a, b) => operation(a !== 0, b !== 0), big: (a, b) => operation(a !== 0n, b !== 0n) });
}

/** @see https://onnx.ai/onnx/operators/onnx__Clip.html */
function clip(node: NodeView): Known | undefined {
  const type = plain(node.type(0));
  if (type === undefined || node.opset < 11) return undefined;
  const [low, high] = [1, 2].map((i) => node.has(i) ? node.first(node.known(i)) : undefined);
  const value = node.known(0);
  const bounded = listOf(value).map((x) => {
    const above = low !== undefined && x < low ? low : x;
    return high !== undefined && above > high ? high : above;
  });
  return known(type, value.shape, bounded);
}

/** Rounds to the nearest integer, halves to even. */
export function roundEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

export const arithmetic: Record<string, Evaluate> = {
  Abs: unary(Math.abs, (x) => x < 0n ? -x : x),
  Add: binary({ number: (a, b) => a + b, big: (a, b) => a + b }),
  And: logical((a, b) => a && b),
  Cast: (node) => cast(node, castTarget(node)),
  CastLike: (node) => cast(node, node.type(1)),
  Ceil: unary(Math.ceil),
  Clip: clip,
  Div: divide,
  Equal: comparison({ number: (a, b) => a === b, big: (a, b) => a === b }),
  Exp: unary(Math.exp),
  Floor: unary(Math.floor),
  Greater: comparison({ number: (a, b) => a > b, big: (a, b) => a > b }),
  GreaterOrEqual: comparison({ number: (a, b) => a >= b, big: (a, b) => a >= b }),
  Less: comparison({ number: (a, b) => a < b, big: (a, b) => a < b }),
  LessOrEqual: comparison({ number: (a, b) => a <= b, big: (a, b) => a <= b }),
  Log: unary(Math.log),
  Max: fold({ number: (a, b) => Number.isNaN(a) ? a : Math.max(a, b), big: (a, b) => a > b ? a : b }),
  Min: fold({ number: (a, b) => Number.isNaN(a) ? a : Math.min(a, b), big: (a, b) => a < b ? a : b }),
  Mod: modulo,
  Mul: binary(MULTIPLICATION),
  Neg: unary((x) => -x, (x) => -x),
  Not: (node) => known("bool", node.shape(0), listOf(node.known(0)).map((x) => x ? 0 : 1)),
  Or: logical((a, b) => a || b),
  Reciprocal: unary((x) => 1 / x),
  Round: unary(roundEven),
  Sign: unary(Math.sign, (x) => x > 0n ? 1n : x < 0n ? -1n : 0n),
  Sqrt: unary(Math.sqrt),
  Sub: binary({ number: (a, b) => a - b, big: (a, b) => a - b }),
  Sum: fold({ number: (a, b) => a + b, big: (a, b) => a + b }),
  Where: where,
  Xor: logical((a, b) => a !== b),
};
