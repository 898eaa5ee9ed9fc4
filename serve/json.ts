/**
 * JSON with 64-bit integers that keep all their digits.
 *
 * @module
 */

import { badRequest } from "./errors.ts";

/**
 * Parses JSON. With `exact`, an integer that a number cannot hold is a bigint.
 * @throws {HttpError} 400 if the text is no JSON
 */
export function parseJson(text: string, { exact = false } = {}): unknown {
  try {
    return exact ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch (error) {
    // A reviver goes down into what is nested, and may find no room on the stack.
    const reason = error instanceof RangeError ? "it is nested too deeply" : (error as Error).message;
    throw badRequest(`The body is no JSON: ${reason}`);
  }
}

/** Whether a text may hold an integer that a number cannot. */
export function hasLongIntegers(text: string): boolean {
  return /(?:^|[^.\d])\d{16}/.test(text);
}

/** The third argument of a reviver, which TypeScript's library lacks. */
interface Context {
  readonly source?: string;
}

function keepDigits(_key: string, value: unknown, context?: Context): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source = "" } = context ?? {};
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** A value of `parseJson` as an integer with all its digits; `undefined` where it is none. */
export function exactInteger(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}
