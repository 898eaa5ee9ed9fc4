/**
 * WPT's rules for comparing actual with expected outputs (`assertResultsEquals` of its `webnn/resources/utils.js`).
 *
 * @module
 */

import { type Element, type RefDataType, sizeOf } from "../reference/mod.ts";
import type { CaseTensor, Tolerance } from "./cases.ts";

/** The result of a comparison. */
export interface Comparison {
  /** The largest difference of an element, in the metric of the tolerance; infinite if only one side is NaN. */
  readonly error: number;
  /** The element that differs too much; absent if none does. */
  readonly failure?: string;
}

/** WPT compares only this many elements of an output that is filled with one value. */
const FILL_ELEMENTS = 1000;

/** How many elements of an output are compared. */
export function comparedElements(expected: CaseTensor): number {
  return expected.fill ? Math.min(FILL_ELEMENTS, sizeOf(expected.shape)) : sizeOf(expected.shape);
}

/** Compares the first {@linkcode comparedElements} elements of an output. */
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

/** Units in the last place; for integers, the absolute difference. */
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

/** The position of a float32 among all float32 numbers; negative ones are below zero. */
function float32Ordinal(value: number): number {
  const magnitude = new Uint32Array(Float32Array.of(Math.abs(value)).buffer)[0]!;
  return value < 0 ? -magnitude : magnitude;
}

/** The raw bits: WPT does not map the sign of float16, so the smallest numbers on both sides of 0 are far apart. */
function float16Bits(value: number): number {
  return new Uint16Array(Float16Array.of(value).buffer)[0]!;
}
