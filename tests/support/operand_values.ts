/**
 * Deterministic values for the operands of operators.
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

/** The values that an operand may have: those of floats and those of integers apart, or all listed by their number. */
export interface Domain {
  /** The least and the greatest. */
  readonly float: readonly [number, number];
  /** The least and the greatest, cut down to the type's range; the whole range by default. */
  readonly integer?: readonly [number, number];
  /** Whether the non-finite, both zeros and, of integers, the extremes of the range are among them. */
  readonly special?: boolean;
  /** Whether 0 is never among them. */
  readonly nonZero?: boolean;
  /** Instead of all this: the values of so many elements. */
  readonly list?: (count: number) => readonly number[];
  /** Whether integers of the list, which run from 0 to the count, are stretched to the range of the type. */
  readonly spread?: boolean;
}

/** What there is, NaN and infinities included. */
export const WILD: Domain = { float: [-8, 8], special: true };
/** Finite floats of modest size, which may be added up; any integers. */
export const PLAIN: Domain = { float: [-2, 2] };
/** Floats and integers above 0 that are neither large nor small. */
export const POSITIVE: Domain = { float: [0.25, 4], integer: [1, 9] };
/** Few integers, 0 among them. */
export const SMALL: Domain = { float: [-2, 2], integer: [-3, 3] };
/** What integers may be divided by. */
export const DIVISOR: Domain = { ...WILD, nonZero: true };
/** All different, in no order. */
export const DISTINCT: Domain = { float: [0, 0], list: (count) => shuffled(count) };

/** All different, in no order, integers from the whole range of the type. */
export const SPREAD: Domain = { ...DISTINCT, spread: true };

/** Positions along a dimension, counted from either end; unsigned types cut off the negative ones. */
export function indexDomain(dimension: number): Domain {
  return { float: [0, 0], integer: [-dimension, dimension - 1] };
}

/** A tensor of values of a domain. */
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

/** Every third value is a special one, in an order that pairs different ones when two operands have different seeds. */
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

/** 0 to `count` - 1 in an order without a pattern. */
function shuffled(count: number): number[] {
  const next = random(count);
  return Array.from({ length: count }, (_, i) => ({ i, key: next() })).sort((a, b) => a.key - b.key).map(({ i }) => i);
}
