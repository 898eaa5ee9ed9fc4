/**
 * The tolerances of engines: WPT's for element-wise operators, the reference's error bound for sums, and 0 for integers
 * and data movement.
 *
 * @module
 */

import { type Element, isFloat, OPERATORS, type RefTensor, type Tolerance } from "../reference/mod.ts";
import { ulpDistance } from "../wpt_cases/compare.ts";

const EXACT: Tolerance = { metric: "ULP", float32: 0, float16: 0 };

/** Operators that round a float to an integer: a value next to a tie may be rounded either way. */
const ROUNDING = ["quantizeLinear", "resample2d"];

/** Half the distance from 1 to the next number. */
const UNIT_ROUNDOFF = { float32: 2 ** -24, float16: 2 ** -11 };
/** The smallest positive number. */
const LEAST = { float32: 2 ** -149, float16: 2 ** -24 };

/** Describes the first difference of an output from the reference that exceeds the tolerance; `undefined` if none does. */
export function difference(operator: string, actual: RefTensor, expected: RefTensor): string | undefined {
  if (actual.dataType !== expected.dataType) return `is ${actual.dataType}, not ${expected.dataType}`;
  if (`${actual.shape}` !== `${expected.shape}`) return `has the shape [${actual.shape}], not [${expected.shape}]`;
  for (let i = 0; i < expected.data.length; i++) {
    const excess = elementDifference(operator, actual.data[i]!, expected, i);
    if (excess !== undefined) return `[${i}] is ${actual.data[i]} instead of ${expected.data[i]}: ${excess}`;
  }
  return undefined;
}

/** The tolerance of an element of an engine's output. */
export function allowance(operator: string, expected: RefTensor, i: number): number {
  const { dataType } = expected;
  const value = Math.abs(Number(expected.data[i]));
  if (!isFloat(dataType)) return operator === "quantizeLinear" ? 1 : 0;
  if (!Number.isFinite(value)) return 0;
  const { metric, [dataType]: allowed } = OPERATORS[operator]?.tolerance ?? EXACT;
  // The unit above a power of two is twice as large as below.
  const tolerated = metric === "ATOL" ? allowed : 2 * allowed * unitInLastPlace(dataType, value);
  const bound = errorBound(expected, i) ?? 0;
  return Number.isFinite(bound) ? Math.max(tolerated, bound) : tolerated;
}

/** The distance from one number to the next. */
export function unitInLastPlace(dataType: "float32" | "float16", value: number): number {
  const power = 2 ** Math.floor(Math.log2(Math.abs(value)));
  return Math.max(2 * UNIT_ROUNDOFF[dataType] * power, LEAST[dataType]);
}

/** The reference's error bound for a sum, plus the rounding of the result. */
function errorBound({ dataType, data, magnitudes, terms }: RefTensor, i: number): number | undefined {
  if (magnitudes === undefined || !isFloat(dataType)) return undefined;
  const epsilon = UNIT_ROUNDOFF[dataType];
  return terms! * epsilon * magnitudes[i]! + epsilon * Math.abs(Number(data[i])) + LEAST[dataType];
}

function elementDifference(operator: string, actual: Element, expected: RefTensor, i: number): string | undefined {
  const { dataType } = expected;
  const value = expected.data[i]!;
  if (Object.is(actual, value) || actual === value) return undefined;
  if (!isFloat(dataType)) {
    const allowed = ROUNDING.includes(operator) ? 1 : 0;
    const distance = ulpDistance(actual, value, dataType);
    return distance <= allowed ? undefined : `${distance}, ${allowed} allowed`;
  }
  const error = Math.abs(Number(actual) - Number(value));
  const bound = errorBound(expected, i);
  if (bound !== undefined && Number.isFinite(bound) && error <= bound) return undefined;
  const { metric, [dataType]: allowed } = OPERATORS[operator]?.tolerance ?? EXACT;
  const distance = metric === "ATOL" ? error : ulpDistance(actual, value, dataType);
  if (distance <= allowed) return undefined;
  return bound === undefined ? `${distance} ${metric}, ${allowed} allowed` : `${error}, ${bound} allowed`;
}
