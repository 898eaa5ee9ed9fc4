/**
 * Deterministic values for operands.
 *
 * @module
 */

import {
  type Element,
  integerLimits,
  isFloat,
  type RefDataType,
  type RefTensor,
  sizeOf,
  tensor,
} from "../reference/mod.ts";
import { type Random, random } from "../../support/random.ts";

/** The values of an operand: ranges for floats and integers, or a list. */
export interface Domain {
  /** The range of floats. */
  readonly float: readonly [number, number];
  /** The range of integers, limited to that of the type; by default, the whole range of the type. */
  readonly integer?: readonly [number, number];
  /** Whether to include infinities, NaN, both zeros and the extremes of integers. */
  readonly special?: boolean;
  /** Whether to exclude 0. */
  readonly nonZero?: boolean;
  /** Instead of a range: the values for a given number of elements. */
  readonly list?: (count: number) => readonly number[];
  /** Whether to scale the integers of the list, 0 to count − 1, to the range of the type. */
  readonly spread?: boolean;
}

/** Any values, including NaN and infinities. */
export const WILD: Domain = { float: [-8, 8], special: true };
/** Finite floats of modest size, which can be summed; any integers. */
export const PLAIN: Domain = { float: [-2, 2] };
/** Positive floats and integers of modest size. */
export const POSITIVE: Domain = { float: [0.25, 4], integer: [1, 9] };
/** Small integers, including 0. */
export const SMALL: Domain = { float: [-2, 2], integer: [-3, 3] };
/** Non-zero integers. */
export const DIVISOR: Domain = { ...WILD, nonZero: true };
/** Distinct values, shuffled. */
export const DISTINCT: Domain = { float: [0, 0], list: (count) => shuffled(count) };

/** Distinct values, shuffled; integers from the whole range of the type. */
export const SPREAD: Domain = { ...DISTINCT, spread: true };

/** Indices of a dimension, counted from either end; unsigned types have no negative ones. */
export function indexDomain(dimension: number): Domain {
  return { float: [0, 0], integer: [-dimension, dimension - 1] };
}

/** A tensor of values from a domain. */
export function operandValues(
  dataType: RefDataType,
  shape: readonly number[],
  domain: Domain,
  seed: number,
): RefTensor {
  const count = sizeOf(shape);
  const next = random(seed);
  const value = (i: number): Element => {
    const special = domain.special ? specialValue(dataType, i, next) : undefined;
    if (special !== undefined) return special;
    return isFloat(dataType) ? between(domain.float, next) : integer(dataType, domain, next);
  };
  const values = domain.list?.(count).map((item) => domain.spread ? spread(dataType, item, count) : item) ??
    Array.from({ length: count }, (_, i) => value(i));
  return tensor(
    dataType,
    shape,
    domain.nonZero && !isFloat(dataType) ? values.map((value) => Number(value) === 0 ? 1 : value) : values,
  );
}

function spread(dataType: RefDataType, item: number, count: number): Element {
  if (isFloat(dataType)) return item;
  const { min, max } = integerLimits(dataType);
  return min + (max - min) / BigInt(count) * BigInt(item);
}

/** Every third value is special, in an order that pairs different ones if two operands have different seeds. */
function specialValue(dataType: RefDataType, i: number, next: Random): Element | undefined {
  const pick = next();
  if (i % 3 !== 0 && pick < 0.8) return undefined;
  if (isFloat(dataType)) return next.pick([NaN, Infinity, -Infinity, 0, -0, 1, -1]);
  const { min, max } = integerLimits(dataType);
  return next.pick(min < 0n ? [min, max, 0n, 1n, -1n] : [max, max - 1n, max / 2n + 1n, 0n, 1n]);
}

function between([least, greatest]: readonly [number, number], next: Random): number {
  return least + next() * (greatest - least);
}

function integer(dataType: RefDataType, domain: Domain, next: Random): bigint {
  const { min, max } = integerLimits(dataType);
  if (domain.integer === undefined) {
    return min +
      (BigInt(next.integer(0, 2 ** 32 - 1)) << 32n | BigInt(next.integer(0, 2 ** 32 - 1))) % (max - min + 1n);
  }
  const [least, greatest] = domain.integer;
  return BigInt(next.integer(Math.max(least, Number(min)), greatest));
}

/** 0 to `count` − 1, shuffled. */
function shuffled(count: number): number[] {
  const next = random(count);
  return Array.from({ length: count }, (_, i) => ({ i, key: next() })).sort((a, b) => a.key - b.key).map(({ i }) => i);
}
