/**
 * Where the operands of random calls come from: values that a program has already, or new ones.
 *
 * @module
 */

import { type Element, isFloat, type RefDataType, type RefTensor, sizeOf } from "../reference/mod.ts";
import { type Domain, operandValues, PLAIN, POSITIVE, WILD } from "../support/operand_values.ts";
import type { Random } from "../../support/random.ts";

/** Tensors of programs have no more elements, so that the reference is done soon. */
export const MAX_ELEMENTS = 160;
/** Tensors of programs have no more dimensions. */
export const MAX_RANK = 6;

const MAX_LEAF_ELEMENTS = 64;

/** A value of a program, with what the reference made of it. */
export interface Known {
  readonly id: number;
  readonly tensor: RefTensor;
}

/** The values that an operand may have: those that new ones get, and those that are accepted where they come from. */
export interface Wish {
  readonly domain: Domain;
  readonly accepts: (x: number, dataType: RefDataType) => boolean;
}

/** The arguments of one call. */
export interface Arguments {
  readonly operands: Readonly<Record<string, Known | readonly Known[]>>;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** The data types that each operand of an operator may have. */
export type TypesOf = Readonly<Record<string, readonly RefDataType[]>>;

/** What a generator of arguments may ask for. */
export interface Draft {
  readonly next: Random;
  /** An operand of any type that the limits allow. */
  any(name: string, wish: Wish, ranks?: readonly [number, number]): Known;
  /** An operand of one type and shape. */
  exact(dataType: RefDataType, shape: readonly number[], wish: Wish): Known;
  /** An operand of one type whose shape broadcasts to and with `shape`. */
  broadcasting(dataType: RefDataType, shape: readonly number[], wish: Wish): Known;
  /** A new value, which the program gets as an input or a constant. */
  fresh(dataType: RefDataType, shape: readonly number[], domain: Domain): Known;
  /** One of the types that an operand may have. */
  type(name: string): RefDataType;
}

/** Finite and small enough to be added up and multiplied. */
function isTame(x: number, dataType: RefDataType): boolean {
  return !isFloat(dataType) || Math.abs(x) <= (dataType === "float16" ? 8 : 64);
}

/** All floats between two bounds, which are those of new values too; all integers. */
export function between(least: number, greatest: number, integer?: readonly [number, number]): Wish {
  const domain: Domain = { float: [least, greatest], ...(integer && { integer }) };
  const [lower, upper] = integer ?? [-Infinity, Infinity];
  return {
    domain,
    accepts: (x, dataType) => isFloat(dataType) ? x >= least && x <= greatest : x >= lower && x <= upper,
  };
}

/** Everything, NaN and infinities included. */
export const ANYTHING: Wish = { domain: WILD, accepts: () => true };
/** What may be added up. */
export const TAME: Wish = { domain: PLAIN, accepts: isTame };
/** What may stand under a root or in a denominator. */
export const ABOVE_ZERO: Wish = { domain: POSITIVE, accepts: (x, dataType) => x >= 0.1 && isTame(x, dataType) };
/** Everything but the integer 0. */
export const NOT_ZERO: Wish = {
  domain: { ...WILD, nonZero: true },
  accepts: (x, dataType) => isFloat(dataType) || x !== 0,
};
/** Truth values. */
export const TRUTH: Wish = { domain: { float: [0, 0], integer: [0, 2] }, accepts: () => true };

/** The largest dimension by rank: long enough for vectorised loops, few enough elements in all. */
const MAX_DIMENSION = [1, 40, 8, 4, 3, 2, 2];

/** A random shape. */
export function randomShape(next: Random, ranks: readonly [number, number] = [0, MAX_RANK]): number[] {
  const rank = next.integer(...ranks);
  return Array.from({ length: rank }, () => next.integer(1, MAX_DIMENSION[rank]!));
}

/** Whether every element is accepted. */
function fits({ dataType, data }: RefTensor, { accepts }: Wish): boolean {
  return data.every((x: Element) => accepts(Number(x), dataType));
}

/**
 * A draft for one call.
 * @param pool the values that there are
 * @param types the data types of the operator's operands
 * @param favourite the data type that most new values have, where they may
 */
export function createDraft(
  next: Random,
  pool: readonly Known[],
  types: TypesOf,
  favourite: RefDataType,
  addLeaf: (tensor: RefTensor) => Known,
): Draft {
  const type: Draft["type"] = (name) =>
    types[name]!.includes(favourite) && next() < 0.6 ? favourite : next.pick(types[name]!);
  const existing = (chance: number, accepts: (tensor: RefTensor) => boolean, wish: Wish): Known | undefined => {
    if (next() >= chance) return undefined;
    const candidates = pool.filter(({ tensor }) => accepts(tensor) && fits(tensor, wish));
    // The last ones are the results of the longest chains.
    return candidates[Math.floor(next() ** 0.25 * candidates.length)];
  };
  const fresh: Draft["fresh"] = (dataType, shape, domain) =>
    addLeaf(operandValues(dataType, shape, domain, next.integer(0, 2 ** 32 - 1)));
  return {
    next,
    fresh,
    type,
    any(name, wish, ranks = [0, MAX_RANK]) {
      const isAllowed = ({ dataType, shape }: RefTensor) =>
        types[name]!.includes(dataType) && shape.length >= ranks[0] && shape.length <= ranks[1];
      return existing(0.9, isAllowed, wish) ?? fresh(type(name), leafShape(next, ranks), wish.domain);
    },
    exact: (dataType, shape, wish) =>
      existing(0.5, (tensor) => tensor.dataType === dataType && `${tensor.shape}` === `${shape}`, wish) ??
        fresh(dataType, shape, wish.domain),
    broadcasting: (dataType, shape, wish) =>
      existing(0.7, (tensor) => tensor.dataType === dataType && broadcastsWith(tensor.shape, shape), wish) ??
        fresh(dataType, partOf(next, shape), wish.domain),
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

/** A shape that broadcasts to another: without its first dimensions, or with some that are 1. */
export function partOf(next: Random, shape: readonly number[]): number[] {
  const kept = shape.slice(next() < 0.3 ? next.integer(0, shape.length) : 0);
  return kept.map((dimension) => next() < 0.25 ? 1 : dimension);
}

/** True as often as false. */
export function isTrue(next: Random): boolean {
  return next() < 0.5;
}

/** A member that is there or not. */
export function maybe<T>(next: Random, name: string, value: () => T): Record<string, T> {
  return isTrue(next) ? { [name]: value() } : {};
}
