/**
 * Chooses the operands of random calls: existing values of the program, or new ones.
 *
 * @module
 */

import { type Element, isFloat, type RefDataType, type RefTensor, sizeOf } from "../reference/mod.ts";
import { type Domain, operandValues, PLAIN, POSITIVE, WILD } from "../support/operand_values.ts";
import type { Random } from "../../support/random.ts";

/** The most elements of a tensor, which limits the time of the reference. */
export const MAX_ELEMENTS = 160;
/** The largest rank of a tensor. */
export const MAX_RANK = 6;

const MAX_LEAF_ELEMENTS = 64;

/** A value of a program, with the reference's tensor. */
export interface Value {
  readonly id: number;
  readonly tensor: RefTensor;
}

/** The values that an operand may have: `domain` is for new values, `accepts` for the elements of existing ones. */
export interface Constraint {
  readonly domain: Domain;
  readonly accepts: (x: number, dataType: RefDataType) => boolean;
}

/** The arguments of one call. */
export interface Arguments {
  readonly operands: Readonly<Record<string, Value | readonly Value[]>>;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** The data types that each operand of an operator may have. */
export type TypesOf = Readonly<Record<string, readonly RefDataType[]>>;

/** Provides the operands for a generator of arguments. */
export interface Draft {
  readonly next: Random;
  /** An operand of any type that the limits allow. */
  any(name: string, constraint: Constraint, ranks?: readonly [number, number]): Value;
  /** An operand of one type and shape. */
  exact(dataType: RefDataType, shape: readonly number[], constraint: Constraint): Value;
  /** An operand of one type whose shape broadcasts to and with `shape`. */
  broadcasting(dataType: RefDataType, shape: readonly number[], constraint: Constraint): Value;
  /** A new value, which is an input or a constant of the program. */
  fresh(dataType: RefDataType, shape: readonly number[], domain: Domain): Value;
  /** One of the types that an operand may have. */
  type(name: string): RefDataType;
}

/** Whether a number is finite, and small enough for sums and products. */
function isTame(x: number, dataType: RefDataType): boolean {
  return !isFloat(dataType) || Math.abs(x) <= (dataType === "float16" ? 8 : 64);
}

/** Floats between two bounds; integers between the bounds `integer`, or all integers. */
export function between(min: number, max: number, integer?: readonly [number, number]): Constraint {
  const domain: Domain = { float: [min, max], ...(integer && { integer }) };
  const [lower, upper] = integer ?? [-Infinity, Infinity];
  return {
    domain,
    accepts: (x, dataType) => isFloat(dataType) ? x >= min && x <= max : x >= lower && x <= upper,
  };
}

/** All numbers, including NaN and infinities. */
export const ANYTHING: Constraint = { domain: WILD, accepts: () => true };
/** Numbers for sums and products. */
export const TAME: Constraint = { domain: PLAIN, accepts: isTame };
/** Numbers for roots and divisors. */
export const ABOVE_ZERO: Constraint = { domain: POSITIVE, accepts: (x, dataType) => x >= 0.1 && isTame(x, dataType) };
/** All numbers except the integer 0. */
export const NOT_ZERO: Constraint = {
  domain: { ...WILD, nonZero: true },
  accepts: (x, dataType) => isFloat(dataType) || x !== 0,
};
/** Truth values. */
export const TRUTH: Constraint = { domain: { float: [0, 0], integer: [0, 2] }, accepts: () => true };

/** The largest dimension by rank: long enough for vectorised loops, few enough elements in all. */
const MAX_DIMENSION = [1, 40, 8, 4, 3, 2, 2];

/** A random shape. */
export function randomShape(next: Random, ranks: readonly [number, number] = [0, MAX_RANK]): number[] {
  const rank = next.integer(...ranks);
  return Array.from({ length: rank }, () => next.integer(1, MAX_DIMENSION[rank]!));
}

/** Whether every element is accepted. */
function fits({ dataType, data }: RefTensor, { accepts }: Constraint): boolean {
  return data.every((x: Element) => accepts(Number(x), dataType));
}

/**
 * Creates a draft for one call.
 * @param pool the existing values
 * @param types the data types of the operator's operands
 * @param favourite the data type of most new values, if the operand supports it
 */
export function createDraft(
  next: Random,
  pool: readonly Value[],
  types: TypesOf,
  favourite: RefDataType,
  addLeaf: (tensor: RefTensor) => Value,
): Draft {
  const type: Draft["type"] = (name) =>
    types[name]!.includes(favourite) && next() < 0.6 ? favourite : next.pick(types[name]!);
  const existing = (
    chance: number,
    accepts: (tensor: RefTensor) => boolean,
    constraint: Constraint,
  ): Value | undefined => {
    if (next() >= chance) return undefined;
    const candidates = pool.filter(({ tensor }) => accepts(tensor) && fits(tensor, constraint));
    // Prefers the last ones, which are results of the longest chains.
    return candidates[Math.floor(next() ** 0.25 * candidates.length)];
  };
  const fresh: Draft["fresh"] = (dataType, shape, domain) =>
    addLeaf(operandValues(dataType, shape, domain, next.integer(0, 2 ** 32 - 1)));
  return {
    next,
    fresh,
    type,
    any(name, constraint, ranks = [0, MAX_RANK]) {
      const isAllowed = ({ dataType, shape }: RefTensor) =>
        types[name]!.includes(dataType) && shape.length >= ranks[0] && shape.length <= ranks[1];
      return existing(0.9, isAllowed, constraint) ?? fresh(type(name), leafShape(next, ranks), constraint.domain);
    },
    exact: (dataType, shape, constraint) =>
      existing(0.5, (tensor) => tensor.dataType === dataType && `${tensor.shape}` === `${shape}`, constraint) ??
        fresh(dataType, shape, constraint.domain),
    broadcasting: (dataType, shape, constraint) =>
      existing(0.7, (tensor) => tensor.dataType === dataType && broadcastsWith(tensor.shape, shape), constraint) ??
        fresh(dataType, partOf(next, shape), constraint.domain),
  };
}

function leafShape(next: Random, ranks: readonly [number, number]): number[] {
  for (;;) {
    const shape = randomShape(next, ranks);
    if (sizeOf(shape) <= MAX_LEAF_ELEMENTS) return shape;
  }
}

function broadcastsWith(a: readonly number[], b: readonly number[]): boolean {
  return a.toReversed().every((dimension, i) => {
    const other = b.at(-1 - i) ?? 1;
    return dimension === other || dimension === 1 || other === 1;
  });
}

/** A shape that broadcasts to another: without some of the first dimensions, or with 1 for some. */
export function partOf(next: Random, shape: readonly number[]): number[] {
  const kept = shape.slice(next() < 0.3 ? next.integer(0, shape.length) : 0);
  return kept.map((dimension) => next() < 0.25 ? 1 : dimension);
}

/** True with probability 0.5. */
export function isTrue(next: Random): boolean {
  return next() < 0.5;
}

/** A member that is present with probability 0.5. */
export function maybe<T>(next: Random, name: string, value: () => T): Record<string, T> {
  return isTrue(next) ? { [name]: value() } : {};
}
