/**
 * Element-wise operations of two tensors, with NumPy's broadcasting: arithmetic, comparisons, logic; and `select`.
 *
 * @module
 */

import { broadcast, formatShape, type Shape } from "../../../src/shape.ts";
import { pow } from "../../reference/special_functions.ts";
import { family, type Parameters, type Row, row, type Rows } from "./operation.ts";
import { broadcastOffsets, isFloat, type NumericType, type Tensor, zeros } from "./tensor.ts";

type Compute = (x: number, y: number) => number;

/** The broadcast shape of two tensors, by NumPy's rules. */
export function commonShape(a: Shape, b: Shape): Shape {
  const shape = broadcast(a, b);
  if (shape === undefined) throw new TypeError(`${formatShape(a)} and ${formatShape(b)} do not broadcast`);
  return shape;
}

function combine(x: Tensor, y: Tensor, dataType: NumericType, compute: Compute): Tensor {
  if (x.dataType !== y.dataType) {
    throw new TypeError(`x is ${x.dataType}, y ${y.dataType}: they must have the same type`);
  }
  const shape = commonShape(x.shape, y.shape);
  const result = zeros(dataType, shape);
  const xs = broadcastOffsets(x.shape, shape);
  const ys = broadcastOffsets(y.shape, shape);
  for (let i = 0; i < result.data.length; i++) result.data[i] = compute(x.data[xs[i]!]!, y.data[ys[i]!]!);
  return result;
}

interface Arithmetic {
  readonly float: Compute;
  readonly integer: Compute;
}

/**
 * The same formula for floats and integers: an Int32Array wraps when stored, and these results are exact in float64.
 */
function both(compute: Compute): Arithmetic {
  return { float: compute, integer: compute };
}

const ARITHMETIC: Record<string, Arithmetic> = {
  add: both((x, y) => x + y),
  sub: both((x, y) => x - y),
  mul: { float: (x, y) => x * y, integer: Math.imul },
  maximum: both(Math.max),
  minimum: both(Math.min),
  // The quotient has the type of x and y; storing it truncates.
  real_div: { float: (x, y) => x / y, integer: (x, y) => Math.trunc(x / checkDivisor(y)) },
  floor_div: { float: (x, y) => Math.floor(x / y), integer: (x, y) => Math.floor(x / checkDivisor(y)) },
  mod: { float: modulo, integer: (x, y) => modulo(x, checkDivisor(y)) },
  pow: { float: pow, integer: integerPower },
};

function checkDivisor(y: number): number {
  if (y === 0) throw new RangeError("division of an integer by zero has no defined result");
  return y;
}

/** The remainder with the sign of the divisor. */
function modulo(x: number, y: number): number {
  const remainder = x % y;
  return remainder !== 0 && (remainder < 0) !== (y < 0) ? remainder + y : remainder;
}

function integerPower(base: number, exponent: number): number {
  if (exponent < 0) throw new RangeError("a negative power of an integer has no defined result");
  let power = 1;
  for (let remaining = exponent, factor = base; remaining > 0; remaining = Math.floor(remaining / 2)) {
    if (remaining % 2 === 1) power = Math.imul(power, factor);
    factor = Math.imul(factor, factor);
  }
  return power;
}

const arithmetic = family(ARITHMETIC, ({ float, integer }) =>
  row("x y", (p) => {
    const x = p.tensor("x");
    return combine(x, p.tensor("y"), x.dataType, isFloat(x.dataType) ? float : integer);
  }));

/** A predicate of two elements. */
type Holds = (x: number, y: number) => boolean;

function predicate(holds: Holds): Row {
  return row("x y", (p) => combine(p.tensor("x"), p.tensor("y"), "bool", (x, y) => holds(x, y) ? 1 : 0));
}

const comparisons = family<Holds>({
  equal: (x, y) => x === y,
  not_equal: (x, y) => x !== y,
  greater: (x, y) => x > y,
  greater_equal: (x, y) => x >= y,
  less: (x, y) => x < y,
  less_equal: (x, y) => x <= y,
}, predicate);

function bools(p: Parameters, name: string): Tensor {
  const tensor = p.tensor(name);
  if (tensor.dataType !== "bool") throw new TypeError(`${name} must be bool, not ${tensor.dataType}`);
  return tensor;
}

const logic = family<Compute>(
  { logical_and: (x, y) => x & y, logical_or: (x, y) => x | y, logical_xor: (x, y) => x ^ y },
  (compute) => row("x y", (p) => combine(bools(p, "x"), bools(p, "y"), "bool", compute)),
);

function logicalNot(p: Parameters): Tensor {
  const x = bools(p, "x");
  return { ...x, data: x.data.map((bit) => 1 - bit) };
}

/** Apple's type inference uses only `a` and `b`, so a larger `cond` is an error here. */
function select(p: Parameters): Tensor {
  const cond = bools(p, "cond");
  const a = p.tensor("a");
  const b = p.tensor("b");
  if (a.dataType !== b.dataType) {
    throw new TypeError(`a is ${a.dataType}, b ${b.dataType}: they must have the same type`);
  }
  const shape = commonShape(a.shape, b.shape);
  const conditions = broadcastOffsets(cond.shape, shape);
  const as = broadcastOffsets(a.shape, shape);
  const bs = broadcastOffsets(b.shape, shape);
  const result = zeros(a.dataType, shape);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = cond.data[conditions[i]!] ? a.data[as[i]!]! : b.data[bs[i]!]!;
  }
  return result;
}

export const binary: Rows = {
  ...arithmetic,
  ...comparisons,
  ...logic,
  logical_not: row("x", logicalNot),
  select: row("cond a b", select),
};
