/**
 * Element-wise operators with two operands: arithmetic, comparison, logic.
 * @see https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary
 *
 * @module
 */

import { type Compute, operand, type Rows, ulp, within } from "./operator.ts";
import { isFloat } from "./round.ts";
import { pow } from "./special_functions.ts";
import { at, broadcastIndex, broadcastShapes, type Element, generate, type RefDataType } from "./tensor.ts";

/** `a op b` for each pair of elements, broadcast. */
function broadcast(
  nameA: string,
  nameB: string,
  outputType: (input: RefDataType) => RefDataType,
  compute: (x: Element, y: Element, dataType: RefDataType) => Element,
): Compute {
  return (operands) => {
    const a = operand(operands, nameA);
    const b = operand(operands, nameB);
    const shape = broadcastShapes(a.shape, b.shape);
    return [generate(outputType(a.dataType), shape, (index) => {
      const x = at(a, broadcastIndex(a.shape, index));
      const y = at(b, broadcastIndex(b.shape, index));
      return compute(x, y, a.dataType);
    })];
  };
}

/** Computes floats in float64, integers exactly. */
function arithmetic(
  float: (x: number, y: number) => number,
  integer: (x: bigint, y: bigint) => bigint,
  names: readonly [string, string] = ["a", "b"],
): Compute {
  const compute = (x: Element, y: Element, dataType: RefDataType) =>
    isFloat(dataType) ? float(Number(x), Number(y)) : integer(BigInt(x), BigInt(y));
  return broadcast(names[0], names[1], (dataType) => dataType, compute);
}

/** 1 if the relation holds, else 0. */
function relation(holds: (x: Element, y: Element) => boolean): Compute {
  return broadcast("a", "b", () => "uint8", (x, y) => holds(x, y) ? 1 : 0);
}

/** Exact; rounded toward zero for a negative exponent, like integer division. */
function integerPow(base: bigint, exponent: bigint): bigint {
  if (exponent >= 0n) return base ** exponent;
  if (base === 0n) throw new RangeError("0 has no negative power");
  return base === 1n ? 1n : base === -1n ? (exponent % 2n === 0n ? 1n : -1n) : 0n;
}

function integerDiv(x: bigint, y: bigint): bigint {
  if (y === 0n) throw new RangeError("the standard does not define integer division by zero");
  return x / y;
}

export const binary: Rows = {
  add: within(ulp(1), arithmetic((x, y) => x + y, (x, y) => x + y)),
  sub: within(ulp(1), arithmetic((x, y) => x - y, (x, y) => x - y)),
  mul: within(ulp(1), arithmetic((x, y) => x * y, (x, y) => x * y)),
  div: within(ulp(2), arithmetic((x, y) => x / y, integerDiv)),
  max: arithmetic(Math.max, (x, y) => x > y ? x : y),
  min: arithmetic(Math.min, (x, y) => x < y ? x : y),
  pow: within(ulp(32, 2), arithmetic(pow, integerPow)),
  prelu: within(
    ulp(1),
    arithmetic((x, slope) => x < 0 ? x * slope : x, (x, slope) => x < 0n ? x * slope : x, ["input", "slope"]),
  ),
  equal: relation((x, y) => x === y),
  notEqual: relation((x, y) => x !== y),
  greater: relation((x, y) => x > y),
  greaterOrEqual: relation((x, y) => x >= y),
  lesser: relation((x, y) => x < y),
  lesserOrEqual: relation((x, y) => x <= y),
  logicalAnd: relation((x, y) => x !== 0 && y !== 0),
  logicalOr: relation((x, y) => x !== 0 || y !== 0),
  logicalXor: relation((x, y) => (x !== 0) !== (y !== 0)),
};
