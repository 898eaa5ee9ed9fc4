/**
 * WPT's own rules for comparing what came out with what was expected (`assertResultsEquals` of its
 * `webnn/resources/utils.js`).
 *
 * @module
 */

import { type Element, type RefDataType, sizeOf } from "../reference/mod.ts";
import type { CaseTensor, Tolerance } from "./cases.ts";

/** The outcome of one comparison. */
export interface Comparison {
  /** The largest distance of any element, in the tolerance's metric; infinite where only one side is NaN. */
  readonly error: number;
  /** Which element lies too far away; absent if none does. */
  readonly failure?: string;
}

/** WPT looks at no more elements of an output that is expected to be filled with one value. */
const FILL_ELEMENTS = 1000;

/** How many elements of an output are compared. */
export function comparedElements(expected: CaseTensor): number {
  return expected.fill ? Math.min(FILL_ELEMENTS, sizeOf(expected.shape)) : sizeOf(expected.shape);
}

/** Compare the first {@linkcode comparedElements} elements of an output. */
export function compare(actual: readonly Element[], expected: CaseTensor, tolerance: Tolerance): Comparison {
  const count = comparedElements(expected);
  if (actual.length !== count) {
    return { error: Infinity, failure: `${actual.length} elements instead of ${count}` };
  }
  const distance = tolerance.metricType === "ATOL" ? absoluteDistance : ulpDistance;
  const errors = actual.map((element, i) => distance(element, expectedAt(expected, i), expected.dataType));
  const error = errors.reduce((largest, error) => Math.max(largest, error), 0);
  const worst = errors.indexOf(error);
  if (error <= tolerance.value) return { error };
  const { metricType, value } = tolerance;
  const failure = `[${worst}] is ${actual[worst]} instead of ${
    expectedAt(expected, worst)
  }: ${error} ${metricType}, ${value} allowed`;
  return { error, failure };
}

function expectedAt(expected: CaseTensor, i: number): Element {
  return expected.data[expected.fill ? 0 : i]!;
}

function absoluteDistance(a: Element, b: Element): number {
  if (Object.is(a, b) || a === b) return 0;
  const distance = Math.abs(Number(a) - Number(b));
  return Number.isNaN(distance) ? Infinity : distance;
}

/** Units in the last place; of integers the absolute difference. */
export function ulpDistance(a: Element, b: Element, dataType: RefDataType): number {
  if (Object.is(a, b) || a === b) return 0;
  if (typeof a === "bigint" || typeof b === "bigint") {
    const distance = BigInt(a) - BigInt(b);
    return Number(distance < 0n ? -distance : distance);
  }
  if (Number.isNaN(a) || Number.isNaN(b)) return Infinity;
  if (dataType === "float32") return Math.abs(float32Ordinal(a) - float32Ordinal(b));
  if (dataType === "float16") return Math.abs(float16Bits(a) - float16Bits(b));
  return Math.abs(a - b);
}

/** The position of a float32 among all of them, negative ones below zero. */
function float32Ordinal(value: number): number {
  const magnitude = new Uint32Array(Float32Array.of(Math.abs(value)).buffer)[0]!;
  return value < 0 ? -magnitude : magnitude;
}

/** The raw bits: WPT does not map the sign of float16, so that the smallest numbers on both sides of 0 lie far apart. */
function float16Bits(value: number): number {
  return new Uint16Array(Float16Array.of(value).buffer)[0]!;
}
